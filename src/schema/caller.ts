import * as z from "zod";

/** What a key may do; fixed for ever, new ones may be added. */
export const SCOPES = [
  "events:append",
  "events:import",
  "events:read",
  "personal:read",
  "exports:write",
  "policy:write",
  "holds:write",
  "erasures:write",
  "sinks:write",
  "keys:write",
  "reads:write",
  "orgs:write",
  "operate",
] as const;
export type Scope = (typeof SCOPES)[number];
export const scopeSchema = z.enum(SCOPES);

/**
 * A principal on its way to a ledger. An org key is still to be checked there (`hash` is the hex SHA-256 of the whole
 * key); a trusted one was checked by the Worker: the root key, a platform key or a service binding.
 */
export type Caller =
  | { kind: "org_key"; id: string; hash: string }
  | { kind: "trusted"; name: string; scopes: readonly Scope[]; orgs: readonly string[] | "*" | "all" };

/** The name a caller's acts carry: a key's id, a binding's name, `root`. */
export function nameOf(caller: Caller): string {
  return caller.kind === "trusted" ? caller.name : caller.id;
}

/** Whoever got an answer whose trace came through the queue: it was allowed when the answer left. */
export function formerReader(org: string, name: string): Caller {
  return { kind: "trusted", name, scopes: ["events:read"], orgs: [org] };
}

/** The network a call came from, for the trace of reading; all of it is what the caller claims or the edge saw. */
export type Network = { ip?: string; user_agent?: string; request_id?: string };

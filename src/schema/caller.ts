import * as z from "zod";
import { ok, refuse, type Result } from "../errors.ts";
import { REASON_MAX_CHARACTERS } from "../limits.ts";
import type { Restriction } from "./ledger.ts";

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

/** Scopes a viewer token may carry: those that show, none that changes anything. */
export const READING_SCOPES = ["events:read", "personal:read"] as const satisfies readonly Scope[];

/** The type of actor that is a key itself; no viewer may pass for one. */
export const KEY_ACTOR = "key";

/** Who reads with a viewer token: its id, and the person it was made for. */
export type Viewer = { token: string; actor: { type: string; id: string } };

/** A key the Worker checked: the root key, a platform key or a service binding. */
export type Trusted = {
  kind: "trusted";
  name: string;
  scopes: readonly Scope[];
  orgs: readonly string[] | "*" | "all";
};

/** Whose word a viewer token is: it can do no more than that key can now, and nothing once it is revoked. */
export type Minter = Trusted | { kind: "org_key"; id: string };

/**
 * A principal on its way to a ledger. An org key is still to be checked there (`hash` is the hex SHA-256 of the whole
 * key). Of a viewer the Worker checked the token; the ledger checks who minted it, and once more when it expires (ms).
 */
export type Caller =
  | { kind: "org_key"; id: string; hash: string }
  | Trusted
  | {
      kind: "viewer";
      org: string;
      viewer: Viewer;
      minter: Minter;
      scopes: readonly Scope[];
      restriction: Restriction | null;
      expires_at: number;
    };

/** The name a caller's acts carry: a key's id, a binding's name, `root`; of a viewer that of who minted its token. */
export function nameOf(caller: Caller | Minter): string {
  if (caller.kind === "viewer") return nameOf(caller.minter);
  return caller.kind === "trusted" ? caller.name : caller.id;
}

/** Whoever got an answer whose trace came through the queue: it was allowed when the answer left. */
export function formerReader(org: string, name: string, viewer: Viewer | null): Caller {
  const minter = { kind: "trusted", name, scopes: ["events:read"], orgs: [org] } as const;
  if (viewer === null) return minter;
  return {
    kind: "viewer",
    org,
    viewer,
    minter,
    scopes: minter.scopes,
    restriction: null,
    expires_at: Number.MAX_SAFE_INTEGER,
  };
}

/**
 * Whether a reader may have what is made of the whole log: the tree, its verification, counts, exports. One that is
 * restricted sees entries one by one and nothing that tells of the others.
 */
export function maySeeWhole({ restriction }: { restriction: Restriction | null }): Result<null> {
  return restriction === null ? ok(null) : refuse("forbidden", "This token is restricted: it shows entries alone.");
}

/** The service itself, where it looks at an org's log to see that all is right. */
export function serviceReader(org: string): Caller {
  return { kind: "trusted", name: "service", scopes: ["events:append", "events:read", "operate"], orgs: [org] };
}

/** The network a call came from, for the trace of reading; all of it is what the caller claims or the edge saw. */
export type Network = { ip?: string; user_agent?: string; request_id?: string };

/** Why somebody reads, as it is kept: without spaces around, one between words; null when nothing is left. */
export const reasonSchema = z
  .string()
  .max(REASON_MAX_CHARACTERS)
  .transform((text) => text.trim().replaceAll(/\s+/g, " ") || null);

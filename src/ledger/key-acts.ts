import { ok, refuse, type Result } from "../errors.ts";
import type { Act } from "../schema/act.ts";
import type { Caller } from "../schema/caller.ts";
import type { NewKey, OrgKey } from "../schema/ledger.ts";
import type { Draft } from "./draft.ts";
import type { OrgKeys } from "./keys.ts";
import { sealAct } from "./service-entry.ts";

type Context = { org: string; keys: OrgKeys; caller: Caller; draft: Draft; now: number };

/** Enters a key and seals that it was made; one entered before under this id is answered as it stands. */
export function planCreateKey({ org, keys, caller, draft, now }: Context, key: NewKey): Result<OrgKey> {
  const principal = keys.check(org, caller, "keys:write");
  if (!principal.ok) return principal;
  const { id, name, scopes, hash } = key;
  const beyond = scopes.filter((scope) => !principal.value.scopes.includes(scope));
  if (beyond.length > 0) return refuse("forbidden", `A key cannot give what it lacks: ${beyond.join(", ")}.`);
  const known = keys.list().find((one) => one.id === id);
  if (known !== undefined) return ok(known);
  const room = keys.room();
  if (!room.ok) return room;
  const { key: by } = principal.value;
  sealAct(draft, keyAct("indelible.key.created", { id, by, metadata: { name, scopes } }), now);
  draft.write((sql) => keys.insert(sql, { id, name, scopes, hash, now }));
  return ok({ id, name, scopes, created_at: new Date(now).toISOString(), revoked_at: null });
}

/** Revokes a key and seals that it was; one revoked before is answered as it stands. */
export function planRevokeKey({ org, keys, caller, draft, now }: Context, id: string): Result<OrgKey> {
  const principal = keys.check(org, caller, "keys:write");
  if (!principal.ok) return principal;
  const key = keys.list().find((one) => one.id === id);
  if (key === undefined) return refuse("not_found", "This org has no such key.");
  if (key.revoked_at !== null) return ok(key);
  const { key: by } = principal.value;
  sealAct(draft, keyAct("indelible.key.revoked", { id, by, metadata: { name: key.name } }), now);
  draft.write((sql) => keys.revoke(sql, id, now));
  return ok({ ...key, revoked_at: new Date(now).toISOString() });
}

function keyAct(
  action: Act["action"],
  { id, by, metadata }: { id: string; by: string; metadata: Record<string, unknown> },
): Act {
  const actor = { type: "key", id: by };
  return { action, category: "config_change", actor, key: by, targets: [{ type: "key", id }], metadata };
}

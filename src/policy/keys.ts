import { createHmac, randomBytes } from "node:crypto";
import { forgetPlatformKey } from "../auth/authenticate.ts";
import { keyHash, keyText } from "../auth/key.ts";
import type { Config } from "../env.ts";
import { ok, refuse, type Result } from "../errors.ts";
import { newKeyName } from "../ids.ts";
import { callLedger } from "../ledger/client.ts";
import { IDEMPOTENCY_KEPT_HOURS } from "../limits.ts";
import type { Act } from "../schema/act.ts";
import type { Caller, Scope } from "../schema/caller.ts";
import type { OrgKey } from "../schema/ledger.ts";
import { PLATFORM_ORG } from "../schema/names.ts";
import { CorruptKey, type KeyRow, listKeys, readKey, revokeKey, saveKey } from "../store/key.ts";

/** A key of the platform, and the orgs it may touch; null: every customer's. */
type PlatformKey = OrgKey & { orgs: string[] | null };

/** A key as its maker sees it, once: `key` is the only copy there will ever be. */
type Issued<Key> = Key & { key: string };

type Wanted = { name: string; scopes: Scope[]; idempotencyKey: string | null; now: number };

/** Makes a key of an org; the ledger keeps its hash and seals the act. */
export async function createOrgKey(
  config: Config,
  org: string,
  { caller, ...wanted }: Wanted & { caller: Caller },
): Promise<Result<Issued<OrgKey>>> {
  // Only a request that may be a repeated one is worth a look at what is there.
  const listed = wanted.idempotencyKey === null ? ok([]) : await listOrgKeys(config, org, caller);
  if (!listed.ok) return listed;
  const madeAt = async (id: string) => Date.parse(listed.value.find((known) => known.id === id)?.created_at ?? "");
  const { id, key } = await issue(config, { kind: "o", owner: org, madeAt, ...wanted });
  const { name, scopes } = wanted;
  const entered = await callLedger(
    config,
    org,
    async (ledger) => await ledger.createKey(org, caller, { id, name, scopes, hash: keyHash(key) }),
  );
  if (!entered.ok) return entered;
  const same = entered.value.name === name && JSON.stringify(entered.value.scopes) === JSON.stringify(scopes);
  if (!same) return refuse("conflict", "This Idempotency-Key was used before, for another key.");
  return ok({ ...entered.value, key });
}

export async function listOrgKeys(config: Config, org: string, caller: Caller): Promise<Result<OrgKey[]>> {
  return callLedger(config, org, async (ledger) => await ledger.listKeys(org, caller));
}

/** Revokes a key of an org: it holds at the next call. */
export async function revokeOrgKey(
  config: Config,
  org: string,
  { caller, id }: { caller: Caller; id: string },
): Promise<Result<OrgKey>> {
  return callLedger(config, org, async (ledger) => await ledger.revokeKey(org, caller, id));
}

/** Makes a key of the platform, kept in the directory; the act is sealed in org `platform`. */
export async function createPlatformKey(
  config: Config,
  { caller, orgs, ...wanted }: Wanted & { caller: Caller; orgs: string[] | null },
): Promise<Result<Issued<PlatformKey>>> {
  const root = requireRoot(caller);
  if (!root.ok) return root;
  const madeAt = async (made: string) => {
    const before = await knownKey(config, made);
    return before.ok ? (before.value?.created_at ?? Number.NaN) : Number.NaN;
  };
  const { id, key } = await issue(config, { kind: "p", owner: PLATFORM_ORG, madeAt, ...wanted });
  const { name, scopes, now } = wanted;
  const found = await knownKey(config, id);
  if (!found.ok) return found;
  const known = found.value;
  if (known !== null) {
    const same = JSON.stringify([known.name, known.scopes, known.orgs]) === JSON.stringify([name, scopes, orgs]);
    if (!same) return refuse("conflict", "This Idempotency-Key was used before, for another key.");
  } else {
    const sealed = await sealKeyAct(config, {
      action: "indelible.key.created",
      id,
      metadata: { name, scopes, orgs },
    });
    if (!sealed.ok) return sealed;
    await saveKey(config.directory, {
      id,
      org: null,
      name,
      scopes,
      orgs,
      hash: keyHash(key),
      created_at: now,
      revoked_at: null,
    });
  }
  const { created_at, revoked_at } = known ?? { created_at: now, revoked_at: null };
  return ok({ ...toPlatformKey({ id, name, scopes, orgs, created_at, revoked_at }), key });
}

/** The platform's keys; one whose row is corrupt is not among them, and opens nothing. */
export async function listPlatformKeys(config: Config, caller: Caller): Promise<Result<PlatformKey[]>> {
  const root = requireRoot(caller);
  if (!root.ok) return root;
  const rows = await listKeys(config.directory, null, { after: null, limit: 1_000 });
  return ok(rows.map(toPlatformKey));
}

/** Revokes a platform key: at once here, within a minute in every other isolate. */
export async function revokePlatformKey(
  config: Config,
  { caller, id, now }: { caller: Caller; id: string; now: number },
): Promise<Result<PlatformKey>> {
  const root = requireRoot(caller);
  if (!root.ok) return root;
  const found = await knownKey(config, id);
  if (!found.ok) return found;
  const row = found.value;
  if (row === null || row.org !== null) return refuse("not_found", "The platform has no such key.");
  if (row.revoked_at === null) {
    const sealed = await sealKeyAct(config, { action: "indelible.key.revoked", id, metadata: {} });
    if (!sealed.ok) return sealed;
    await revokeKey(config.directory, id, now);
  }
  forgetPlatformKey(id);
  return ok(toPlatformKey({ ...row, revoked_at: row.revoked_at ?? now }));
}

/** A key as the directory has it. What cannot be read cannot be answered, nor said of in the log: its row is for an operator. */
async function knownKey(config: Config, id: string): Promise<Result<KeyRow | null>> {
  try {
    return ok(await readKey(config.directory, id));
  } catch (error) {
    if (!(error instanceof CorruptKey)) throw error;
    const detail =
      "The directory's row of this key is corrupt, so the key opens nothing: restore the row, or delete it.";
    return refuse("unprocessable", detail);
  }
}

type Issue = { kind: "o" | "p"; owner: string; madeAt: (id: string) => Promise<number> } & Wanted;

const KEPT_MS = IDEMPOTENCY_KEPT_HOURS * 3_600_000;

/**
 * A new key. With an `Idempotency-Key` everything random in it follows from that key and the day, under the pepper: the
 * same request gets the same answer for 24 hours though nobody kept the secret. `madeAt`: when a key was made, or NaN.
 */
async function issue(config: Config, wanted: Issue): Promise<{ id: string; key: string }> {
  const { kind, idempotencyKey, now, madeAt } = wanted;
  if (idempotencyKey === null) {
    const id = `ind_${kind}${newKeyName()}`;
    return { id, key: keyText(config.keyPepper, id, randomBytes(32)) };
  }
  const day = Math.floor(now / KEPT_MS);
  const yesterdays = derivedKey(config, { ...wanted, idempotencyKey, day: day - 1 });
  const repeated = now - (await madeAt(yesterdays.id)) < KEPT_MS;
  return repeated ? yesterdays : derivedKey(config, { ...wanted, idempotencyKey, day });
}

function derivedKey(
  { keyPepper }: Config,
  { kind, owner, idempotencyKey, day }: Pick<Issue, "kind" | "owner"> & { idempotencyKey: string; day: number },
): { id: string; key: string } {
  const derive = (part: string) =>
    createHmac("sha256", keyPepper)
      .update(["indelible/issued-key/v1", part, kind, owner, idempotencyKey, day].join("\0"))
      .digest();
  const id = `ind_${kind}${newKeyName(derive("name"))}`;
  return { id, key: keyText(keyPepper, id, derive("secret")) };
}

function requireRoot(caller: Caller): Result<null> {
  if (caller.kind === "trusted" && caller.orgs === "all") return ok(null);
  return refuse("forbidden", "Only the root key makes, lists and revokes keys of the platform.");
}

function sealKeyAct(
  config: Config,
  { action, id, metadata }: { action: Act["action"]; id: string; metadata: Record<string, unknown> },
): Promise<Result<number>> {
  const actor = { type: "key", id: "root" };
  const act: Act = { action, category: "config_change", actor, key: "root", targets: [{ type: "key", id }], metadata };
  return callLedger(config, PLATFORM_ORG, async (ledger) => await ledger.recordAct(PLATFORM_ORG, act));
}

/** What may be told of a key; never its hash. */
function toPlatformKey(row: Omit<KeyRow, "org" | "hash">): PlatformKey {
  const { id, name, scopes, orgs, created_at, revoked_at } = row;
  const time = (at: number) => new Date(at).toISOString();
  const revoked = revoked_at === null ? null : time(revoked_at);
  return { id, name, scopes, orgs, created_at: time(created_at), revoked_at: revoked };
}

import { equal } from "../equal.ts";
import type { Config } from "../env.ts";
import { ok, refuse, type Result, TOKEN_EXPIRED, UNAUTHORIZED } from "../errors.ts";
import {
  PLATFORM_KEY_CACHE_MAX_COUNT,
  PLATFORM_KEY_FRESH_MS,
  PLATFORM_KEY_STALE_MS,
  VIEWER_TOKEN_MAX_CHARACTERS,
} from "../limits.ts";
import { log } from "../log.ts";
import { type Caller, type Minter, nameOf, SCOPES, type Scope, type Trusted } from "../schema/caller.ts";
import type { ViewerClaims } from "../schema/viewer-token.ts";
import { CorruptKey, readKey } from "../store/key.ts";
import { keyHash, parseKey } from "./key.ts";
import { parseViewerToken } from "./viewer-token.ts";

const BEARER = new RegExp(`^Bearer ([!-~]{1,${VIEWER_TOKEN_MAX_CHARACTERS}})$`, "i");
const ROOT = { kind: "trusted", name: "root", scopes: SCOPES, orgs: "all" } as const;

/** What is shown to us and for what; `expired` is told who shows a token that has expired. */
type Shown = { authorization: string | null; now: number; scope: Scope; expired?: (former: Caller) => void };

type Verdict = { caller: Trusted | null; hash: string; at: number };

/** Verdicts on platform keys of this isolate, oldest first. */
const verdicts = new Map<string, Verdict>();

/**
 * Who calls. Junk is refused with no store touched; an org key is only recognised here and checked by its ledger; a
 * platform key is looked up in the directory and remembered for a minute. While the directory is down an old verdict
 * (up to an hour) holds for `events:append` alone. A viewer token is as good as the key that minted it.
 */
export async function authenticate(
  config: Config,
  { authorization, now, scope, expired = () => {} }: Shown,
): Promise<Result<Caller>> {
  const token = BEARER.exec(authorization ?? "")?.[1];
  if (token === undefined) return UNAUTHORIZED;
  const hash = keyHash(token);
  if (equal(hash, rootHashOf(config))) return ok(ROOT);
  const viewer = parseViewerToken(config, token);
  if (viewer !== null) return viewerCaller(config, { ...viewer, now, scope, expired });
  const key = parseKey(config.keyPepper, token);
  if (key === null) return UNAUTHORIZED;
  if (key.kind === "org") return ok({ kind: "org_key", id: key.id, hash });
  return platformCaller(config, { id: key.id, hash, now, scope });
}

const rootHashes = new WeakMap<Config, string>();

function rootHashOf(config: Config): string {
  const known = rootHashes.get(config);
  if (known !== undefined) return known;
  const hash = keyHash(config.rootKey);
  rootHashes.set(config, hash);
  return hash;
}

/** Makes this isolate ask the directory again; called by who revokes. */
export function forgetPlatformKey(id: string): void {
  verdicts.delete(id);
}

/** Who reads with a token, or a link: checked here as far as its minter is; the ledger does the rest. */
export async function viewerCaller(
  config: Config,
  {
    id,
    claims,
    now,
    scope,
    expired,
  }: { id: string; claims: Omit<ViewerClaims, "v"> } & Required<Omit<Shown, "authorization">>,
): Promise<Result<Caller>> {
  const { org, actor, scopes, restriction, expires_at } = claims;
  const minter = await minterOf(config, { claims, now, scope });
  if (!minter.ok) return minter;
  const viewer = { token: id, actor };
  const caller = { kind: "viewer", org, viewer, minter: minter.value, scopes, restriction, expires_at } as const;
  if (now < expires_at) return ok(caller);
  expired(caller);
  return TOKEN_EXPIRED;
}

async function minterOf(
  config: Config,
  { claims, now, scope }: { claims: Omit<ViewerClaims, "v">; now: number; scope: Scope },
): Promise<Result<Minter>> {
  const { org, scopes, minter } = claims;
  const { kind, key } = minter;
  if (kind === "root") return ok(ROOT);
  if (kind === "org") return ok({ kind: "org_key", id: key });
  // What a binding may do stands in the calling Worker's configuration, where nobody can look it up.
  if (kind === "binding") return ok({ kind: "trusted", name: key, scopes, orgs: [org] });
  const verdict = await verdictOn(config, { id: key, now, scope });
  if (!verdict.ok) return verdict;
  return verdict.value.caller === null ? UNAUTHORIZED : ok(verdict.value.caller);
}

async function platformCaller(
  config: Config,
  { hash, ...asked }: { id: string; hash: string; now: number; scope: Scope },
): Promise<Result<Caller>> {
  const verdict = await verdictOn(config, asked);
  if (!verdict.ok) return verdict;
  const { caller, hash: known } = verdict.value;
  return caller === null || !equal(known, hash) ? UNAUTHORIZED : ok(caller);
}

/** Whether the directory still knows a platform key that was checked before; every other caller its ledger checks. */
export async function stillHolds(config: Config, caller: Caller, now: number): Promise<Result<null>> {
  if (caller.kind !== "trusted" || !PLATFORM_KEY_PATTERN.test(caller.name)) return ok(null);
  const verdict = await verdictOn(config, { id: caller.name, now, scope: "events:read" });
  if (!verdict.ok) return verdict;
  return verdict.value.caller === null ? UNAUTHORIZED : ok(null);
}

/** How a token or a link finds its minter again: the root key, a key by its id, or a binding, of which only the name is known. */
export function minterClaim(caller: Caller): ViewerClaims["minter"] {
  const key = nameOf(caller);
  if (caller.kind !== "trusted") return { kind: "org", key };
  if (caller.orgs === "all") return { kind: "root", key };
  return { kind: PLATFORM_KEY_PATTERN.test(key) ? "platform" : "binding", key };
}

const PLATFORM_KEY_PATTERN = /^ind_p[a-z2-7]{12}$/;

/** What is known of a platform key, or said of it by the directory. */
async function verdictOn(
  config: Config,
  { id, now, scope }: { id: string; now: number; scope: Scope },
): Promise<Result<Verdict>> {
  const known = verdicts.get(id);
  if (known !== undefined && now - known.at < PLATFORM_KEY_FRESH_MS) return ok(known);
  try {
    const row = await readKey(config.directory, id);
    const live = row !== null && row.org === null && row.revoked_at === null;
    const caller: Trusted | null = live
      ? { kind: "trusted", name: id, scopes: row.scopes, orgs: row.orgs ?? "*" }
      : null;
    const verdict = { caller, hash: row?.hash ?? "", at: now };
    verdicts.delete(id);
    verdicts.set(id, verdict);
    if (verdicts.size > PLATFORM_KEY_CACHE_MAX_COUNT) verdicts.delete(verdicts.keys().next().value as string);
    return ok(verdict);
  } catch (error) {
    if (error instanceof CorruptKey) {
      log("error", { message: "a key of the directory is corrupt", error: String(error) });
      verdicts.delete(id);
      return UNAUTHORIZED;
    }
    // The directory is down: an append may rest on what we knew, nothing else may.
    if (known !== undefined && scope === "events:append" && now - known.at < PLATFORM_KEY_STALE_MS) {
      return ok(known);
    }
    return refuse("overloaded", "Keys of the platform cannot be checked right now.", { retry_after_s: 5 });
  }
}

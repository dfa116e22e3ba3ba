import { equal } from "../equal.ts";
import type { Config } from "../env.ts";
import { ok, refuse, type Result, UNAUTHORIZED } from "../errors.ts";
import { PLATFORM_KEY_CACHE_MAX_COUNT, PLATFORM_KEY_FRESH_MS, PLATFORM_KEY_STALE_MS } from "../limits.ts";
import { log } from "../log.ts";
import { type Caller, SCOPES, type Scope } from "../schema/caller.ts";
import { CorruptKey, readKey } from "../store/key.ts";
import { keyHash, parseKey } from "./key.ts";

type Verdict = { caller: Caller | null; hash: string; at: number };

/** Verdicts on platform keys of this isolate, oldest first. */
const verdicts = new Map<string, Verdict>();

/**
 * Who calls. Junk is refused with no store touched; an org key is only recognised here and checked by its ledger; a
 * platform key is looked up in the directory and remembered for a minute. While the directory is down an old verdict
 * (up to an hour) holds for `events:append` alone.
 */
export async function authenticate(
  config: Config,
  { authorization, now, scope }: { authorization: string | null; now: number; scope: Scope },
): Promise<Result<Caller>> {
  const token = /^Bearer ([!-~]{1,200})$/i.exec(authorization ?? "")?.[1];
  if (token === undefined) return UNAUTHORIZED;
  const hash = keyHash(token);
  if (equal(hash, rootHashOf(config))) return ok({ kind: "trusted", name: "root", scopes: SCOPES, orgs: "all" });
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

async function platformCaller(
  config: Config,
  { id, hash, now, scope }: { id: string; hash: string; now: number; scope: Scope },
): Promise<Result<Caller>> {
  const known = verdicts.get(id);
  if (known !== undefined && now - known.at < PLATFORM_KEY_FRESH_MS) return answer(known, hash);
  try {
    const row = await readKey(config.directory, id);
    const live = row !== null && row.org === null && row.revoked_at === null;
    const caller: Caller | null = live
      ? { kind: "trusted", name: id, scopes: row.scopes, orgs: row.orgs ?? "*" }
      : null;
    const verdict = { caller, hash: row?.hash ?? "", at: now };
    verdicts.delete(id);
    verdicts.set(id, verdict);
    if (verdicts.size > PLATFORM_KEY_CACHE_MAX_COUNT) verdicts.delete(verdicts.keys().next().value as string);
    return answer(verdict, hash);
  } catch (error) {
    if (error instanceof CorruptKey) {
      log("error", { message: "a key of the directory is corrupt", error: String(error) });
      verdicts.delete(id);
      return UNAUTHORIZED;
    }
    // The directory is down: an append may rest on what we knew, nothing else may.
    if (known !== undefined && scope === "events:append" && now - known.at < PLATFORM_KEY_STALE_MS) {
      return answer(known, hash);
    }
    return refuse("overloaded", "Keys of the platform cannot be checked right now.", { retry_after_s: 5 });
  }
}

function answer(verdict: Verdict, hash: string): Result<Caller> {
  if (verdict.caller === null || !equal(verdict.hash, hash)) return UNAUTHORIZED;
  return ok(verdict.caller);
}

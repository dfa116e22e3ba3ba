import { minterClaim } from "../auth/authenticate.ts";
import { viewerTokenText } from "../auth/viewer-token.ts";
import type { Config } from "../env.ts";
import { assert, ok, type RateLimit, refuse, type Result } from "../errors.ts";
import { newKeyName } from "../ids.ts";
import { callLedger } from "../ledger/client.ts";
import { BINDING_TOKEN_MAX_SECONDS, VIEWER_TOKEN_MAX_CHARACTERS } from "../limits.ts";
import type { Caller } from "../schema/caller.ts";
import type { NewViewerToken, ViewerToken } from "../schema/viewer-token.ts";

/** `limited` is told how much more the caller may ask. */
type Wanted = { caller: Caller; wanted: NewViewerToken; now: number; limited?: (limits: RateLimit[]) => void };

/**
 * Mints a token with which one person reads an org's entries. That it was minted, by whom, for whom and for how long is
 * sealed before it is answered; the token itself is kept nowhere, and dies with the key that minted it.
 */
export async function mintViewerToken(
  config: Config,
  org: string,
  { caller, wanted, now, limited }: Wanted,
): Promise<Result<ViewerToken>> {
  const { actor, scopes, expires_in_s, restriction = null } = wanted;
  const minter = minterClaim(caller);
  if (minter.kind === "binding" && expires_in_s > BINDING_TOKEN_MAX_SECONDS) {
    const message = `may be at most ${BINDING_TOKEN_MAX_SECONDS} through a binding`;
    const errors = [{ pointer: "/expires_in_s", message }];
    return refuse("invalid_request", `/expires_in_s: ${message}.`, { errors });
  }
  const id = `ind_v${newKeyName()}`;
  const expires_at = now + expires_in_s * 1000;
  const token = { token: id, actor, scopes, restriction, expires_at };
  const text = viewerTokenText(config, id, { v: 1, org, minter, actor, scopes, restriction, expires_at });
  assert(text.length <= VIEWER_TOKEN_MAX_CHARACTERS, "a token that is minted can be sent");
  const issued = await callLedger(config, org, async (ledger) => await ledger.issueViewerToken(org, caller, token));
  if (!issued.ok) return issued;
  limited?.(issued.value);
  return ok({ id, token: text, expires_at: new Date(expires_at).toISOString(), restriction });
}

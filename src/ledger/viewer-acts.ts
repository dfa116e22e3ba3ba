import { ok, refuse, type Result } from "../errors.ts";
import type { Act } from "../schema/act.ts";
import type { Caller } from "../schema/caller.ts";
import { KEY_ACTOR } from "../schema/caller.ts";
import type { NewViewerToken } from "../schema/ledger.ts";
import { TOKEN_ISSUED_ACTION } from "../schema/names.ts";
import type { Draft } from "./draft.ts";
import type { OrgKeys } from "./keys.ts";
import { sealAct } from "./service-entry.ts";

type Context = { org: string; keys: OrgKeys; caller: Caller; draft: Draft; now: number };

/**
 * Seals that a viewer token was minted. Whoever may read may mint one: it shows no more than its key does, for an hour at
 * most, and says who looks. A token mints none, else it would never end.
 */
export function planIssueViewerToken({ org, keys, caller, draft, now }: Context, token: NewViewerToken): Result<null> {
  const principal = keys.check(org, caller, "events:read");
  if (!principal.ok) return principal;
  const { key, viewer, scopes } = principal.value;
  if (viewer !== null) return refuse("forbidden", "A viewer token mints no other: send a key.");
  const beyond = token.scopes.filter((scope) => !scopes.includes(scope));
  if (beyond.length > 0) return refuse("forbidden", `A key cannot give what it lacks: ${beyond.join(", ")}.`);
  sealAct(draft, issuedAct(key, token), now);
  return ok(null);
}

/** Ids of people and things lie in sections of their own, so that each can be found and erased. */
function issuedAct(key: string, { token, actor, scopes, restriction, expires_at }: NewViewerToken): Act {
  const target = restriction?.target;
  return {
    action: TOKEN_ISSUED_ACTION,
    category: "log_access",
    actor: { type: KEY_ACTOR, id: key },
    key,
    targets: [
      { type: "viewer_token", id: token },
      { ...actor, role: "viewer" },
      ...(target === undefined ? [] : [{ ...target, role: "restricted_to" }]),
    ],
    metadata: {
      scopes,
      expires_at: new Date(expires_at).toISOString(),
      restriction: restriction === null ? null : { ...restriction, ...(target && { target: { type: target.type } }) },
    },
  };
}

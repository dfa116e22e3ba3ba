import type { Scope } from "../schema/caller.ts";
import type { ReadGrant } from "../schema/ledger.ts";
import type { State } from "./state.ts";

/** What a reader is told of an org, once it may read. */
export function grantOf(state: State, { key, scopes }: { key: string; scopes: readonly Scope[] }): ReadGrant {
  const { org, head, projected, placements, tree } = state;
  const at = new Date(tree.publishedAt).toISOString();
  return {
    key,
    personal: scopes.includes("personal:read"),
    log: org.log,
    size: head.size,
    head: head.prev,
    head_at: new Date(head.sequencedAt).toISOString(),
    visible: projected ?? 0,
    checkpoint: tree.root === null ? null : { size: tree.size, root: tree.root, at },
    created_at: new Date(org.createdAt).toISOString(),
    placements,
    access_log: org.settings.access_log,
  };
}

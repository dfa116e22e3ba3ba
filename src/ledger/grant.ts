import { base64 } from "../chain/encoding.ts";
import { parseCheckpoint } from "../chain/note/checkpoint.ts";
import { noteText } from "../chain/note/note.ts";
import { LOG_MAX_ENTRIES } from "../limits.ts";
import type { LogGrant, ReadGrant } from "../schema/ledger.ts";
import { coldBefore } from "./cold.ts";
import { type EarlierLog, predecessorOf } from "./earlier.ts";
import type { Principal } from "./keys.ts";
import type { State } from "./state.ts";

type Admitted = Principal & Pick<ReadGrant, "limits">;

/** What a reader is told of an org, once it may read. */
export function grantOf(state: State, { key, scopes, viewer, restriction, limits }: Admitted): ReadGrant {
  const { org, head, projected, placements, tree, earlier } = state;
  const number = earlier.length + 1;
  return {
    key,
    viewer,
    personal: scopes.includes("personal:read"),
    number,
    log: org.log,
    predecessor: predecessorOf(earlier),
    size: head.size,
    head: head.prev,
    head_at: timeOf(head.sequencedAt),
    // What is cold is read from R2, whatever D1 holds.
    visible: Math.max(projected ?? 0, coldBefore(state, number)),
    cold_before: coldBefore(state, number),
    checkpoint: tree.root === null ? null : { size: tree.size, root: tree.root, at: timeOf(tree.publishedAt) },
    created_at: timeOf(earlier.at(-1)?.ended_at ?? org.createdAt),
    placements,
    quarantined: quarantinedIn(state, number),
    restriction,
    access_log: org.settings.access_log,
    require_reason: org.settings.require_reason,
    cors_origins: org.settings.cors_origins,
    limits,
    earlier: earlier.map((log) => earlierGrant(state, log)).toReversed(),
  };
}

function quarantinedIn({ standing }: State, number: number): LogGrant["quarantined"] {
  const here = standing.filter(({ log }) => log === number);
  return here.map(({ id, from, to }) => ({ id, from, to: to ?? LOG_MAX_ENTRIES }));
}

function earlierGrant(
  state: State,
  { number, log, predecessor, size, held, tree, placements, begun_at, ended_at }: EarlierLog,
): LogGrant {
  const checkpoint = tree.note === null ? null : parseCheckpoint(noteText(tree.note));
  return {
    number,
    log,
    predecessor,
    size: held.size,
    head: held.head,
    head_at: timeOf(ended_at),
    visible: size,
    cold_before: coldBefore(state, number),
    checkpoint: checkpoint === null ? null : { size: tree.size, root: base64(checkpoint.root), at: timeOf(ended_at) },
    created_at: timeOf(begun_at),
    placements,
    quarantined: quarantinedIn(state, number),
  };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

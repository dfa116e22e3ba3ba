import { predecessorText } from "../chain/continuation.ts";
import type { LedgerPlacement } from "../schema/ledger.ts";
import { sha256 } from "../sha256.ts";

/**
 * A log that the org's newest one continues. Nothing is added to it any more. `held` is where the ledger's own storage ended,
 * which vouches for every entry below; `size` is what the stores were known to hold, and `tree` the last checkpoint anybody was given (`note`
 * null: none), with its top where that could be had. Times in ms.
 */
export type EarlierLog = {
  number: number;
  log: string;
  size: number;
  held: { size: number; head: string };
  tree: { size: number; note: string | null; top: TreeTop | null };
  placements: LedgerPlacement[];
  /** P of its genesis: the text of the last checkpoint of the log before it, or nothing. */
  predecessor: string;
  begun_at: number;
  ended_at: number;
};

/** What R2 does not hold of a tree: its edge as in `Tree`, and the leaf texts under the level-0 tile that is not full. */
export type TreeTop = { edge: Uint8Array; leaves: string[] };

type Row = { state: string; edge: ArrayBuffer | null; leaves: string };

/** The logs before the newest, oldest first. */
export function loadEarlier(sql: SqlStorage): EarlierLog[] {
  const rows = sql.exec<Row>("select state, edge, leaves from earlier_log order by number").toArray();
  return rows.map(({ state, edge, leaves }) => {
    const { tree, ...rest } = JSON.parse(state) as EarlierLog;
    const top = edge === null ? null : { edge: new Uint8Array(edge), leaves: JSON.parse(leaves) as string[] };
    return { ...rest, tree: { ...tree, top } };
  });
}

/** Enters an earlier log, or what is known of it by now. */
export function saveEarlier(sql: SqlStorage, earlier: EarlierLog): void {
  const { top, ...tree } = earlier.tree;
  sql.exec(
    "insert or replace into earlier_log (number, state, edge, leaves) values (?, ?, ?, ?)",
    earlier.number,
    JSON.stringify({ ...earlier, tree }),
    top?.edge ?? null,
    JSON.stringify(top?.leaves ?? []),
  );
}

/** P of the genesis of the log that comes after these: the text of the last one's last checkpoint; nothing for the first log. */
export function predecessorOf(earlier: readonly EarlierLog[]): string {
  const last = earlier.at(-1);
  return last === undefined ? "" : lastText(last);
}

/** The text of a log's last checkpoint; of a log that never had one, that of the empty tree. */
export function lastText({ log: origin, tree }: Pick<EarlierLog, "log" | "tree">): string {
  return predecessorText(sha256, { origin, note: tree.note });
}

/** Where the newest log's entries begin among the positions of receipts, which count through all logs of an org. */
export function baseOf(earlier: readonly EarlierLog[]): number {
  return earlier.reduce((sum, { held }) => sum + held.size, 0);
}

/** The index a receipt's position stands for, and the log, unless it is the newest. */
export function placeOf(earlier: readonly EarlierLog[], position: number): { index: number; log?: string } {
  let base = 0;
  for (const { log, held } of earlier) {
    if (position < base + held.size) return { index: position - base, log };
    base += held.size;
  }
  return { index: position - base };
}

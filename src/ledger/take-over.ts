import type { Segment } from "../archive/segment.ts";
import { STAGED_ROW_MAX_BYTES } from "../limits.ts";
import { continueChain, type Following } from "./continue-chain.ts";
import type { Core } from "./core.ts";
import { baseOf } from "./earlier.ts";
import { stagedLines } from "./lines.ts";
import { replay } from "./replay.ts";
import { extendMark, type Source } from "./restore-mark.ts";
import { type Head, loadState } from "./state.ts";
import { transact } from "./transact.ts";

/**
 * Record lines `first…` as a store holds them; `segment` when they are all of one. `vouched` says whether the head after them
 * is known to be the log's: that they continue it says nothing, for anybody who has read it could.
 */
export type Run = {
  store: Source["store"];
  first: number;
  lines: readonly string[];
  segment: Segment | null;
  vouched: (head: Head) => boolean;
};

/**
 * Makes the part of a run that lies beyond the head the ledger's own, if it continues the chain exactly and is vouched for: entries and all they
 * did to other tables, in one transaction. Answers null, or why nothing was taken. No await from reading the head on.
 */
export function takeOver(core: Core, run: Run): string | null {
  const { state, storage } = core;
  const { size } = state.head;
  const { store, first, lines, segment, vouched } = run;
  if (first > size) return inNoStore(size, first - 1);
  const differs = differsFrom(core, run, leafOf);
  if (differs !== null) return `entry ${differs} in ${store} is another one than the ledger's own`;
  const continued = continueChain(state.org.log, state.head, lines.slice(size - first));
  if (!continued.ok) return `entry ${continued.misfit.index} in ${store}: ${continued.misfit.why}`;
  const { entries, head } = continued;
  if (!vouched(head)) return unvouched({ store, from: size, to: head.size - 1 });
  // Below the head only leaves are vouched for: staged rows, whose sections may be nowhere else, go for the same lines alone.
  const holdsStaged = differsFrom(core, run, (line) => line) === null;
  transact(core, () => {
    if (segment !== null && first === state.archived && holdsStaged) record(storage.sql, segment, head);
    else stage(storage.sql, entries);
    const { keys } = replay(storage.sql, entries, baseOf(state.earlier));
    const source = { store, from: size, to: head.size - 1 };
    if (entries.length > 0) extendMark(storage.sql, size, { source, keys });
  });
  Object.assign(state, loadState(storage.sql), { projected: state.projected });
  return null;
}

/** What is said of entries that have to be somewhere and are not. */
export function inNoStore(from: number, to: number): string {
  return from === to ? `entry ${from} is in no store` : `entries ${from} to ${to} are in no store`;
}

/** What is said of entries whose end the ledger left no word for. */
export function unvouched({ store, from, to }: Source): string {
  return `entries ${from} to ${to} in ${store} are not vouched for under LOG_SIGNING_KEY: others wrote them, or it was changed`;
}

/** The first entry the ledger has staged of which the run holds another `part`. Sections may be gone on one side; the leaf says which entry it is. */
function differsFrom({ storage, state }: Core, { first, lines }: Run, part: (line: string) => unknown): number | null {
  for (let index = Math.max(first, state.archived); index < state.head.size; ) {
    const own = stagedLines(storage.sql, index, state.head.size - index);
    for (const line of own) {
      const other = lines[index - first];
      if (other !== undefined && other !== line && part(other) !== part(line)) return index;
      index++;
    }
    if (own.length === 0 || index - first >= lines.length) break;
  }
  return null;
}

function leafOf(line: string): unknown {
  return (JSON.parse(line) as { leaf: unknown }).leaf;
}

/** A segment that reaches the head or past it holds all that is staged, so the rows go: from here on it ends at the head. */
function record(sql: SqlStorage, segment: Segment, head: Head): void {
  sql.exec(
    "insert into segment (first, last, name, head, sequenced_at) values (?, ?, ?, ?, ?)",
    segment.first,
    segment.last,
    segment.name,
    head.prev,
    head.sequencedAt,
  );
  sql.exec("delete from staged");
}

function stage(sql: SqlStorage, entries: readonly Following[]): void {
  let row: { from: number; bytes: number } = { from: 0, bytes: 0 };
  entries.forEach(({ line }, n) => {
    const bytes = Buffer.byteLength(line) + 1;
    if (row.bytes > 0 && row.bytes + bytes > STAGED_ROW_MAX_BYTES) {
      insertStaged(sql, entries.slice(row.from, n), row.bytes);
      row = { from: n, bytes: 0 };
    }
    row.bytes += bytes;
  });
  insertStaged(sql, entries.slice(row.from), row.bytes);
}

function insertStaged(sql: SqlStorage, entries: readonly Following[], bytes: number): void {
  const [first, last] = [entries[0], entries.at(-1)];
  if (first === undefined || last === undefined) return;
  sql.exec(
    "insert into staged (first, count, bytes, head, sequenced_at, lines) values (?, ?, ?, ?, ?, ?)",
    first.index,
    entries.length,
    bytes,
    last.hash,
    Date.parse(last.leaf.sequenced_at),
    entries.map(({ line }) => line).join("\n"),
  );
}

import { assert } from "../errors.ts";
import { D1_PARAMETER_MAX_BYTES } from "../limits.ts";
import { count } from "../meter.ts";
import { type Seen, seenStatement } from "./action-seen.ts";
import { type Counter, counterStatement } from "./counter.ts";
import { keyOf } from "./placement.ts";
import { assertSlot } from "./slot.ts";

/**
/**
 * A sealed entry as it goes into a cell: its record line, its search tokens, the slot of its month, what it counts as and
 * shows (null: that is there already). Without a slot it is counted alone: it is cold, and has no row here.
 */
export type ProjectableEntry = {
  line: string;
  terms: string;
  slot: string | null;
  counter: Counter | null;
  seen: Seen | null;
};

/** `stale`: somebody projected these entries before, or others are due first; `fence` is the next index due. */
export type Projection =
  | { kind: "projected"; rows_written: number; size_bytes: number }
  | { kind: "stale"; fence: number };

/**
 * Projects the entries at `from`, `from + 1`, … in one transaction: all of them are visible when it returns `projected`, and
 * none was written when it returns `stale`. Any other failure is thrown, and after it either may be true: call again.
 * `headMac` is the ledger's word for the log up to `to`, kept with the fence. A range that is another log's than `log` takes nothing, throws and is counted.
 * Writes two rows an entry, one for the fence, one for each distinct counter and one for each action first seen that day.
 */
export async function projectEntries(
  cell: D1Database,
  {
    log,
    orgNumber,
    from,
    entries,
    headMac,
  }: { log: string; orgNumber: number; from: number; entries: readonly ProjectableEntry[]; headMac: string },
): Promise<Projection> {
  assert(entries.length > 0, "a projection has entries");
  const to = from + entries.length;
  keyOf(orgNumber, to - 1);
  const counters = await counterStatement(
    cell,
    orgNumber,
    entries.flatMap((entry) => entry.counter ?? []),
  );
  const seen = await seenStatement(
    cell,
    orgNumber,
    entries.flatMap((entry) => entry.seen ?? []),
  );
  const statements = [fenceStatement(cell, { log, orgNumber, from, to, headMac }), counters, seen];
  for (const { slot, low, high } of runsOf(entries)) {
    if (slot === null) continue;
    assertSlot(slot);
    const run = { cell, entries, low, high, key: keyOf(orgNumber, from) };
    statements.push(...fillStatements(run, `insert into entry_${slot} (key, record)`, LINES));
    statements.push(...fillStatements(run, `insert into term_${slot} (rowid, x)`, TERMS));
  }
  try {
    return projected(await cell.batch(statements));
  } catch (error) {
    if (!isFenceViolation(error)) throw error;
    const range = await cell
      .prepare("select log, next from cursor where org_number = ?1")
      .bind(orgNumber)
      .first<{ log: string; next: number }>();
    if (range === null) throw error;
    if (range.log === log) return { kind: "stale", fence: range.next };
    count("audit_cross_org_refusals_total", { at: "projection" });
    throw new Error(`org number ${orgNumber} is that of ${range.log}, not of ${log}`);
  }
}

type Move = { log: string; orgNumber: number; from: number; to: number; headMac: string };

/**
 * The first statement of the batch, and the only one with a condition: on a stale or replayed batch `next` becomes null,
 * the column refuses that, and everything is rolled back. Written as an insert so that a missing row, and one of another
 * log, is refused as well (by `log`, which is null then): an update would do nothing and let the rest pass.
 */
function fenceStatement(cell: D1Database, { log, orgNumber, from, to, headMac }: Move) {
  return cell
    .prepare(
      `insert into cursor (org_number, log, next)
       values (?1, (select log from cursor where org_number = ?1 and log = ?4), ?2)
       on conflict (org_number) do update set next = iif(cursor.next = ?2, ?3, null), head_mac = ?5`,
    )
    .bind(orgNumber, from, to, log, headMac);
}

function isFenceViolation(error: unknown): boolean {
  return error instanceof Error && /NOT NULL constraint failed: cursor\.(next|log)/.test(error.message);
}

/** Entries next to each other that lie in one slot: two runs when a month ended among them. */
function runsOf(entries: readonly ProjectableEntry[]): { slot: string | null; low: number; high: number }[] {
  const runs: { slot: string | null; low: number; high: number }[] = [];
  for (const [position, { slot }] of entries.entries()) {
    const run = runs.at(-1);
    if (run?.slot === slot) run.high = position + 1;
    else runs.push({ slot, low: position, high: position + 1 });
  }
  return runs;
}

/** How a column's values become elements of a JSON array, without being serialised anew, and how large one is. */
type Column = {
  open: string;
  separator: string;
  close: string;
  textOf: (entry: ProjectableEntry) => string;
  bytesOf: (text: string) => number;
};
/** A record line is the text of a JSON object already. */
const LINES: Column = {
  open: "[",
  separator: ",",
  close: "]",
  textOf: (entry) => entry.line,
  bytesOf: (text) => Buffer.byteLength(text),
};
/** Tokens hold nothing a JSON string escapes: letters, digits and spaces. */
const TERMS: Column = {
  open: '["',
  separator: '","',
  close: '"]',
  textOf: (entry) => entry.terms,
  bytesOf: (text) => text.length,
};

type Run = { cell: D1Database; entries: readonly ProjectableEntry[]; low: number; high: number; key: number };

/** One JSON parameter a column, split where it would be too large: 46 µs an entry, 104 with one for both columns. */
function fillStatements({ cell, entries, low, high, key }: Run, insert: string, column: Column): D1PreparedStatement[] {
  const statements: D1PreparedStatement[] = [];
  let texts: string[] = [];
  let bytes = 0;
  const flush = (next: number) => {
    const array = column.open + texts.join(column.separator) + column.close;
    statements.push(
      cell
        .prepare(`${insert} select cast(?1 as integer) + key, value from json_each(?2)`)
        .bind(key + next - texts.length, array),
    );
    texts = [];
    bytes = 0;
  };
  for (let position = low; position < high; position++) {
    const text = column.textOf(entries[position] as ProjectableEntry);
    const size = column.bytesOf(text) + column.separator.length;
    if (texts.length > 0 && bytes + size > D1_PARAMETER_MAX_BYTES) flush(position);
    texts.push(text);
    bytes += size;
  }
  flush(high);
  return statements;
}

function projected(results: D1Result[]): Projection {
  let rows = 0;
  for (const result of results) rows += result.meta.rows_written;
  return { kind: "projected", rows_written: rows, size_bytes: results.at(-1)?.meta.size_after ?? 0 };
}

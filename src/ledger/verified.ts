import { VERIFIED_MAX_RANGES } from "../limits.ts";
import type { MissingRange, VerifiedRange, VerifyRun, Window } from "../schema/reads.ts";
import type { Switches } from "./closed.ts";

type Row = {
  log: number;
  first: number;
  past: number;
  prev: string | null;
  ok: number;
  breaks: number;
  found: string | null;
  key: string;
  at: number;
};

/**
 * Puts a finished run on record; answers whether it counts. It does when it began after reads were closed (or they are
 * open), and rested on the ledger's head or, by the hash it was given, on a range on record right above it: whoever reads
 * could make up a hash that a forged log agrees with. The newest run over an entry has the last word of it.
 */
export function recordRun(sql: SqlStorage, run: VerifyRun, { switches, now }: { switches: Switches; now: number }) {
  if (run.from >= run.to || !begunSince(run, switches)) return false;
  const above = rowsOf(sql, run.log).find(({ first }) => first === run.to);
  if (run.rests_on !== "head" && (above === undefined || above.prev !== run.rests_on.expect)) return false;
  const ok = run.ok && (run.rests_on === "head" || above?.ok === 1);
  for (const row of rowsOf(sql, run.log)) cut(sql, row, run);
  const { log, from: first, to: past, prev, breaks, breaks_sha256: found, by: key } = run;
  save(sql, { log, first, past, prev, ok: ok ? 1 : 0, breaks, found, key, at: now });
  if (ok) merge(sql, run);
  drop(sql);
  return true;
}

/** Forgets all that was verified: what comes next has to be verified after it. */
export function clearVerified(sql: SqlStorage): void {
  sql.exec("delete from verified");
}

/** What is on record within windows, in the order of logs and indexes. */
export function verifiedIn(sql: SqlStorage, windows: readonly Window[]): VerifiedRange[] {
  return windows.flatMap(({ log, from, to }) =>
    rowsOf(sql, log)
      .filter(({ first, past }) => first < to && past > from)
      .map(({ first, past, ok, breaks, found, key, at }) => {
        const range = { log, from: first, to: past, ok: ok === 1, breaks, breaks_sha256: found };
        return { ...range, by: key, at: new Date(at).toISOString() };
      }),
  );
}

/** What is not on record within windows, and the request that goes on verifying it from above. */
export function missingIn(
  sql: SqlStorage,
  windows: readonly Window[],
  { org, newest }: { org: string; newest: number },
): MissingRange[] {
  return windows.flatMap(({ log, from, to }) => {
    const rows = rowsOf(sql, log);
    const missing: MissingRange[] = [];
    let high = to;
    for (const row of [...rows.toReversed(), null]) {
      if (row !== null && row.first >= high) continue;
      const low = Math.max(row?.past ?? from, from);
      if (low < high)
        missing.push({ log, from: low, to: high, request: request({ org, log, newest, low, high }, rows) });
      high = Math.min(high, row?.first ?? from);
      if (high <= from) break;
    }
    return missing;
  });
}

function request(
  { org, log, newest, low, high }: { org: string; log: number; newest: number; low: number; high: number },
  rows: readonly Row[],
): string {
  const path = `/v1/orgs/${org}/${log === newest ? "" : `${log}/`}verify?from=${low}`;
  const above = rows.find(({ first }) => first === high);
  if (above === undefined) return `GET ${path}`;
  return `GET ${path}&to=${high}${above.prev === null ? "" : `&expect=${above.prev}`}`;
}

function begunSince({ begun }: VerifyRun, switches: Switches): boolean {
  return [switches.org, switches.deployment].every((closed) => {
    if (closed === null) return true;
    const { log, index } = closed.entry;
    return begun.log > log || (begun.log === log && begun.size > index);
  });
}

function rowsOf(sql: SqlStorage, log: number): Row[] {
  return sql.exec<Row>("select * from verified where log = ? order by first", log).toArray();
}

function save(sql: SqlStorage, { log, first, past, prev, ok, breaks, found, key, at }: Row): void {
  sql.exec(
    "insert into verified (log, first, past, prev, ok, breaks, found, key, at) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    ...[log, first, past, prev, ok, breaks, found, key, at],
  );
}

/** Leaves of a row what lies outside a newer run. Where in it its breaks were is not kept, so both parts have them. */
function cut(sql: SqlStorage, row: Row, { from, to, rests_on }: VerifyRun): void {
  if (row.first >= to || row.past <= from) return;
  sql.exec("delete from verified where log = ? and first = ?", row.log, row.first);
  if (row.first < from) save(sql, { ...row, past: from });
  if (row.past > to) save(sql, { ...row, first: to, prev: rests_on === "head" ? null : rests_on.expect });
}

/** Joins whole ranges that touch the one that was just entered. */
function merge(sql: SqlStorage, { log, from, to }: Window): void {
  const rows = rowsOf(sql, log).filter(({ first, past, ok }) => ok === 1 && past >= from && first <= to);
  const [lowest, highest] = [rows[0], rows.at(-1)];
  const entered = rows.find(({ first }) => first === from);
  if (lowest === undefined || highest === undefined || entered === undefined || rows.length === 1) return;
  for (const { first } of rows) sql.exec("delete from verified where log = ? and first = ?", log, first);
  save(sql, { ...entered, first: lowest.first, prev: lowest.prev, past: highest.past });
}

/** Of too many ranges the smallest go: scattered reads cannot push out a walk through the log. */
function drop(sql: SqlStorage): void {
  sql.exec(
    `delete from verified where (log, first) in
       (select log, first from verified order by past - first desc, at desc limit -1 offset ?)`,
    VERIFIED_MAX_RANGES,
  );
}

import { type ListedSegment, LostSegment, readSegment, type Segment, segmentsOver } from "../archive/segment.ts";
import { type AbsenceList, isListed } from "../chain/absence-list.ts";
import { openSealed } from "../chain/open-sealed.ts";
import type { Absence, EntryRecord } from "../chain/record.ts";
import { log as say } from "../log.ts";
import { unsaidOf } from "../schema/keep.ts";
import { continueChain } from "./continue-chain.ts";
import type { Core } from "./core.ts";
import { baseOf } from "./earlier.ts";
import { forgetWords } from "./forget-words.ts";
import { linesFrom } from "./lines.ts";
import { hideIdsAt } from "./receipts.ts";
import { absenceListOf, removedRuns } from "./removed-runs.ts";
import { rewriteStaged } from "./staged.ts";
import { loadState } from "./state.ts";
import { transact } from "./transact.ts";

type NamedRow = { first: number; last: number; name: string; head: string };

/**
 * Lets go, in a ledger whose storage was rewound, of what had gone since: segments it names that are gone are those R2 has of the same entries, and
 * staged rows lose what their segments lost. Before anything is archived: it would be in R2 again. `beyond`: what R2 holds of entries the ledger names no segment of.
 * It looks where the removals it knows of name something: those that were not over at the moment it was set back to, and, rolled forward, those begun since.
 */
export async function retakeRemoved(core: Core, beyond: readonly ListedSegment[]): Promise<void> {
  for (const run of await removedRuns(core)) await renameLost(core, run);
  const { sql } = core.storage;
  for (const segment of beyond.toSorted((a, b) => a.uploaded - b.uploaded)) {
    const range = [segment.last, segment.first];
    const staged = sql.exec("select 1 from staged where first <= ? and first + count > ? limit 1", ...range).toArray();
    if (staged.length > 0) await redactAs(core, segment);
  }
  Object.assign(core.state, loadState(sql), { projected: core.state.projected });
}

/** Each segment of a run that is gone is looked for under another name: the one whose entries are the same chain. */
async function renameLost(core: Core, { from, to }: { from: number; to: number }): Promise<void> {
  const { state, storage, config } = core;
  const { log } = state.org;
  const rows = storage.sql
    .exec<NamedRow>(
      `select first, last, name, head from segment
       where first >= coalesce((select max(first) from segment where first <= ?1), 0) and first < ?2 and last >= ?1
       order by first`,
      from,
      to,
    )
    .toArray();
  const held = await segmentsOver(config.archive, log, { from, to });
  const names = new Set(held.map(({ name }) => name));
  for (const row of rows.filter(({ name }) => !names.has(name))) {
    const same = held.filter(({ first, last }) => first === row.first && last === row.last);
    const newest = same.toSorted((a, b) => b.uploaded - a.uploaded)[0];
    if (newest === undefined) continue;
    const lines = await linesOf(core, newest);
    if (lines === null) continue;
    const prev = (JSON.parse((JSON.parse(lines[0] ?? "{}") as EntryRecord).leaf) as { prev: string }).prev;
    const run = continueChain(log, { size: row.first, prev, sequencedAt: 0 }, lines);
    if (!run.ok || run.head.prev !== row.head) {
      say("error", { message: "a segment is gone, and what lies in its place is not its entries", name: row.name });
      continue;
    }
    transact(core, () => {
      storage.sql.exec("update segment set name = ? where first = ?", newest.name, row.first);
      rewriteStaged(storage.sql, row, (index, line) => lines[index - row.first] ?? line);
      forgetNotes(core, new Map(lines.map((line, n) => [row.first + n, line])));
    });
  }
}

/** What a segment holds; null of one that is gone or damaged, which says nothing of what its entries lost. */
async function linesOf({ config }: Core, segment: Segment): Promise<string[] | null> {
  try {
    return await readSegment(config.archive, segment);
  } catch (error) {
    if (!(error instanceof LostSegment)) throw error;
    say("error", { message: "a segment cannot be read", name: segment.name, error: String(error) });
    return null;
  }
}

/** Staged rows that no segment of the ledger holds lose what R2 lacks of them, if the log itself says that it went. */
async function redactAs(core: Core, segment: ListedSegment): Promise<void> {
  const lines = await linesOf(core, segment);
  if (lines === null) return;
  const lists = new Map<number, Promise<AbsenceList | null>>();
  const excused = new Map<number, string>();
  for (const [n, line] of lines.entries()) {
    const { absent = [] } = JSON.parse(line) as EntryRecord;
    const index = segment.first + n;
    const told = await Promise.all(absent.map((absence) => isTold(core, lists, { index, absence })));
    if (absent.length > 0 && told.every(Boolean)) excused.set(index, line);
  }
  if (excused.size === 0) return;
  transact(core, () => {
    rewriteStaged(core.storage.sql, segment, (index, line) => {
      const other = excused.get(index);
      return other !== undefined && lessOf(line, other) ? other : line;
    });
    forgetNotes(core, excused);
  });
}

/** What went with a note goes from where the ledger itself has it: an id from its receipt, words from lists. */
function forgetNotes({ storage: { sql }, state }: Core, lines: ReadonlyMap<number, string>): void {
  const gone = [...lines].flatMap(([index, line]) => {
    const note = (JSON.parse(line) as EntryRecord).absent?.find(({ section }) => section === "note");
    return note === undefined ? [] : [{ index, line, cause: note.cause }];
  });
  if (gone.length === 0) return;
  const base = baseOf(state.earlier);
  hideIdsAt(
    sql,
    gone.map(({ index }) => base + index),
  );
  const acts = gone.map(({ line, ...at }) => unsaidOf(openSealed(line), at)).filter((act) => act !== null);
  forgetWords(sql, { log: state.earlier.length + 1, acts });
}

/** Whether a line is of the same entry as another and holds nothing that the other does not. */
function lessOf(whole: string, less: string): boolean {
  const [one, other] = [whole, less].map((line) => JSON.parse(line) as EntryRecord) as [EntryRecord, EntryRecord];
  const same = (name: string) => JSON.stringify(one.sections[name]) === JSON.stringify(other.sections[name]);
  return one.leaf === other.leaf && Object.keys(other.sections).every(same);
}

/** Whether the cause of an absence stands in the log, and its list names the section. */
async function isTold(
  core: Core,
  lists: Map<number, Promise<AbsenceList | null>>,
  { index, absence: { section, by, log } }: { index: number; absence: Absence },
): Promise<boolean> {
  if (by === undefined || log !== undefined || by >= core.state.head.size) return false;
  const reading = lists.get(by) ?? listOf(core, by);
  lists.set(by, reading);
  const list = await reading;
  return list !== null && isListed(list, { index, section });
}

const CAUSES = ["indelible.erasure.begun", "indelible.retention.run"];

/** The list an entry commits to as a cause; null when it is none, or R2 does not have its list. */
async function listOf(core: Core, by: number): Promise<AbsenceList | null> {
  const [line] = (await linesFrom(core, by, 1))?.lines ?? [];
  const { leaf, event, metadata } = openSealed(line ?? "");
  if (leaf.source !== "service" || !CAUSES.includes(event?.action ?? "")) return null;
  const { list } = JSON.parse(metadata ?? "{}") as { list?: { sha256?: string; log?: number } };
  return list?.sha256 === undefined || list.log !== undefined ? null : absenceListOf(core, list.sha256);
}

import { inclusionOf } from "../archive/prove.ts";
import { TreeTiles } from "../archive/tree-tiles.ts";
import { base64url } from "../chain/encoding.ts";
import type { Config } from "../env.ts";
import { callLedger } from "../ledger/client.ts";
import { LOG_MAX_ENTRIES, STRAY_MAX_BYTES } from "../limits.ts";
import { serviceReader } from "../schema/caller.ts";
import type { LogGrant } from "../schema/ledger.ts";
import { readEntries } from "../store/list-entries.ts";
import { type Archived, readArchive } from "./read-archive.ts";
import { byIndex, cellOf, judgeRange } from "./judge-range.ts";
import { judgeRows, type Right, type RowFault } from "./judge-rows.ts";
import { ledgerLines } from "./ledger-lines.ts";
import { treeOf } from "./tree-view.ts";
import { vouchedLines } from "./vouched-lines.ts";

/**
 * Something that does not lie in a store as it was sealed. `misrouted`: it says itself that it is another log's. `place` is
 * a slot of a cell, a key of R2, `staged` in the ledger. Nothing of what was found is in it.
 */
export type StoreFault = {
  at: "d1" | "r2" | "ledger";
  kind: RowFault["kind"] | "damaged";
  index: number;
  place: string;
};

type Range = { log: LogGrant; newest: boolean; from: number; to: number };

/**
 * Compares entries `[from, to)` of one of an org's logs in all three stores, and looks at what lies in its rows of D1 where
 * none belongs. `to` is the log's size or under its checkpoint, which vouch for the last entry; each entry vouches for the
 * one before it. Throws when a store does not answer: what is away is late, not wrong.
 */
export async function compareStores(config: Config, org: string, range: Range): Promise<StoreFault[]> {
  const { log, from, to } = range;
  const archive = await readArchive(config.archive, log.log, {
    from,
    to: Math.min(to, range.newest ? await archivedSize(config, org) : log.size),
  });
  const faults = [...archive.faults, ...(await strayRows(config, log))];
  const lines = await linesOf(config, org, range, archive);
  if (lines === null) return faults;
  const vouched = vouchedLines(log, { first: from, lines, expect: await anchorOf(config, org, range) });
  if (!vouched.ok) {
    const kind = vouched.foreign ? "misrouted" : "damaged";
    const whose = range.newest
      ? ({ at: "ledger", place: "lines" } as const)
      : ({ at: "r2", place: "segment" } as const);
    return [...faults, { ...whose, kind, index: vouched.index }];
  }
  for (const [index, line] of archive.lines) {
    const right = vouched.value[index - from] as Right;
    if (line !== right.line) faults.push({ at: "r2", kind: "damaged", index, place: "segment" });
  }
  for await (const { placement, verdict } of judgeRange(config, log, { first: from, rights: vouched.value })) {
    for (const fault of verdict.faults) faults.push(inD1(placement.cell, fault));
  }
  return faults;
}

/** The ledger's own lines, or of a log it does not hold any more those of R2; null when R2 lacks some. */
async function linesOf(config: Config, org: string, { newest, from, to }: Range, archive: Archived) {
  if (!newest) {
    return archive.lines.size < to - from ? null : [...archive.lines].sort(([a], [b]) => a - b).map(([, line]) => line);
  }
  try {
    return await ledgerLines(config, org, { first: from, high: to });
  } catch (error) {
    if (archive.faults.length > 0) return null;
    throw error;
  }
}

/** The entry hash of index `to - 1`: the head, or what the published tree has there. */
async function anchorOf(config: Config, org: string, { log, to }: Range): Promise<string> {
  if (to === log.size) return log.head;
  const tree = await treeOf(config, { org, caller: serviceReader(org), number: log.number });
  if (!tree.ok) throw new Error(tree.refusal.detail);
  const { size } = tree.value;
  const { leafHash } = await inclusionOf(new TreeTiles(config.archive, tree.value), {
    index: to - 1,
    size,
    stored: size,
  });
  return base64url(leafHash);
}

/** Rows under the log's number where no entry of it lies: past the head, outside a placement. */
async function strayRows(config: Config, log: LogGrant): Promise<StoreFault[]> {
  const faults: StoreFault[] = [];
  for (const [n, placement] of log.placements.entries()) {
    const end = log.placements[n + 1]?.first_index ?? log.size;
    const outside = [
      { low: end, high: LOG_MAX_ENTRIES },
      { low: 0, high: placement.first_index },
    ];
    for (const range of outside.filter(({ low, high }) => low < high)) {
      const wanted = { placement, ...range, limit_bytes: STRAY_MAX_BYTES };
      for (const [index, rows] of byIndex(await readEntries(cellOf(config, placement), wanted))) {
        const verdict = judgeRows({ log: log.log, index, right: null, due: false }, rows, []);
        faults.push(...verdict.faults.map((fault) => inD1(placement.cell, fault)));
      }
    }
  }
  return faults;
}

function inD1(cell: string, { kind, index, slot }: RowFault): StoreFault {
  return { at: "d1", kind, index, place: slot === null ? cell : `${cell} entry_${slot}` };
}

async function archivedSize(config: Config, org: string): Promise<number> {
  const status = await callLedger(config, org, async (ledger) => await ledger.status(org));
  if (!status.ok) throw new Error(status.refusal.detail);
  return status.value.archived;
}

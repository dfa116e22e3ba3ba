import { createHash } from "node:crypto";
import { base64url } from "../../src/chain/encoding.ts";
import { genesisPrev } from "../../src/chain/genesis.ts";
import type { EntryRecord, SectionText } from "../../src/chain/record.ts";
import { type SealedEntry, sealEntry } from "../../src/chain/seal.ts";
import { createWalk, type Report, type StoredRow, type WalkRange } from "../../src/chain/verify.ts";

export const LOG = "audit.example.com/v1/orgs/acme";
export const OTHER_LOG = "audit.example.com/v1/orgs/initech";
export const HASH = "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg";

export function sha256(bytes: Uint8Array): Uint8Array {
  return createHash("sha256").update(bytes).digest();
}

export type TestEvent = {
  action?: string;
  category?: string;
  source?: "client" | "service";
  sections?: SectionText[];
  keep_until?: string;
};

export type TestLog = { log: string; genesis: Uint8Array; sealed: SealedEntry[]; rows: StoredRow[] };

/** A log of these events: every text, salt and time follows from log and index. */
export function makeLog(
  events: TestEvent[],
  { log = LOG, seed = "", predecessor = "" }: { log?: string; seed?: string; predecessor?: string } = {},
): TestLog {
  const genesis = genesisPrev(sha256, { origin: log, predecessor });
  const sealed: SealedEntry[] = [];
  let prev = base64url(genesis);
  events.forEach((event, index) => {
    const entry = sealEvent(event, { log, index, prev, seed });
    sealed.push(entry);
    prev = entry.prev;
  });
  return { log, genesis, sealed, rows: sealed.map(({ line }, index) => ({ index, line })) };
}

export function sealEvent(
  event: TestEvent,
  { log = LOG, index, prev, seed = "" }: { log?: string; index: number; prev: string; seed?: string },
): SealedEntry {
  const sections = [{ name: "event", text: eventText(event) }, ...(event.sections ?? defaultSections(index))];
  return sealEntry(sha256, {
    log,
    index,
    prev,
    category: event.category ?? "general",
    keep_until: event.keep_until ?? "2027-11-21",
    sequenced_at: new Date(Date.UTC(2026, 10, 21, 18, 0, index)).toISOString(),
    source: event.source ?? "client",
    sections,
    salts: saltsFor(`${seed}${log} ${index}`, sections.length),
  });
}

export function saltsFor(seed: string, sections: number): Uint8Array {
  const salts = new Uint8Array(16 * sections);
  for (let n = 0; n < sections; n++)
    salts.set(sha256(new TextEncoder().encode(`${seed} ${n}`)).subarray(0, 16), 16 * n);
  return salts;
}

export function eventText({ action = "document.share", category }: TestEvent): string {
  return JSON.stringify({
    action,
    category,
    actor: { type: "user" },
    targets: [{ type: "document" }],
    received_at: "2026-11-21T17:59:59.000Z",
    delivery: "direct",
    key: "key_1",
    batch: "bat_1",
    position: 0,
  });
}

function defaultSections(index: number): SectionText[] {
  return [
    { name: "note", text: JSON.stringify({ id: `inv-${index}` }) },
    { name: "actor", text: JSON.stringify({ id: `u_${index % 3}` }) },
    { name: "actor/detail", text: '{"name":"Jané 🦊","metadata":{"n":9007199254740993}}' },
    { name: "target/0", text: JSON.stringify({ id: `d_${index}` }) },
    { name: "metadata", text: `{"amount":1.10,"n":${index}}` },
  ];
}

export function record({ line }: { line: string }): EntryRecord {
  return JSON.parse(line) as EntryRecord;
}

/** The row with its record changed in place. */
export function edited(row: StoredRow, edit: (record: EntryRecord) => void): StoredRow {
  const value = record(row);
  edit(value);
  return { ...row, line: JSON.stringify(value) };
}

/** Walks the rows of a log against its true head. */
export function walk(log: TestLog, rows: readonly StoredRow[], range: Partial<WalkRange> = {}): Report {
  const size = range.size ?? log.sealed.length;
  const started = createWalk(sha256, {
    log: log.log,
    genesis: log.genesis,
    size,
    from: 0,
    trusted: log.sealed[size - 1]?.prev ?? null,
    maxBreaks: 1_000,
    ...range,
  });
  for (const row of rows.toSorted((a, b) => b.index - a.index)) started.row(row);
  return started.report();
}

/** Kind, place and section of each break, in one line a break. */
export function blames(report: Report): string[] {
  return report.breaks
    .map(({ kind, index, section, found_at }) =>
      [
        kind,
        index,
        ...(section === undefined ? [] : [section]),
        ...(found_at === undefined ? [] : [`at ${found_at}`]),
      ].join(" "),
    )
    .sort();
}

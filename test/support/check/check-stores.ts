import { createHash } from "node:crypto";
import { env } from "cloudflare:workers";
import { openEntry, parseRecord } from "../../../src/chain/open.ts";
import { seenOf } from "../../../src/store/action-seen.ts";
import { counterOf } from "../../../src/store/counter.ts";
import { termKeyOf, termsOf } from "../../../src/store/terms.ts";
import { type CheckedEntry, must } from "./check-entry.ts";
import { type LedgerRows, type PlacementRow, readCell } from "./read-stores.ts";

const HASH_BYTES = 32;

/** The lines of a log, from segments and staged rows, which must agree wherever they overlap. */
export function linesOf(ledger: LedgerRows, objects: ReadonlyMap<string, string | null>): string[] {
  const lines: string[] = [];
  const put = (first: number, found: readonly string[], where: string) => {
    must(first <= lines.length, `${where}: entries before ${first} are nowhere`);
    found.forEach((line, n) => {
      must((lines[first + n] ?? line) === line, `${where}: another entry ${first + n}`);
      lines[first + n] = line;
    });
  };
  let next = 0;
  for (const { first, last, name } of ledger.segments) {
    must(first === next, `segment ${first} does not follow ${next - 1}`);
    const found = segmentLines(name, objects.get(name) ?? null);
    must(found.length === last - first + 1, `segment ${first}: ${found.length} lines`);
    put(first, found, `segment ${first}`);
    next = last + 1;
  }
  for (const { first, count, bytes, lines: text } of ledger.staged) {
    const found = text.split("\n");
    must(found.length === count && Buffer.byteLength(text) + 1 === bytes, `staged row ${first}: its count or bytes`);
    must(bytes <= 1_500_000, `staged row ${first}: ${bytes} bytes`);
    put(first, found, `staged row ${first}`);
  }
  // What R2 holds beside the ledger's own segments (stored, and reported as failed) has to say the same.
  for (const [name, text] of objects) put(Number(/\/(\d{10})-/.exec(name)?.[1]), segmentLines(name, text), name);
  return lines;
}

function segmentLines(name: string, text: string | null): string[] {
  must(text !== null, `${name} is not in R2, or no gzip`);
  const sha256 = createHash("sha256").update(text).digest("hex");
  must(name.endsWith(`-${sha256}.ndjson.gz`), `${name} holds other bytes`);
  return text.slice(0, -1).split("\n");
}

/** The head is in the newest staged row, else in the newest segment; rows name the hash and time of their last entry. */
export function checkHeads({ staged, segments }: LedgerRows, entries: readonly CheckedEntry[]): void {
  const ends = [...staged.map((row) => ({ ...row, last: row.first + row.count - 1 })), ...segments];
  for (const { first, last, head, sequenced_at } of ends) {
    must(entries[last]?.hash === head, `row ${first}: head is not the hash of entry ${last}`);
    must(Date.parse(entries[last].sequencedAt) === sequenced_at, `row ${first}: sequenced_at of entry ${last}`);
  }
}

/** Every id and every entry of a client has its receipt, exactly one, and each receipt its entry. */
export function checkReceipts(ledger: LedgerRows, entries: readonly CheckedEntry[]): void {
  const { sessions, earlier } = ledger;
  // Positions count through all logs of an org; those of earlier logs are not this log's to check.
  const base = earlier.reduce((sum, { held }) => sum + held.size, 0);
  const ids = ledger.ids.filter(({ position }) => position >= base);
  const batches = ledger.batches.filter(({ first, count }) => count > 0 && first >= base);
  const text = (bytes: ArrayBuffer, at = 0) => Buffer.from(bytes, at * HASH_BYTES, HASH_BYTES).toString("base64url");
  for (const { id, position, sequenced_at, hash } of ids) {
    const entry = entries[position - base];
    const known = entry?.id === id || (entry?.id === null && entry.gone.includes("note"));
    must(known && entry.source === "client", `the receipt of ${id} names entry ${position}`);
    must(text(hash) === entry.hash, `the receipt of ${id}: its hash`);
    must(Date.parse(entry.sequencedAt) === sequenced_at, `the receipt of ${id}: its time`);
  }
  const covered = new Set<number>();
  for (const { batch, first, count, hashes, sequenced_at } of batches) {
    must(hashes.byteLength === count * HASH_BYTES, `the receipt of batch ${batch}: its hashes`);
    for (let n = 0; n < count; n++) {
      const entry = entries[first - base + n];
      const known = entry?.batch === batch || (entry?.batch === null && entry.gone.includes("event"));
      must(known && entry.hash === text(hashes, n), `batch ${batch}: entry ${first + n}`);
      must(Date.parse(entry.sequencedAt) === sequenced_at, `batch ${batch}: the time of entry ${first + n}`);
      covered.add(first - base + n);
    }
  }
  const seen = new Set<string>();
  const withReceipt = new Set(ids.map(({ id }) => id));
  for (const { index, id, source, sections, gone } of entries) {
    must(id === null || !seen.has(id), `id ${id} stands in two entries`);
    if (id !== null) seen.add(id);
    must((source === "client") === covered.has(index), `entry ${index}: one batch receipt for each client's entry`);
    const sent = "note" in sections && (JSON.parse(sections["note"].text) as { id?: string }).id !== undefined;
    const one = gone.includes("note") || sent === (id !== null && withReceipt.has(id));
    must(one, `entry ${index}: one receipt for each client's id`);
  }
  for (const { opened_index } of sessions) {
    must(entries[opened_index]?.action === "indelible.read", `a read session names entry ${opened_index}`);
  }
}

/** Each placement's cell holds exactly its range of entries, once, with their tokens and counters, and nothing else. */
export async function checkCells(
  org: string,
  { placements, earlier, cold, org: { log } }: LedgerRows,
  { entries, projected }: { entries: readonly CheckedEntry[]; projected: number },
): Promise<void> {
  const copies = env.DIRECTORY.prepare(
    "select first_index, log, cell, org_number from placement where org = ?1 and log = ?2",
  );
  const { results } = await copies.bind(org, log).all<PlacementRow>();
  results.sort((a, b) => a.first_index - b.first_index);
  must(JSON.stringify(results) === JSON.stringify(placements), "the directory has other placements");
  for (const [n, placement] of placements.entries()) {
    const until = Math.min(placements[n + 1]?.first_index ?? projected, projected);
    const held = entries.slice(placement.first_index, until);
    const before = cold.find((one) => one.log === earlier.length + 1)?.before ?? 0;
    await checkCell(org, { ...placement, log }, { held, before });
  }
}

/** Of what is cold, below `before`, only counts have to be there; rows may, until their slot is dropped. */
async function checkCell(
  org: string,
  placement: PlacementRow,
  { held, before }: { held: readonly CheckedEntry[]; before: number },
): Promise<void> {
  const { cell, org_number, first_index, log } = placement;
  const database = (env as unknown as Record<string, D1Database>)[cell];
  must(database !== undefined, `${cell} is bound`);
  const numbered = await database.prepare("select org_number from org_number where log = ?1").bind(log).all();
  must(JSON.stringify(numbered.results) === JSON.stringify([{ org_number }]), `${cell}: the number of ${log}`);
  const content = await readCell(database, org_number);
  must(content.fence === first_index + held.length, `${cell}: the fence is ${content.fence}`);
  const key = termKeyOf(env.INDEX_KEY, org);
  const expected = { rows: [] as unknown[], tokens: [] as unknown[], counters: {} as Record<string, number> };
  const seen: Record<string, string[]> = {};
  for (const { index, line, sequencedAt } of held) {
    const at = new Date(sequencedAt);
    const slot = String((at.getUTCFullYear() * 12 + at.getUTCMonth()) % 16).padStart(2, "0");
    const record = parseRecord(line);
    const opened = record === null ? null : openEntry((bytes) => createHash("sha256").update(bytes).digest(), record);
    must(opened?.ok === true, `entry ${index} opens`);
    if (index >= before) {
      expected.rows.push({ slot, index, record: line });
      expected.tokens.push({ slot, index, size: new Set(termsOf(key, opened.entry).split(" ")).size });
    }
    const { day, category, action, target_types, result } = counterOf(opened.entry);
    const counter = JSON.stringify([day, category, action, target_types, result]);
    expected.counters[counter] = (expected.counters[counter] ?? 0) + 1;
    const { version } = seenOf(opened.entry);
    const pair = JSON.stringify([action, version]);
    // Times of sequencing never go back.
    seen[pair] = [seen[pair]?.[0] ?? day, day];
  }
  // Of a day of which something has expired nobody can tell any more how it counted.
  const lost = new Set(
    held.filter(({ gone }) => gone.includes("event")).map(({ sequencedAt }) => sequencedAt.slice(0, 10)),
  );
  const isLost = (counter: string) => lost.has(String((JSON.parse(counter) as unknown[])[0]));
  const counted = (counters: Record<string, number>) =>
    sorted(Object.fromEntries(Object.entries(counters).filter(([counter]) => !isLost(counter))));
  const byIndex = (a: { index: number }, b: { index: number }) => a.index - b.index;
  const hot = ({ index }: { index: number }) => index >= before;
  must(same(content.rows.filter(hot).sort(byIndex), expected.rows), `${cell}: other entry rows than those sealed`);
  must(same(content.tokens.filter(hot).sort(byIndex), expected.tokens), `${cell}: other rows in the search index`);
  must(same(counted(content.counters), counted(expected.counters)), `${cell}: other counters`);
  must(lost.size > 0 || same(sorted(content.seen), sorted(seen)), `${cell}: other actions seen`);
}

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
const sorted = <T>(named: Record<string, T>) => Object.entries(named).sort(([a], [b]) => (a < b ? -1 : 1));

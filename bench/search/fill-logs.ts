/** Seals and projects many entries straight into cells' files. Run as `node fill-logs.ts '<Filling as JSON>'`. */
import { openSealed } from "../../src/chain/open-sealed.ts";
import { SALT_BYTES } from "../../src/chain/digest.ts";
import { sealEntry } from "../../src/chain/seal.ts";
import { eventSection } from "../../src/ledger/event-section.ts";
import { headMac } from "../../src/ledger/head-mac.ts";
import type { Config } from "../../src/env.ts";
import { PROJECT_MAX_ENTRIES } from "../../src/limits.ts";
import { takeRandom } from "../../src/random.ts";
import type { Batch, CutEvent } from "../../src/schema/ledger.ts";
import { keepUntil, NO_POLICY } from "../../src/schema/policy.ts";
import { sha256 } from "../../src/sha256.ts";
import { openRange, type ProjectableEntry, projectEntries } from "../../src/store/cell.ts";
import { seenOf } from "../../src/store/action-seen.ts";
import { counterOf } from "../../src/store/counter.ts";
import { monthOf, slotOf } from "../../src/store/slot.ts";
import { termKeyOf, termsOf } from "../../src/store/terms.ts";
import { bodiesOf, eventTexts } from "../events.ts";
import { SECRETS } from "../service/start.ts";
import { cutsOf } from "../stages/request.ts";
import { SqliteCell } from "./sqlite-cell.ts";

/** Entries `[first, first + count)` of a log, into the file of one cell; `prev` as in the first part's leaf. */
export type LogPart = { cell: string; first: number; count: number };
export type LogFilling = { org: string; log: string; prev: string; parts: LogPart[] };
export type Filling = { cells: Record<string, string>; logs: LogFilling[]; fromMs: number; toMs: number };

/** What became of a log: its head, and where its parts lie. */
type FilledPart = { first_index: number; cell: string; org_number: number };
export type Filled = { org: string; size: number; prev: string; sequencedAt: number; placements: FilledPart[] };

/** Events that come again and again, each time sealed anew: with parsing them a fill would take twice as long. */
const POOL_EVENTS = 50_000;

const config = { logSigningKey: Buffer.from(SECRETS.LOG_SIGNING_KEY, "base64") } as unknown as Config;

const filling = JSON.parse(process.argv[2] ?? "{}") as Filling;
const cells = new Map(Object.entries(filling.cells).map(([name, path]) => [name, new SqliteCell(path)]));
const pool = poolOf(filling);
for (const log of filling.logs) process.stdout.write(`${JSON.stringify(await fillLog(log))}\n`);
for (const cell of cells.values()) cell.close();

async function fillLog({ org, log, prev, parts }: LogFilling): Promise<Filled> {
  const termKey = termKeyOf(SECRETS.INDEX_KEY, org);
  const last = parts.at(-1) as LogPart;
  const size = last.first + last.count;
  const placements: FilledPart[] = [];
  let head = prev;
  let sequencedAt = filling.fromMs;
  for (const { cell: name, first, count } of parts) {
    const cell = (cells.get(name) as SqliteCell).asD1();
    const orgNumber = await openRange(cell, { log, first_index: first });
    placements.push({ first_index: first, cell: name, org_number: orgNumber });
    for (let from = first; from < first + count; from += PROJECT_MAX_ENTRIES) {
      const entries: ProjectableEntry[] = [];
      sequencedAt = Math.floor(filling.fromMs + (from / size) * (filling.toMs - filling.fromMs));
      for (let index = from; index < Math.min(from + PROJECT_MAX_ENTRIES, first + count); index++) {
        const sealed = sealOne({ log, index, prev: head, sequencedAt });
        head = sealed.prev;
        const entry = openSealed(sealed.line);
        const slot = slotOf(monthOf(entry.leaf.sequenced_at));
        entries.push({
          line: sealed.line,
          terms: termsOf(termKey, entry),
          slot,
          counter: counterOf(entry),
          seen: seenOf(entry),
        });
      }
      const mac = headMac(config, log, { size: from + entries.length, prev: head });
      const done = await projectEntries(cell, { log, orgNumber, from, entries, headMac: mac });
      if (done.kind === "stale") throw new Error(`${name} holds entries of ${log} already`);
      process.stdout.write(`${entries.length}\n`);
    }
  }
  return { org, size, prev: head, sequencedAt, placements };
}

function sealOne({ log, index, prev, sequencedAt }: { log: string; index: number; prev: string; sequencedAt: number }) {
  const cut = pool[(index * 7_919) % pool.length] as CutEvent;
  const at = new Date(sequencedAt).toISOString();
  const id = `evt_${index.toString(32)}`;
  const batch: Batch = {
    batch: `bat_${index}`,
    received_at: at,
    delivery: "direct",
    position: 0,
    part_of: null,
    events: [],
  };
  const { category, text } = eventSection(cut, { batch, key: "bench", position: 0, id, ruled: null });
  const sections = [{ name: "event", text }, ...cut.sections];
  return sealEntry(sha256, {
    log,
    index,
    prev,
    category,
    keep_until: keepUntil({ sequencedAt, decided: category, sent: cut.category, source: "client", policy: NO_POLICY }),
    sequenced_at: at,
    source: "client",
    sections,
    salts: takeRandom(sections.length * SALT_BYTES),
  });
}

/** The events of other sections, but for when they happened: that is when they are received. */
function poolOf({ toMs }: Filling): CutEvent[] {
  const texts = eventTexts("search", POOL_EVENTS, { endMs: toMs }).map((text) => {
    const { occurred_at: _, ...event } = JSON.parse(text) as Record<string, unknown>;
    return JSON.stringify(event);
  });
  return bodiesOf(texts, 500).flatMap(cutsOf);
}

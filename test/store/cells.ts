import { env } from "cloudflare:workers";
import { createHash } from "node:crypto";
import { openEntry, type OpenedEntry, parseRecord } from "../../src/chain/open.ts";
import type { SectionText } from "../../src/chain/record.ts";
import { sealEntry } from "../../src/chain/seal.ts";
import { openRange, type ProjectableEntry, projectEntries } from "../../src/store/cell.ts";
import { seenOf } from "../../src/store/action-seen.ts";
import { counterOf } from "../../src/store/counter.ts";
import { monthOf, slotOf } from "../../src/store/slot.ts";
import { type TermKey, termKeyOf, termsOf } from "../../src/store/terms.ts";

/** What a ledger would say of its log; D1 only keeps it. */
export const headMac = "x".repeat(43);

const MIGRATIONS = {
  directory: import.meta.glob<string>("../../migrations/directory/*.sql", {
    query: "?raw",
    import: "default",
    eager: true,
  }),
  cell: import.meta.glob<string>("../../migrations/cell/*.sql", { query: "?raw", import: "default", eager: true }),
};

async function migrated(db: D1Database, folder: keyof typeof MIGRATIONS, table: string): Promise<D1Database> {
  const made = await db.prepare("select 1 from sqlite_master where name = ?1").bind(table).first();
  if (made !== null) return db;
  for (const file of Object.keys(MIGRATIONS[folder]).sort()) {
    const statements = (MIGRATIONS[folder][file] ?? "").split("--> statement-breakpoint");
    await db.batch(statements.map((statement) => db.prepare(statement)));
  }
  return db;
}

export const directory = () => migrated(env.DIRECTORY, "directory", "org");
export const cell0 = () => migrated(env.CELL_0, "cell", "cursor");
export const cell1 = () => migrated(env.CELL_1, "cell", "cursor");

/** A name nobody else in this run has. */
let names = 0;
export const freshName = (stem: string) => `${stem}-${Date.now().toString(36)}-${names++}`;

type Party = { type: string; id: string; name?: string; email?: string; metadata?: string };
/** What a test says of an event; free values are source text. */
export type Said = {
  id?: string;
  action: string;
  category?: string;
  version?: number;
  occurred_at?: string;
  sequenced_at?: string;
  result?: string;
  source?: "client" | "service";
  actor?: Party;
  on_behalf_of?: Party;
  targets?: Party[];
  context?: Record<string, string>;
  reason?: string;
  metadata?: string;
};

export type TestEntry = ProjectableEntry & { opened: OpenedEntry; slot: string };

const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash("sha256").update(bytes).digest());
const SEQUENCED_AT = "2026-11-21T18:00:00.000Z";

/** Seals an event as a ledger would, and prepares it for projection. */
export function entryOf(key: TermKey, index: number, said: Said, log = "test.example/v1/orgs/test"): TestEntry {
  const { sequenced_at = SEQUENCED_AT, category = "general" } = said;
  const sections = sectionsOf(said);
  const { line } = sealEntry(sha256, {
    ...{ log, index, prev: "A".repeat(43), category, keep_until: "2033-11-19" },
    ...{ sequenced_at, source: said.source ?? "client", sections },
    salts: crypto.getRandomValues(new Uint8Array(sections.length * 16)),
  });
  const record = parseRecord(line);
  if (record === null) throw new Error("a sealed line is a record");
  const opened = openEntry(sha256, record);
  if (!opened.ok) throw new Error(opened.why);
  const { entry } = opened;
  const slot = slotOf(monthOf(sequenced_at));
  return { line, terms: termsOf(key, entry), slot, counter: counterOf(entry), seen: seenOf(entry), opened: entry };
}

function sectionsOf(said: Said): SectionText[] {
  const { action, category, occurred_at, result, actor = { type: "user", id: "u_1" }, on_behalf_of, targets } = said;
  const event = JSON.stringify({
    ...{ action, category, occurred_at, version: said.version, outcome: result === undefined ? undefined : { result } },
    ...{ actor: { type: actor.type }, on_behalf_of: on_behalf_of && { type: on_behalf_of.type } },
    targets: targets?.map(({ type }) => ({ type })),
    ...{ received_at: said.sequenced_at ?? SEQUENCED_AT, delivery: "direct", key: "root", batch: "bat_1", position: 0 },
  });
  const sections = [{ name: "event", text: event }];
  const add = (name: string, text: string | undefined) => text !== undefined && sections.push({ name, text });
  const addParty = (name: string, party: Party | undefined) => {
    if (party === undefined) return;
    const { type: _, id, metadata, ...texts } = party;
    add(name, JSON.stringify({ id }));
    const members = JSON.stringify(texts).slice(1, -1);
    const detail = [members, metadata === undefined ? "" : `"metadata":${metadata}`].filter((part) => part !== "");
    if (detail.length > 0) add(`${name}/detail`, `{${detail.join(",")}}`);
  };
  if (said.id !== undefined || said.reason !== undefined)
    add("note", JSON.stringify({ id: said.id, reason: said.reason }));
  addParty("actor", actor);
  addParty("on_behalf_of", on_behalf_of);
  for (const [n, target] of (targets ?? []).entries()) addParty(`target/${n}`, target);
  add("context", said.context && JSON.stringify(said.context));
  add("metadata", said.metadata);
  return sections;
}

export type TestLog = { cell: D1Database; org: string; log: string; org_number: number; termKey: TermKey };

/** A log of its own in a cell. */
export async function freshLog(cell?: D1Database): Promise<TestLog> {
  const at = cell ?? (await cell0());
  const org = freshName("org");
  const log = `test.example/v1/orgs/${org}`;
  const org_number = await openRange(at, { log, first_index: 0 });
  return { cell: at, org, log, org_number, termKey: termKeyOf("index key of the tests", org) };
}

/** Projects what is said, from index `from` on, 500 a batch; the entries come back by index. */
export async function project(log: TestLog, said: readonly Said[], from = 0): Promise<TestEntry[]> {
  const entries = said.map((event, n) => entryOf(log.termKey, from + n, event, log.log));
  await projectSealed(log, entries, from);
  return entries;
}

/** Projects entries that are prepared already, from index `from` on. */
export async function projectSealed(log: TestLog, entries: readonly TestEntry[], from = 0): Promise<void> {
  for (let at = 0; at < entries.length; at += 500) {
    const projection = await projectEntries(log.cell, {
      ...{ log: log.log, orgNumber: log.org_number, from: from + at },
      entries: entries.slice(at, at + 500),
      headMac,
    });
    if (projection.kind !== "projected") throw new Error(`stale at ${projection.fence}`);
  }
}

/** Everything a cell holds of an org number. */
export async function contentOf({ cell, org_number }: TestLog): Promise<Record<string, unknown[]>> {
  const content: Record<string, unknown[]> = {};
  const bounds = [org_number * 2 ** 32, (org_number + 1) * 2 ** 32];
  for (let n = 0; n < 16; n++) {
    const slot = String(n).padStart(2, "0");
    const entries = await cell
      .prepare(`select key, record from entry_${slot} where key >= ?1 and key < ?2 order by key`)
      .bind(...bounds)
      .all();
    const terms = await cell
      .prepare(`select id, sz from term_${slot}_docsize where id >= ?1 and id < ?2 order by id`)
      .bind(...bounds)
      .all<{ id: number; sz: number[] }>();
    if (entries.results.length > 0) content[`entry_${slot}`] = entries.results;
    if (terms.results.length > 0) content[`term_${slot}`] = terms.results;
  }
  const rest = ["cursor", "counter", "action_seen"] as const;
  for (const table of rest) {
    content[table] = (
      await cell.prepare(`select * from ${table} where org_number = ?1`).bind(org_number).all()
    ).results;
  }
  return content;
}

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { base64url } from "../../src/chain/encoding.ts";
import { genesisPrev } from "../../src/chain/genesis.ts";
import { entryHash, type Leaf } from "../../src/chain/leaf.ts";
import type { EntryRecord, SectionText } from "../../src/chain/record.ts";
import { sealEntry } from "../../src/chain/seal.ts";
import { sha256 } from "../../src/sha256.ts";
import { emptyRange } from "../../src/store/cell.ts";
import { must } from "./check/check-entry.ts";
import { SLOTS } from "./check/read-stores.ts";
import { statusOf, wake } from "./check-ledger.ts";
import { evict } from "./faults.ts";

/**
 * An entry as its owner wants it: index and link are made anew, and what he leaves as it is stays the same to the last bit.
 * `as` makes another text of the leaf.
 */
export type Forged = { leaf: Leaf; sections: (SectionText & { salt: string })[]; as?: (leaf: string) => string };

const STAGED_ENTRIES = 100;

/** Every record line of a log, oldest first. */
export async function linesOf(org: string): Promise<string[]> {
  const lines: string[] = [];
  for (;;) {
    const found = await env.ORG_LEDGER.getByName(org).linesFrom(org, lines.length, 1_000);
    must(found.ok, "the ledger gives out its lines");
    if (found.value === null) return lines;
    lines.push(...found.value.lines);
  }
}

/**
 * What somebody can do who owns all of an org's stores and the key that signs: the log is sealed anew as `edit` has it,
 * from its first entry on, in the ledger's storage; what D1 and R2 hold goes, and the service itself makes it again.
 */
export async function rewriteLog(org: string, edit: (entries: Forged[]) => Forged[]): Promise<void> {
  const entries = (await linesOf(org)).map((line): Forged => {
    const { leaf, sections } = JSON.parse(line) as EntryRecord;
    const texts = Object.entries(sections).map(([name, section]) => ({ name, ...section }));
    return { leaf: JSON.parse(leaf) as Leaf, sections: texts };
  });
  const { log, placements } = await statusOf(org);
  const sealed = sealAll(log, edit(entries));
  await evict(org);
  for (const folder of ["seg", "tree"]) await emptyR2(`${folder}/${log}/`);
  for (const { cell, org_number, first_index } of placements) {
    const database = (env as unknown as Record<string, D1Database>)[cell] as D1Database;
    while (!(await emptyRange(database, org_number, { first_index })).done);
  }
  await runInDurableObject(env.ORG_LEDGER.getByName(org), (_, { storage }) => {
    storage.transactionSync(() => {
      for (const table of ["staged", "segment", "tree", "cosignature", "batch_receipt", "id_receipt", "read_session"]) {
        storage.sql.exec(`delete from ${table}`);
      }
      for (let first = 0; first < sealed.length; first += STAGED_ENTRIES) stage(storage.sql, { first, sealed });
    });
  });
  await evict(org);
  await wake(org);
}

type Sealed = { line: string; hash: string; sequencedAt: number };

function sealAll(log: string, entries: readonly Forged[]): Sealed[] {
  let prev = base64url(genesisPrev(sha256, { origin: log }));
  return entries.map(({ leaf: wanted, sections, as = (text) => text }, index) => {
    const salts = new Uint8Array(Buffer.concat(sections.map(({ salt }) => Buffer.from(salt, "base64url"))));
    const made = sealEntry(sha256, { ...wanted, log, index, prev, sections, salts });
    const leaf = as(made.leaf);
    const line = JSON.stringify({ ...(JSON.parse(made.line) as EntryRecord), leaf });
    prev = base64url(entryHash(sha256, leaf));
    return { line, hash: prev, sequencedAt: Date.parse(wanted.sequenced_at) };
  });
}

function stage(sql: SqlStorage, { first, sealed }: { first: number; sealed: readonly Sealed[] }): void {
  const some = sealed.slice(first, first + STAGED_ENTRIES);
  const lines = some.map(({ line }) => line).join("\n");
  const newest = some.at(-1) as Sealed;
  sql.exec(
    "insert into staged (first, count, bytes, head, sequenced_at, lines) values (?, ?, ?, ?, ?, ?)",
    ...[first, some.length, Buffer.byteLength(lines), newest.hash, newest.sequencedAt, lines],
  );
}

async function emptyR2(prefix: string): Promise<void> {
  for (;;) {
    const { objects } = await env.ARCHIVE.list({ prefix });
    if (objects.length === 0) return;
    await env.ARCHIVE.delete(objects.map(({ key }) => key));
  }
}

/** Changes the row of an entry in D1. */
export async function changeRow(org: string, index: number, edit: (line: string) => string): Promise<void> {
  const { placements } = await statusOf(org);
  const placed = placements.findLast(({ first_index }) => first_index <= index);
  must(placed !== undefined, "every index has a placement");
  const cell = (env as unknown as Record<string, D1Database>)[placed.cell] as D1Database;
  const key = placed.org_number * 2 ** 32 + index;
  for (const slot of SLOTS) {
    const record = await cell
      .prepare(`select record from entry_${slot} where key = ?1`)
      .bind(key)
      .first<string>("record");
    if (record === null) continue;
    await cell.prepare(`update entry_${slot} set record = ?2 where key = ?1`).bind(key, edit(record)).run();
    return;
  }
  throw new Error(`D1 has no row of entry ${index}`);
}

import { env } from "cloudflare:workers";
import { configOf } from "../../src/env.ts";
import type { Cursor } from "../../src/query/cursor.ts";
import { readPage } from "../../src/query/list-entries.ts";
import { parseListQuery } from "../../src/query/query.ts";
import { knownTermKey } from "../../src/query/term-key.ts";
import type { ReadGrant } from "../../src/schema/ledger.ts";
import { freshLog, project, type Said, type TestEntry, type TestLog } from "../store/cells.ts";

/** A log whose entries were projected straight into D1, and what a reader of all of it is granted. */
export type Granted = { log: TestLog; grant: ReadGrant; entries: TestEntry[] };

export async function projected(said: readonly Said[], times: { first: number; last: number }): Promise<Granted> {
  const fresh = await freshLog();
  const log = { ...fresh, termKey: knownTermKey(configOf(env), fresh.org) };
  const entries = await project(log, said);
  const grant: ReadGrant = {
    ...{ key: "root", personal: true, access_log: "sealed", restriction: null, earlier: [], quarantined: [] },
    ...{ viewer: null, require_reason: false, cors_origins: [], limits: [] },
    ...{ number: 1, log: log.log, predecessor: "", size: said.length, visible: said.length, head: "A".repeat(43) },
    cold_before: 0,
    ...{ created_at: new Date(times.first).toISOString(), head_at: new Date(times.last).toISOString() },
    checkpoint: null,
    placements: [{ log: log.log, first_index: 0, cell: "CELL_0", org_number: log.org_number }],
  };
  return { log, grant, entries };
}

/** The answers of all pages of a walk, as JSON. */
export async function walkPages(
  { org }: { org: string },
  grant: ReadGrant,
  params: URLSearchParams,
): Promise<{ entries: any[]; pages: number }> {
  const query = parseListQuery(params);
  if (!query.ok) throw new Error(query.refusal.detail);
  const entries: any[] = [];
  let cursor: Cursor | null = null;
  for (let pages = 1; ; pages++) {
    const page = await readPage(configOf(env), org, { grant, query: query.value, cursor });
    if (!page.ok) throw new Error(page.refusal.detail);
    const { texts, reached, log } = page.value.answer;
    if (texts.length > query.value.limit) throw new Error(`a page of ${texts.length}`);
    entries.push(...texts.map((text) => JSON.parse(text)));
    if (reached === null) return { entries, pages };
    cursor = { v: 1, org, question: "", log, reached, read: null };
  }
}

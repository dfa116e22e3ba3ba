import { gunzipSync } from "node:zlib";
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";

type StagedRow = {
  first: number;
  count: number;
  bytes: number;
  head: string;
  sequenced_at: number;
  lines: string;
};
type SegmentRow = { first: number; last: number; name: string; head: string; sequenced_at: number };
type BatchRow = { batch: string; first: number; count: number; sequenced_at: number; hashes: ArrayBuffer };
type IdRow = { id: string; position: number; sequenced_at: number; hash: ArrayBuffer };
export type PlacementRow = { first_index: number; log: string; cell: string; org_number: number };
type TreeRow = { size: number; edge: ArrayBuffer; note: string; published_at: number };
/** A log before the newest: how many entries the ledger held of it, and the note of its last checkpoint. */
type EarlierRow = { log: string; held: { size: number }; tree: { note: string | null } };
type SessionRow = { opened_index: number; key: string };

type ColdRow = { log: number; before: number };

export type LedgerRows = {
  org: { org: string; log: string; created_at: number };
  staged: StagedRow[];
  segments: SegmentRow[];
  batches: BatchRow[];
  ids: IdRow[];
  placements: PlacementRow[];
  sessions: SessionRow[];
  tree: TreeRow | null;
  earlier: EarlierRow[];
  cold: ColdRow[];
};

/** Everything a ledger keeps in its own storage, read from its tables and not from its memory. */
export function readLedger(org: string): Promise<LedgerRows> {
  return runInDurableObject(env.ORG_LEDGER.getByName(org), (_, { storage }) => {
    const all = <T>(table: string, order: string) =>
      storage.sql.exec(`select * from ${table} order by ${order}`).toArray() as T[];
    return {
      org: storage.sql.exec("select org, log, created_at from org").one() as LedgerRows["org"],
      staged: all<StagedRow>("staged", "first"),
      segments: all<SegmentRow>("segment", "first"),
      batches: all<BatchRow>("batch_receipt", "first"),
      ids: all<IdRow>("id_receipt", "position"),
      placements: all<PlacementRow>("placement", "first_index"),
      sessions: all<SessionRow>("read_session", "opened_index"),
      tree: all<TreeRow>("tree", "only")[0] ?? null,
      cold: all<ColdRow>("cold", "log"),
      earlier: all<{ state: string }>("earlier_log", "number").map(({ state }) => JSON.parse(state) as EarlierRow),
    };
  });
}

/** The segments of a log in R2, by key, unpacked; null for an object that is no gzip. */
export async function readSegments(log: string): Promise<Map<string, string | null>> {
  const texts = new Map<string, string | null>();
  let cursor: string | undefined;
  do {
    const listed = await env.ARCHIVE.list({ prefix: `seg/${log}/`, ...(cursor === undefined ? {} : { cursor }) });
    for (const { key } of listed.objects) texts.set(key, await unpackedAt(key));
    cursor = listed.truncated ? listed.cursor : undefined;
  } while (cursor !== undefined);
  return texts;
}

/** The text that lies packed under a key. */
export async function unpackedAt(key: string): Promise<string | null> {
  const body = await (await env.ARCHIVE.get(key))?.arrayBuffer();
  try {
    return body === undefined ? null : gunzipSync(body).toString();
  } catch {
    return null;
  }
}

export const SLOTS = Array.from({ length: 16 }, (_, n) => String(n).padStart(2, "0"));

type CellRow = { slot: string; index: number; record: string };
export type CellContent = {
  fence: number | null;
  rows: CellRow[];
  /** Size of each entry's row in the search index: the number of its tokens. */
  tokens: { slot: string; index: number; size: number }[];
  counters: Record<string, number>;
  /** First and last day of each action and version. */
  seen: Record<string, string[]>;
};

/** Everything a cell holds under an org number, in every slot. */
export async function readCell(cell: D1Database, orgNumber: number): Promise<CellContent> {
  const low = orgNumber * 2 ** 32;
  const bounds = [low, low + 2 ** 32];
  const content: CellContent = { fence: null, rows: [], tokens: [], counters: {}, seen: {} };
  const cursor = cell.prepare("select next from cursor where org_number = ?1").bind(orgNumber);
  content.fence = await cursor.first<number>("next");
  for (const slot of SLOTS) {
    const [entries, terms] = await cell.batch<{ key: number; record: string; sz: ArrayLike<number> }>([
      cell.prepare(`select key, record from entry_${slot} where key >= ?1 and key < ?2 order by key`).bind(...bounds),
      cell
        .prepare(`select id as key, sz from term_${slot}_docsize where id >= ?1 and id < ?2 order by id`)
        .bind(...bounds),
    ]);
    for (const { key, record } of entries?.results ?? []) content.rows.push({ slot, index: key - low, record });
    for (const { key, sz } of terms?.results ?? []) content.tokens.push({ slot, index: key - low, size: varint(sz) });
  }
  const counters = cell.prepare("select * from counter where org_number = ?1").bind(orgNumber);
  for (const row of (await counters.all<Record<string, string | number>>()).results) {
    const { day, category, action, target_types, result, count } = row;
    content.counters[JSON.stringify([day, category, action, target_types, result])] = Number(count);
  }
  const seen = cell.prepare("select * from action_seen where org_number = ?1").bind(orgNumber);
  for (const { action, version, first_day, last_day } of (await seen.all<Record<string, string>>()).results) {
    content.seen[JSON.stringify([action, version])] = [first_day ?? "", last_day ?? ""];
  }
  return content;
}

/** SQLite's variable-length integer: seven bits a byte, the highest first. */
function varint(bytes: ArrayLike<number>): number {
  let value = 0;
  for (const byte of Array.from(bytes)) {
    value = value * 128 + (byte & 127);
    if (byte < 128) break;
  }
  return value;
}

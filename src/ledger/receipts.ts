import type { CutEvent, Receipt } from "../schema/ledger.ts";
import { type EarlierLog, placeOf } from "./earlier.ts";
import { hashText } from "./draft.ts";
import { hiddenId, samePrint } from "./print.ts";

const HASH_BYTES = 32;

/** `position` counts through all logs of the org (`placeOf`), as does `first` of a batch. */
export type IdReceipt = { position: number; print: Uint8Array | ArrayBuffer | null; sequencedAt: number; hash: string };
export type BatchReceipt = {
  first: number;
  count: number;
  print: Uint8Array | ArrayBuffer | null;
  sequencedAt: number;
  hashes: Uint8Array;
};

/** Receipts never expire: by them an event or batch sent again, however late, changes nothing. */
export function findBatch(sql: SqlStorage, batch: string): BatchReceipt | null {
  type Row = { first: number; count: number; print: ArrayBuffer | null; sequenced_at: number; hashes: ArrayBuffer };
  const [row] = sql
    .exec<Row>("select first, count, print, sequenced_at, hashes from batch_receipt where batch = ?", batch)
    .toArray();
  if (row === undefined) return null;
  const { first, count, print, sequenced_at: sequencedAt } = row;
  return { first, count, print, sequencedAt, hashes: new Uint8Array(row.hashes) };
}

/** The batches of an `Idempotency-Key` that are sequenced: the one of its name, and the parts `<key> <n>`. */
export function findBatchesOf(sql: SqlStorage, idempotencyKey: string | null): string[] {
  if (idempotencyKey === null) return [];
  const rows = sql.exec<{ batch: string }>(
    "select batch from batch_receipt where batch = ?1 or (batch > ?1 || ' ' and batch < ?1 || '!')",
    idempotencyKey,
  );
  return [...rows].map(({ batch }) => batch);
}

/** The receipts of those ids that have one, in one statement. */
export function findIds(sql: SqlStorage, ids: readonly string[]): Map<string, IdReceipt> {
  type Row = { id: string; position: number; print: ArrayBuffer | null; sequenced_at: number; hash: ArrayBuffer };
  const found = new Map<string, IdReceipt>();
  if (ids.length === 0) return found;
  const hidden = hiddenIds(sql, ids);
  const rows = sql.exec<Row>(
    `select id, position, print, sequenced_at, hash from id_receipt
     where id in (select value from json_each(?))`,
    JSON.stringify([...ids, ...hidden.keys()]),
  );
  for (const { id, position, print, sequenced_at: sequencedAt, hash } of rows) {
    found.set(hidden.get(id) ?? id, { position, print, sequencedAt, hash: hashText(hash) });
  }
  return found;
}

/** What stands for these ids in receipts whose id was erased, where there are any; an id begins with a letter or a digit. */
function hiddenIds(sql: SqlStorage, ids: readonly string[]): Map<string, string> {
  const any = sql.exec("select 1 from id_receipt where id >= '~' limit 1").toArray().length > 0;
  if (!any) return new Map();
  const key = printKeyOf(sql);
  return new Map(ids.map((id) => [hiddenId(key, id), id]));
}

function printKeyOf(sql: SqlStorage): Uint8Array {
  return new Uint8Array(sql.exec<{ print_key: ArrayBuffer }>("select print_key from org").one().print_key);
}

export function saveBatch(sql: SqlStorage, batch: string, receipt: BatchReceipt): void {
  sql.exec(
    "insert into batch_receipt (batch, first, count, print, sequenced_at, hashes) values (?, ?, ?, ?, ?, ?)",
    batch,
    receipt.first,
    receipt.count,
    receipt.print,
    receipt.sequencedAt,
    receipt.hashes,
  );
}

export function saveId(sql: SqlStorage, id: string, receipt: Omit<IdReceipt, "hash"> & { hash: Uint8Array }): void {
  sql.exec(
    "insert into id_receipt (id, position, print, sequenced_at, hash) values (?, ?, ?, ?, ?)",
    id,
    receipt.position,
    receipt.print,
    receipt.sequencedAt,
    receipt.hash,
  );
}

/**
 * The first answer to a batch, rebuilt: entries were sealed in order, so an event's place is the next one of the range
 * unless its id has an earlier receipt.
 */
export function rebuildReceipts(
  events: readonly CutEvent[],
  {
    receipt,
    ids,
    idOf,
    earlier,
  }: {
    receipt: BatchReceipt;
    ids: Map<string, IdReceipt>;
    idOf: (position: number) => string;
    earlier: readonly EarlierLog[];
  },
): Receipt[] {
  let next = receipt.first;
  return events.map((event, n) => {
    const known = event.id === null ? undefined : ids.get(event.id);
    if (known !== undefined && known.position !== next)
      return receiptOf(event.id as string, known, { duplicate: true, earlier });
    const at = (next - receipt.first) * HASH_BYTES;
    const hash = hashText(receipt.hashes.subarray(at, at + HASH_BYTES));
    const sealed = { position: next++, sequencedAt: receipt.sequencedAt, hash };
    return receiptOf(event.id ?? idOf(n), sealed, { duplicate: false, earlier });
  });
}

/**
 * How many of a batch's events, from the first on, its receipt tells of: all, but where the batch came back from a store
 * that had only its first part.
 */
export function coveredEvents(
  events: readonly CutEvent[],
  { receipt, ids }: { receipt: BatchReceipt; ids: Map<string, IdReceipt> },
): number {
  // Every batch that was sealed here is whole.
  if (receipt.print !== null) return events.length;
  let next = receipt.first;
  const beyond = events.findIndex(({ id }) => {
    if (next === receipt.first + receipt.count) return true;
    const known = id === null ? undefined : ids.get(id);
    if (known === undefined || known.position === next) next++;
    return false;
  });
  return beyond === -1 ? events.length : beyond;
}

export function receiptOf(
  id: string,
  { position, sequencedAt, hash }: Pick<IdReceipt, "position" | "sequencedAt" | "hash">,
  { duplicate, earlier }: { duplicate: boolean; earlier: readonly EarlierLog[] },
): Receipt {
  const sequenced_at = new Date(sequencedAt).toISOString();
  return { id, ...placeOf(earlier, position), entry_hash: hash, sequenced_at, duplicate };
}

/** Whether an event sent again under a known id is the one that was sent first. */
export function sameEvent(receipt: IdReceipt, print: Uint8Array | null): boolean {
  return print === null || samePrint(receipt.print, print);
}

/** Entries of one batch, next to each other, that a rewound ledger takes over. */
export type AdoptedBatch = { first: number; sequencedAt: number; hashes: Uint8Array[] };

/**
 * Enters the receipt of a batch again, or what comes after the part of it that was taken over before. Its print is gone
 * with the storage that was rewound: sent again, the batch is known by its id alone.
 */
export function adoptBatch(sql: SqlStorage, batch: string, { first, sequencedAt, hashes }: AdoptedBatch): void {
  const known = findBatch(sql, batch);
  const receipt = { first, count: hashes.length, print: null, sequencedAt, hashes: Buffer.concat(hashes) };
  if (known === null) saveBatch(sql, batch, receipt);
  if (known === null || known.first + known.count !== first) return;
  sql.exec(
    "update batch_receipt set count = ?, hashes = ? where batch = ?",
    known.count + receipt.count,
    Buffer.concat([known.hashes, receipt.hashes]),
    batch,
  );
}

/**
 * Has receipts forget what was sent, as what they are of goes: an event or a batch sent again is known by its id alone. Of a batch that was a part of
 * its request the receipt has the name that stands in its entries.
 */
export function clearPrints(
  sql: SqlStorage,
  { ids, batches }: { ids: readonly string[]; batches: readonly string[] },
): void {
  const clear = (table: string, key: string, names: readonly string[]) =>
    sql.exec(
      `update ${table} set print = null where ${key} in (select value from json_each(?)) and print is not null`,
      JSON.stringify(names),
    );
  clear("id_receipt", "id", ids);
  clear("batch_receipt", "batch", batches);
}

/** Has receipts keep erased ids as keyed digests alone: an event sent again is still known, and nobody can read whose it was. */
export function hideIds(sql: SqlStorage, ids: readonly string[]): void {
  if (ids.length === 0) return;
  const key = printKeyOf(sql);
  for (const id of ids) {
    sql.exec("update id_receipt set id = ?, print = null where id = ?", hiddenId(key, id), id);
  }
}

/** The same for entries at these positions, of which nothing says the ids any more. */
export function hideIdsAt(sql: SqlStorage, positions: readonly number[]): void {
  const rows = sql.exec<{ id: string }>(
    "select id from id_receipt where id < '~' and position in (select value from json_each(?))",
    JSON.stringify(positions),
  );
  hideIds(
    sql,
    rows.toArray().map(({ id }) => id),
  );
}

/** Enters the receipt of an id again, without its print. */
export function adoptId(
  sql: SqlStorage,
  id: string,
  receipt: { position: number; sequencedAt: number; hash: Uint8Array },
): void {
  if (findIds(sql, [id]).size === 0) saveId(sql, id, { ...receipt, print: null });
}

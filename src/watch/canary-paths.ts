import { entryHash, parseLeaf } from "../chain/leaf.ts";
import { HASH_BYTES } from "../chain/node-hash.ts";
import { readBundle } from "../chain/proof/read-bundle.ts";
import { parseTlogProof } from "../chain/proof/tlog-proof.ts";
import { bundlePath, TILE_WIDTH, tileAt, tilePath } from "../chain/tile.ts";
import { readRow } from "../chain/verify-row.ts";
import type { Config } from "../env.ts";
import { CANARY_ASK_MINUTES, CANARY_PROVED_MINUTES, CANARY_READ_MINUTES } from "../limits.ts";
import type { Reader } from "../query/traced.ts";
import { sha256 } from "../sha256.ts";
import { grantFor } from "../verify/confirm-faults.ts";
import { proveInclusion } from "../verify/prove-tree.ts";
import { readCheckpoint } from "../verify/read-checkpoint.ts";
import { readTile } from "../verify/read-tile.ts";
import { type Asker, given } from "./canary-askers.ts";
import { CANARY_ACTION, CANARY_ACTOR, thingOf } from "./canary-event.ts";

/** The entry that is looked for, as the ledger has it, and the minute it was appended in. */
export type Wanted = { log: string; index: number; id: string; minute: number };

/** What an answer says of an entry: of which log it is, at which index, and all its text. */
export type Shown = { log: string; index: number; text: string };

/** Who looks, and how it asks. */
type Looking = { config: Config; reader: Reader; ask: Asker };

/**
 * A path of reading. `after`: how many minutes after an append it is asked for it. `every`: how often; `at` is the minute
 * of those. `bare`: its answers carry no section, so no mark. `bound`: every other time it is asked by binding.
 */
export type Path = {
  name: string;
  after: number;
  every: number;
  at: number;
  bare?: true;
  bound?: true;
  read: (looking: Looking, wanted: Wanted) => Promise<Shown[]>;
};

const SOON = { after: CANARY_READ_MINUTES, every: 1, at: 0, bound: true } as const;
const PROVED = { after: CANARY_PROVED_MINUTES, every: 1, at: 0, bare: true } as const;
const ASKED = { after: CANARY_READ_MINUTES, every: CANARY_ASK_MINUTES, bound: true } as const;

/** Every path by which a reader gets at an entry, or at what is made of entries. */
export const PATHS: readonly Path[] = [
  { name: "list", ...SOON, read: ({ ask }) => list(ask, { limit: "20" }) },
  { name: "filter", ...SOON, read: ({ ask }) => list(ask, { action: CANARY_ACTION, actor: CANARY_ACTOR, limit: "5" }) },
  { name: "get_id", ...ASKED, at: 0, read: ({ ask }, { id }) => get(ask, id) },
  { name: "search", ...ASKED, at: 3, read: ({ ask }) => list(ask, { q: SEARCH, limit: "5" }) },
  { name: "get_index", ...ASKED, at: 6, read: ({ ask }, { index }) => get(ask, String(index)) },
  { name: "history", ...ASKED, at: 9, read: recall },
  { name: "stats", ...ASKED, at: 12, read: tally },
  { name: "proof", ...ASKED, at: 15, read: prove },
  { name: "state", ...ASKED, at: 18, read: rebuild },
  { name: "actions", ...ASKED, at: 21, read: takeInventory },
  { name: "tile", ...PROVED, every: CANARY_ASK_MINUTES, at: 23, read: openTile },
  { name: "inclusion", ...PROVED, read: include },
  { name: "checkpoint", ...PROVED, bound: true, read: sign },
];

const SEARCH = `actor:${CANARY_ACTOR} "${CANARY_ACTION.replace(".", " ")}"`;
const HISTORY = { limit: "5" };

async function list(ask: Asker, query: Record<string, string>): Promise<Shown[]> {
  return (await ask.list(query)).map(shownBy);
}

async function get(ask: Asker, idOrIndex: string): Promise<Shown[]> {
  const text = await ask.get(idOrIndex);
  return text === null ? [] : [shownBy(text)];
}

async function recall({ ask }: Looking, { minute }: Wanted): Promise<Shown[]> {
  return (await ask.history(thingOf(minute), HISTORY)).texts.map(shownBy);
}

/** A thing's state names no entry: by its marks alone it is known whose it is. */
async function rebuild({ ask }: Looking, { log, index, minute }: Wanted): Promise<Shown[]> {
  const { state } = await ask.history(thingOf(minute), HISTORY);
  return state === null ? [] : [{ log, index, text: state }];
}

async function tally(looking: Looking, wanted: Wanted): Promise<Shown[]> {
  const { total, data } = await looking.ask.stats({ group_by: "target_type" });
  return counted(looking, { wanted, entries: total.count, text: JSON.stringify(data) });
}

async function takeInventory(looking: Looking, wanted: Wanted): Promise<Shown[]> {
  const { data, other_count } = await looking.ask.actions();
  const entries = data.reduce((sum, { count }) => sum + count, other_count);
  return counted(looking, { wanted, entries, text: JSON.stringify(data) });
}

/**
 * Counts name no entry either. They hold the wanted one when they are more than its index; when they are more than the log
 * has entries, some are of another. (What a log that was continued once counted is not known as exactly.) They are of all
 * days: a canary fills some ten rows of counters a day, of COUNTED_MAX_ROWS.
 */
async function counted(
  { config, reader: { org } }: Looking,
  { wanted, entries, text }: { wanted: Wanted; entries: number; text: string },
): Promise<Shown[]> {
  if (entries <= wanted.index) return [];
  const { size, earlier } = await grantFor(config, org);
  const own = earlier.length > 0 || entries <= size;
  return [{ log: own ? wanted.log : "", index: wanted.index, text }];
}

async function prove({ ask }: Looking, { id }: Wanted): Promise<Shown[]> {
  const answer = await ask.prove(id);
  const proof = answer === null ? null : parseTlogProof(answer);
  if (proof === null || proof.extra === null) return [];
  const text = Buffer.from(proof.extra).toString();
  const row = readRow(sha256, "", { index: proof.index, line: text });
  return row.claim === "none" ? [] : [{ log: row.leaf.log, index: row.leaf.index, text }];
}

async function include({ config, reader: { org, caller } }: Looking, { index }: Wanted): Promise<Shown[]> {
  const { proof } = given(await proveInclusion(config, { org, caller, number: null }, { index, size: null }));
  return [{ log: proof.log, index: proof.index, text: "" }];
}

async function sign({ ask }: Looking, { index }: Wanted): Promise<Shown[]> {
  const note = await ask.checkpoint();
  if (note === null) return [];
  const [log = "", size] = note.split("\n");
  return [{ log, index: Number(size) > index ? index : -1, text: "" }];
}

/** The leaf as the entry bundle has it, where the tile has its hash. */
async function openTile({ config, reader: { org, caller } }: Looking, { index }: Wanted): Promise<Shown[]> {
  const reader = { org, caller, number: null };
  const [, size] = given(await readCheckpoint(config, reader, 0)).split("\n");
  const tile = tileAt({ level: 0, index: Math.floor(index / TILE_WIDTH), size: Number(size) });
  if (tile === null) return [];
  const bundle = given(await readTile(config, reader, bundlePath(tile)));
  const hashes = given(await readTile(config, reader, tilePath(tile)));
  const place = index % TILE_WIDTH;
  const text = readBundle(bundle.bytes, tile.width)?.[place] ?? "";
  const parsed = parseLeaf(text);
  const hash = hashes.bytes.subarray(place * HASH_BYTES, (place + 1) * HASH_BYTES);
  if (parsed.kind !== "leaf") return [];
  const { log } = parsed.leaf;
  return Buffer.compare(entryHash(sha256, text), hash) === 0 ? [{ log, index: parsed.leaf.index, text }] : [];
}

function shownBy(text: string): Shown {
  const { log, index } = JSON.parse(text) as { log: string; index: number };
  return { log, index, text };
}

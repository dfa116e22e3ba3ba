import { splitBundle } from "../chain/proof/read-bundle.ts";
import { HASH_BYTES } from "../chain/node-hash.ts";
import { bundlePath, type Tile, TILE_WIDTH, tilePath } from "../chain/tile.ts";
import { BUNDLE_MAX_BYTES } from "../limits.ts";

/** What lies at a path: its bytes, nothing (`absent`), or no answer (`unread`), which says nothing about the log. */
export type ReadResult =
  | { kind: "bytes"; bytes: Uint8Array }
  | { kind: "absent" }
  | { kind: "unread"; why: string; status?: number };

/**
 * Where a log's files are read from, by their paths under the log's URL (`checkpoint`, `tile/…`). It may be the log
 * itself, a mirror, a folder: nothing it answers is believed. It reads at most `maxBytes` and says `unread` beyond.
 */
export type LogSource = { read(path: string, limit: { maxBytes: number }): Promise<ReadResult> };

/** The bytes of a tile, whether or not they are right; a partial one may also be cut from the full one. */
export async function readTile(source: LogSource, tile: Tile): Promise<ReadResult> {
  const limit = { maxBytes: TILE_WIDTH * HASH_BYTES };
  const read = await source.read(tilePath(tile), limit);
  if (read.kind !== "absent" || tile.width === TILE_WIDTH) return read;
  // C2SP tlog-tiles: a log may drop a partial tile once it has the full one.
  const full = await source.read(tilePath({ ...tile, width: TILE_WIDTH }), limit);
  return full.kind === "bytes" ? { kind: "bytes", bytes: full.bytes.subarray(0, tile.width * HASH_BYTES) } : full;
}

/** The entries of a bundle as they are hashed; bytes that are no bundle of this width have none: `entries` is null. */
export async function readEntries(
  source: LogSource,
  tile: Pick<Tile, "index" | "width">,
): Promise<{ kind: "entries"; entries: Uint8Array[] | null } | Exclude<ReadResult, { kind: "bytes" }>> {
  const limit = { maxBytes: BUNDLE_MAX_BYTES };
  const read = await source.read(bundlePath(tile), limit);
  if (read.kind === "bytes") return { kind: "entries", entries: splitBundle(read.bytes, tile.width) };
  if (read.kind === "unread" || tile.width === TILE_WIDTH) return read;
  const full = await source.read(bundlePath({ ...tile, width: TILE_WIDTH }), limit);
  if (full.kind !== "bytes") return full;
  const entries = splitBundle(full.bytes, TILE_WIDTH);
  return { kind: "entries", entries: entries === null ? null : entries.slice(0, tile.width) };
}

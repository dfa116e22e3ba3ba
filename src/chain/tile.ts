import { assert } from "../errors.ts";
import { LOG_MAX_ENTRIES } from "../limits.ts";
import { HASH_BYTES } from "./node-hash.ts";

/** Hashes of a full tile, which holds the lowest row of a subtree of height 8. */
export const TILE_WIDTH = 256;
const LEVEL_MAX = 63;

/**
 * A tile as C2SP tlog-tiles has it: hashes `index * 256 …` of a level, where level 0 holds leaf hashes and each hash
 * above is that of a full tile below. `width` is 256, or less for the last tile of a level.
 */
export type Tile = { level: number; index: number; width: number };

/** Where the open tile of level 0 begins: entries below are under full tiles, those of `size` from there on are not. */
export function openTileFrom(size: number): number {
  return size - (size % TILE_WIDTH);
}

/** Tile `index` of a level as it is in a tree of `size` leaves; null when that tree does not have it. */
export function tileAt({ level, index, size }: { level: number; index: number; size: number }): Tile | null {
  const width = Math.min(TILE_WIDTH, hashCount({ level, size }) - index * TILE_WIDTH);
  return width > 0 ? { level, index, width } : null;
}

/** The tiles that are new or wider in a tree of `to` leaves than in one of `from`, lowest level first. */
export function newTiles({ from, to }: { from: number; to: number }): Tile[] {
  const tiles: Tile[] = [];
  for (let level = 0; hashCount({ level, size: to }) > 0; level++) {
    const before = hashCount({ level, size: from });
    const after = hashCount({ level, size: to });
    for (let index = Math.floor(before / TILE_WIDTH); index * TILE_WIDTH < after && before < after; index++) {
      tiles.push({ level, index, width: Math.min(TILE_WIDTH, after - index * TILE_WIDTH) });
    }
  }
  return tiles;
}

/**
 * The partial tiles of a tree, lowest level first: its right edge. They hold all that growth needs of the tree so far,
 * and all that its root is made of. At most one a level; none in the empty tree.
 */
export function edgeTiles(size: number): Tile[] {
  const tiles: Tile[] = [];
  for (let level = 0; hashCount({ level, size }) > 0; level++) {
    const count = hashCount({ level, size });
    const width = count % TILE_WIDTH;
    if (width > 0) tiles.push({ level, index: Math.floor(count / TILE_WIDTH), width });
  }
  return tiles;
}

/** The bytes of each of `edgeTiles(size)`, in that order; `edge` is all of them joined. */
export function splitEdge({ size, edge }: { size: number; edge: Uint8Array }): { tile: Tile; bytes: Uint8Array }[] {
  let at = 0;
  const parts = edgeTiles(size).map((tile) => {
    const bytes = edge.slice(at, (at += tile.width * HASH_BYTES));
    return { tile, bytes };
  });
  assert(at === edge.length, "an edge is as long as its tiles");
  return parts;
}

/** How many hashes a level has in a tree of `size` leaves. Dividing by a power of two is exact. */
function hashCount({ level, size }: { level: number; size: number }): number {
  return Math.floor(size / TILE_WIDTH ** level);
}

/** Where a tile lies under the log's URL: `tile/<level>/<index>[.p/<width>]`. */
export function tilePath({ level, index, width }: Tile): string {
  return `tile/${level}/${indexPath(index)}${partial(width)}`;
}

/** Where the entries under a tile of level 0 lie: `tile/entries/<index>[.p/<width>]`. */
export function bundlePath({ index, width }: Pick<Tile, "index" | "width">): string {
  return `tile/entries/${indexPath(index)}${partial(width)}`;
}

/** Reads exactly what `tilePath` and `bundlePath` write; null for any other text. A bundle is of level 0. */
export function parseTilePath(path: string): { kind: "tile" | "bundle"; tile: Tile } | null {
  const match = /^tile\/(\d{1,2}|entries)\/((?:x\d{3}\/)*\d{3})(?:\.p\/(\d{1,3}))?$/.exec(path);
  if (match === null) return null;
  const [, place = "", digits = "", part] = match;
  const kind = place === "entries" ? "bundle" : "tile";
  const tile = {
    level: kind === "bundle" ? 0 : Number(place),
    index: Number(digits.replaceAll(/[x/]/g, "")),
    width: part === undefined ? TILE_WIDTH : Number(part),
  };
  if (tile.level > LEVEL_MAX || tile.width === 0 || tile.index >= LOG_MAX_ENTRIES) return null;
  if (part !== undefined && tile.width >= TILE_WIDTH) return null;
  // Another spelling of the same tile would be another resource: leading zeros, `x000`.
  return (kind === "bundle" ? bundlePath(tile) : tilePath(tile)) === path ? { kind, tile } : null;
}

function indexPath(index: number): string {
  let path = padded(index % 1_000);
  for (let rest = Math.floor(index / 1_000); rest > 0; rest = Math.floor(rest / 1_000)) {
    path = `x${padded(rest % 1_000)}/${path}`;
  }
  return path;
}

function padded(digits: number): string {
  return String(digits).padStart(3, "0");
}

function partial(width: number): string {
  return width === TILE_WIDTH ? "" : `.p/${width}`;
}

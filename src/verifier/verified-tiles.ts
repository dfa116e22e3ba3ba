import { joinBytes, sameBytes } from "../chain/bytes.ts";
import { entryHashOf } from "../chain/leaf.ts";
import type { TreeHead } from "../chain/proof/verify-consistency.ts";
import { parentTile, rootFromEdge, verifyFullTile } from "../chain/proof/verify-tiles.ts";
import { HASH_BYTES, subtreeHash } from "../chain/node-hash.ts";
import type { Sha256 } from "../chain/sha256.ts";
import { edgeTiles, TILE_WIDTH, type Tile, tileAt, tilePath } from "../chain/tile.ts";
import { type LogSource, type ReadResult, readEntries, readTile } from "./source.ts";

/** A tile that is not what the tree has there. `restored`: what it should hold was computed from what lies below. */
export type TileFault = { tile: Tile; kind: "changed" | "absent" | "unread"; why: string; restored: boolean };

/**
 * The tiles of a tree whose root is trusted, read top down: each is handed out only after the one above, or the root,
 * has vouched for it. One that is damaged is computed anew from what lies below it. It keeps the edge and one tile a
 * level, so that reading in order costs each tile once and memory does not grow with the log.
 */
export class VerifiedTiles {
  readonly #sha256: Sha256;
  readonly #source: LogSource;
  readonly #tree: TreeHead;
  readonly #onFault: (fault: TileFault) => void;
  #edge = new Map<number, Uint8Array>();
  readonly #kept = new Map<number, { index: number; bytes: Uint8Array | null }>();

  constructor(
    sha256: Sha256,
    { source, tree, onFault }: { source: LogSource; tree: TreeHead; onFault: (fault: TileFault) => void },
  ) {
    this.#sha256 = sha256;
    this.#source = source;
    this.#tree = tree;
    this.#onFault = onFault;
  }

  /** Reads the right edge; false when neither it nor what lies below gives the trusted root. Comes before all else. */
  async open(): Promise<boolean> {
    const tiles = edgeTiles(this.#tree.size);
    const reads = await Promise.all(tiles.map((tile) => readTile(this.#source, tile)));
    const read = reads.map((result) => (result.kind === "bytes" ? result.bytes : new Uint8Array(0)));
    if (this.#givesRoot(read)) {
      this.#edge = new Map(tiles.map(({ level }, n) => [level, read[n] as Uint8Array]));
      return true;
    }
    const unread = reads.findIndex(({ kind }) => kind === "unread");
    if (unread >= 0) {
      this.#onFault(faultOf(tiles[unread] as Tile, reads[unread] as ReadResult, false));
      return false;
    }
    const anew = await Promise.all(tiles.map((tile) => this.#fromBelow(tile)));
    const restored = this.#givesRoot(anew.map((bytes) => bytes ?? new Uint8Array(0)));
    for (const [n, tile] of tiles.entries()) {
      const result = reads[n] as ReadResult;
      const bytes = anew[n] ?? null;
      if (!restored && result.kind === "bytes") continue;
      if (result.kind === "bytes" && bytes !== null && sameBytes(result.bytes, bytes)) continue;
      this.#onFault(faultOf(tile, result, restored));
    }
    if (restored) this.#edge = new Map(tiles.map(({ level }, n) => [level, anew[n] as Uint8Array]));
    return restored;
  }

  /** The hashes of a tile, vouched for; null when that could not be had, which was then reported. */
  async at(level: number, index: number, given?: ReadResult): Promise<Uint8Array | null> {
    const tile = tileAt({ level, index, size: this.#tree.size });
    if (tile === null) return null;
    if (tile.width < TILE_WIDTH) return this.#edge.get(level) ?? null;
    const kept = this.#kept.get(level);
    if (kept?.index === index) return kept.bytes;
    const bytes = await this.#verified(tile, given);
    this.#kept.set(level, { index, bytes });
    return bytes;
  }

  /** Whether the tree begins with all of the tree `older`; null when the tiles that say so could not be had. */
  async beginsWith(older: TreeHead): Promise<boolean | null> {
    if (older.size > this.#tree.size) return false;
    const edge: Uint8Array[] = [];
    for (const { level, index, width } of edgeTiles(older.size)) {
      const bytes = await this.at(level, index);
      if (bytes === null) return null;
      edge.push(bytes.subarray(0, width * HASH_BYTES));
    }
    const root = rootFromEdge(this.#sha256, { size: older.size, edge });
    return root !== null && sameBytes(root, older.root);
  }

  async #verified(tile: Tile, given: ReadResult | undefined): Promise<Uint8Array | null> {
    const place = parentTile(tile, this.#tree.size);
    const parent = place === null ? null : await this.at(place.tile.level, place.tile.index);
    if (place === null || parent === null) return null;
    const fits = (bytes: Uint8Array | null): bytes is Uint8Array =>
      bytes !== null && verifyFullTile(this.#sha256, { bytes, parent, at: place.at });
    const read = given ?? (await readTile(this.#source, tile));
    if (read.kind === "bytes" && fits(read.bytes)) return read.bytes;
    const anew = read.kind === "unread" ? null : await this.#fromBelow(tile);
    this.#onFault(faultOf(tile, read, fits(anew)));
    return fits(anew) ? anew : null;
  }

  /** What a tile should hold by what lies below it, which nobody has vouched for; null when that is not there. */
  async #fromBelow(tile: Tile): Promise<Uint8Array | null> {
    if (tile.level === 0) {
      const read = await readEntries(this.#source, tile);
      if (read.kind !== "entries" || read.entries === null) return null;
      return joinBytes(...read.entries.map((entry) => entryHashOf(this.#sha256, entry)));
    }
    const hashes: Uint8Array[] = [];
    for (let n = 0; n < tile.width; n++) {
      const below = { level: tile.level - 1, index: tile.index * TILE_WIDTH + n, width: TILE_WIDTH };
      const read = await readTile(this.#source, below);
      if (read.kind !== "bytes" || read.bytes.length !== TILE_WIDTH * HASH_BYTES) return null;
      hashes.push(subtreeHash(this.#sha256, read.bytes));
    }
    return joinBytes(...hashes);
  }

  #givesRoot(edge: readonly Uint8Array[]): boolean {
    const root = rootFromEdge(this.#sha256, { size: this.#tree.size, edge });
    return root !== null && sameBytes(root, this.#tree.root);
  }
}

function faultOf(tile: Tile, read: ReadResult, restored: boolean): TileFault {
  const path = tilePath(tile);
  if (read.kind === "absent") return { tile, kind: "absent", why: `${path} is not there`, restored };
  if (read.kind === "unread") return { tile, kind: "unread", why: `${path}: ${read.why}`, restored };
  return { tile, kind: "changed", why: `${path} does not hold the hashes of the tree that was signed`, restored };
}

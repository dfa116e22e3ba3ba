import { readTreeObject } from "./tree.ts";
import { HASH_BYTES } from "../chain/node-hash.ts";
import { splitEdge, TILE_WIDTH, type Tile, tileAt, tilePath } from "../chain/tile.ts";
import { assert } from "../errors.ts";
import type { TreeView } from "../schema/ledger.ts";

/**
 * Reads tiles of one published tree: full ones from R2, each once, partial ones from its edge. A tile may be asked for
 * with fewer hashes than it has: as it was in a smaller tree.
 */
export class TreeTiles {
  readonly #bucket: R2Bucket;
  readonly #tree: Pick<TreeView, "log" | "size" | "edge">;
  readonly #edge: { tile: Tile; bytes: Uint8Array }[];
  readonly #full = new Map<string, Promise<Uint8Array>>();

  constructor(bucket: R2Bucket, tree: Pick<TreeView, "log" | "size" | "edge">) {
    this.#bucket = bucket;
    this.#tree = tree;
    this.#edge = splitEdge(tree);
  }

  /** Whether the tree has so much of this tile. */
  has({ level, index, width }: Tile): boolean {
    return width <= (tileAt({ level, index, size: this.#tree.size })?.width ?? 0);
  }

  async read(tile: Tile): Promise<Uint8Array> {
    assert(this.has(tile), "a published tree has the tile that is read");
    const { level, index, width } = tile;
    const partial = this.#edge.find((one) => one.tile.level === level && one.tile.index === index);
    const bytes = partial?.bytes ?? (await this.#readFull({ level, index, width: TILE_WIDTH }));
    return bytes.slice(0, width * HASH_BYTES);
  }

  #readFull(tile: Tile): Promise<Uint8Array> {
    const path = tilePath(tile);
    const known = this.#full.get(path) ?? this.#fetch(path);
    this.#full.set(path, known);
    return known;
  }

  async #fetch(path: string): Promise<Uint8Array> {
    const { log } = this.#tree;
    const bytes = await readTreeObject(this.#bucket, { log, path });
    if (bytes?.length !== TILE_WIDTH * HASH_BYTES)
      throw new Error(`${path} of ${log} is not in the archive as it was put`);
    return bytes;
  }
}

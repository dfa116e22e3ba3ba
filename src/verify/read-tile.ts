import { readTreeObject } from "../archive/tree.ts";
import { parseTilePath, TILE_WIDTH, type Tile, bundlePath } from "../chain/tile.ts";
import { readBundle } from "../chain/proof/read-bundle.ts";
import { entryBundle } from "../chain/tree/entry-bundle.ts";
import type { Config } from "../env.ts";
import { NOT_FOUND, ok, type Result } from "../errors.ts";
import { callLedger } from "../ledger/client.ts";
import { TreeTiles } from "../archive/tree-tiles.ts";
import { type PublishedTree, type TreeReader, treeOf } from "./tree-view.ts";

/**
 * A tile or an entry bundle of the published tree by its C2SP path (`tile/0/x001/234.p/7`), with as many entries as the
 * path says; `not_found` beyond the newest checkpoint. Whoever asks, its bytes never change.
 */
export async function readTile(
  config: Config,
  reader: TreeReader,
  path: string,
): Promise<Result<{ bytes: Uint8Array; public: boolean }>> {
  const tree = await treeOf(config, reader);
  if (!tree.ok) return tree;
  const parsed = parseTilePath(path);
  if (parsed === null) return NOT_FOUND;
  const tiles = new TreeTiles(config.archive, tree.value);
  if (!tiles.has(parsed.tile)) return NOT_FOUND;
  if (parsed.kind === "tile") return ok({ bytes: await tiles.read(parsed.tile), public: tree.value.public });
  const leaves = await leavesUnder(config, reader, { tree: tree.value, tile: parsed.tile });
  if (!leaves.ok) return leaves;
  return ok({ bytes: entryBundle(leaves.value), public: tree.value.public });
}

/** Leaf texts under a tile of level 0: from its full bundle, else from the ledger, which keeps those of the open one. */
async function leavesUnder(
  config: Config,
  { org, number }: TreeReader,
  { tree, tile }: { tree: PublishedTree; tile: Tile },
): Promise<Result<string[]>> {
  const from = tile.index * TILE_WIDTH;
  if (from + TILE_WIDTH > tree.size) {
    return callLedger(config, org, async (ledger) => await ledger.leaves(org, { from, to: from + tile.width }, number));
  }
  const path = bundlePath({ index: tile.index, width: TILE_WIDTH });
  const bytes = await readTreeObject(config.archive, { log: tree.log, path });
  const leaves = bytes === null ? null : readBundle(bytes, TILE_WIDTH);
  const whole = leaves?.filter((leaf) => leaf !== null);
  if (whole?.length !== TILE_WIDTH) throw new Error(`${path} of ${tree.log} is not in the archive as it was put`);
  return ok(whole.slice(0, tile.width));
}

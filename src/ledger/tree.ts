import { assert } from "../errors.ts";
import { joinBytes } from "../chain/bytes.ts";
import { base64 } from "../chain/encoding.ts";
import { HASH_BYTES } from "../chain/node-hash.ts";
import { parseCheckpoint } from "../chain/note/checkpoint.ts";
import { noteText } from "../chain/note/note.ts";
import { edgeTiles, splitEdge, type Tile } from "../chain/tile.ts";

/**
 * The published tree: `size` entries are under the newest checkpoint, whose signed note is `note` (null before the
 * first); `edge` is the bytes of `edgeTiles(size)`, joined; `root` is base64.
 */
export type Tree = { size: number; edge: Uint8Array; note: string | null; root: string | null; publishedAt: number };

const EMPTY: Tree = { size: 0, edge: new Uint8Array(0), note: null, root: null, publishedAt: 0 };

type TreeRow = { size: number; edge: ArrayBuffer; note: string; published_at: number };

/** Reads the tree; a log of which nothing was published yet has the empty one. */
export function loadTree(sql: SqlStorage): Tree {
  const [row] = sql.exec<TreeRow>("select size, edge, note, published_at from tree").toArray();
  if (row === undefined) return EMPTY;
  const checkpoint = parseCheckpoint(noteText(row.note));
  assert(checkpoint?.size === row.size, "the stored checkpoint is that of the stored tree");
  const { size, note, published_at } = row;
  return { size, edge: new Uint8Array(row.edge), note, root: base64(checkpoint.root), publishedAt: published_at };
}

export function saveTree(sql: SqlStorage, { size, edge, note, publishedAt }: Tree & { note: string }): void {
  sql.exec(
    `insert into tree (only, size, edge, note, published_at) values (0, ?1, ?2, ?3, ?4)
     on conflict (only) do update set size = ?1, edge = ?2, note = ?3, published_at = ?4`,
    size,
    edge,
    note,
    publishedAt,
  );
}

/** The edge of a grown tree: of each of its edge tiles the new bytes, or those it had. */
export function grownEdge(
  tree: { size: number; edge: Uint8Array },
  { size, grown }: { size: number; grown: readonly { tile: Tile; bytes: Uint8Array }[] },
): Uint8Array {
  const known = [...splitEdge(tree), ...grown];
  const parts = edgeTiles(size).map(({ level, index, width }) => {
    const found = known.findLast(({ tile }) => tile.level === level && tile.index === index);
    assert(found?.bytes.length === width * HASH_BYTES, "every edge tile is grown or was there");
    return found.bytes;
  });
  return joinBytes(...parts);
}

import { assert } from "../../errors.ts";
import { LEAF_MAX_BYTES } from "../../limits.ts";
import { joinBytes } from "../bytes.ts";
import { utf8 } from "../encoding.ts";
import { TILE_WIDTH } from "../tile.ts";

/** C2SP tlog-tiles, "Log entries": each leaf after its length in bytes as a big-endian uint16. At most 256 leaves. */
export function entryBundle(leaves: readonly string[]): Uint8Array {
  assert(leaves.length <= TILE_WIDTH, "a bundle holds the entries of one tile");
  return joinBytes(
    ...leaves.flatMap((leaf) => {
      const bytes = utf8(leaf);
      assert(bytes.length <= LEAF_MAX_BYTES, "a leaf fits its limit");
      return [Uint8Array.of(bytes.length >> 8, bytes.length & 255), bytes];
    }),
  );
}

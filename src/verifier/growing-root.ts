import { joinSubtrees, nodeHash } from "../chain/node-hash.ts";
import type { Sha256 } from "../chain/sha256.ts";

/** The root of a tree whose leaf hashes come one after another; shares nothing with what builds trees. */
export class GrowingRoot {
  readonly #sha256: Sha256;
  /** Full subtrees, the largest first. */
  readonly #subtrees: { size: number; hash: Uint8Array }[] = [];
  size = 0;

  constructor(sha256: Sha256) {
    this.#sha256 = sha256;
  }

  add(leafHash: Uint8Array): void {
    let node = { size: 1, hash: leafHash };
    for (;;) {
      const left = this.#subtrees.at(-1);
      if (left?.size !== node.size) break;
      this.#subtrees.pop();
      node = { size: node.size * 2, hash: nodeHash(this.#sha256, { left: left.hash, right: node.hash }) };
    }
    this.#subtrees.push(node);
    this.size++;
  }

  root(): Uint8Array {
    return joinSubtrees(
      this.#sha256,
      this.#subtrees.map(({ hash }) => hash),
    );
  }
}

import { listCheckpoints, putCheckpoint, putTreeObject, TreeConflict } from "../archive/tree.ts";
import { base64 } from "../chain/encoding.ts";
import type { Ed25519Signer } from "../chain/ed25519.ts";
import { signCheckpoint } from "../chain/note/sign-note.ts";
import { rootFromEdge } from "../chain/proof/verify-tiles.ts";
import { splitEdge, TILE_WIDTH } from "../chain/tile.ts";
import { assert } from "../errors.ts";
import {
  R2_ANSWER_MS,
  PUBLISH_BUSY_MS,
  PUBLISH_CONFLICT_RETRY_MS,
  PUBLISH_MAX_ENTRIES,
  PUBLISH_PUTS,
  PUBLISH_QUIET_MS,
  PUBLISH_RETRY_MS,
} from "../limits.ts";
import { log } from "../log.ts";
import { logSigner } from "../log-signer.ts";
import { count } from "../meter.ts";
import { sha256 } from "../sha256.ts";
import { within } from "../within.ts";
import type { Archiver } from "./archiver.ts";
import type { Core } from "./core.ts";
import { growTree } from "./grow-tree.ts";
import { dropStaged } from "./staged.ts";
import { unpublishedSince } from "./state.ts";
import { transact } from "./transact.ts";
import { saveTree } from "./tree.ts";
import { Witnesses } from "./witnesses.ts";

/**
 * Publishes checkpoints, one run at a time. A checkpoint is signed when its entries are in segments and its full tiles and
 * bundles in R2, and served when R2 and the ledger hold it. Never two roots at one size: its key in R2 is written once.
 */
export class Publisher {
  readonly witnesses: Witnesses;
  readonly #core: Core;
  readonly #archiver: Archiver;
  readonly #published: () => void;
  #signer: Ed25519Signer | null = null;
  #running: Promise<void> | null = null;
  /** The size somebody waits for. */
  #demand = 0;
  #beganAt = 0;
  /** When a failed run is tried again; null while all is well. */
  retryAt: number | null = null;
  /** What a store holds that this log did not write; null when nothing was found. Nothing is signed until it is gone. */
  conflict: string | null = null;

  /** `published` is told of each checkpoint that is out. */
  constructor(core: Core, archiver: Archiver, published: () => void) {
    this.#core = core;
    this.#published = published;
    this.#archiver = archiver;
    this.witnesses = new Witnesses(core);
  }

  /** When a checkpoint is due: soon after a tile's worth of entries, else a minute after the first; null when all are under one. */
  dueAt(): number | null {
    const { head, tree, oldestUnpublishedAt } = this.#core.state;
    if (tree.size === head.size) return null;
    const quiet = (oldestUnpublishedAt ?? head.sequencedAt) + PUBLISH_QUIET_MS;
    const busy = Math.max(this.#beganAt, tree.publishedAt) + PUBLISH_BUSY_MS;
    const due = head.size - tree.size >= TILE_WIDTH ? Math.min(busy, quiet) : quiet;
    // What cannot be archived cannot be published: R2 is not asked sooner because of it.
    return Math.max(due, this.retryAt ?? 0, this.#archiver.retryAt ?? 0);
  }

  /** Publishes what is due; never throws: a failure is counted and tried again. */
  run(): Promise<void> {
    this.#running ??= this.#loop().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** Resolves when nothing is being published. */
  async rest(): Promise<void> {
    await this.#running;
  }

  /** Puts the first `size` entries under a checkpoint, at once; answers whether they are, after `ms` at the latest. */
  async publishTo(size: number, ms: number): Promise<boolean> {
    const { state } = this.#core;
    const until = this.#core.now() + ms;
    // The first may join a run that had just ended.
    for (let turn = 0; turn < 2 && state.tree.size < size && this.conflict === null; turn++) {
      this.#demand = Math.max(this.#demand, Math.min(size, state.head.size));
      const left = Math.max(0, until - this.#core.now());
      await within(left, this.run()).catch(() => undefined);
    }
    return state.tree.size >= size;
  }

  async #loop(): Promise<void> {
    const { state } = this.#core;
    try {
      while (this.#wanted()) {
        this.#beganAt = this.#core.now();
        for (const to = state.head.size; state.tree.size < to; ) await this.#publishOne(to);
        this.retryAt = null;
        this.conflict = null;
      }
    } catch (error) {
      const conflict = error instanceof TreeConflict;
      this.conflict = conflict ? error.message : null;
      this.retryAt = this.#core.now() + (conflict ? PUBLISH_CONFLICT_RETRY_MS : PUBLISH_RETRY_MS);
      this.#demand = 0;
      // Whether the last put was stored nobody knows: R2 is asked before the next.
      state.aheadCheckpoints = null;
      count("audit_publish_failures_total", { reason: conflict ? "conflict" : "store" });
      const message = conflict ? "a store contradicts the tree; nothing is signed" : "checkpoint not published";
      log(conflict ? "error" : "warn", { message, org: state.org.org, error: String(error) });
    }
  }

  #wanted(): boolean {
    const { head, tree } = this.#core.state;
    const dueAt = this.dueAt();
    return tree.size < head.size && (tree.size < this.#demand || (dueAt !== null && dueAt <= this.#core.now()));
  }

  /** One checkpoint nearer to the size `to`. All puts are create-once with the same bytes, so a run that broke off is made again. */
  async #publishOne(to: number): Promise<void> {
    const { state, config, storage } = this.#core;
    const { tree, org } = state;
    const ahead = await this.#aheadInR2();
    const reach = tree.size + PUBLISH_MAX_ENTRIES;
    const size = ahead.findLast((one) => one <= reach) ?? Math.min(to, reach);
    await this.#archiver.archiveTo(size);
    const { objects, edge } = await growTree(this.#core, size);
    // A crash here leaves tiles and bundles that no checkpoint covers yet: nobody is given them.
    for (let at = 0; at < objects.length; at += PUBLISH_PUTS) {
      const some = objects.slice(at, at + PUBLISH_PUTS);
      const puts = some.map((object) => putTreeObject(config.archive, { log: org.log, ...object }));
      await within(R2_ANSWER_MS, Promise.all(puts));
    }
    const root = rootFromEdge(sha256, { size, edge: splitEdge({ size, edge }).map(({ bytes }) => bytes) });
    assert(root !== null, "a grown edge is that of its size");
    this.#signer ??= logSigner(config, org.log);
    const checkpoint = { origin: org.log, size, root };
    const note = signCheckpoint(sha256, { checkpoint, signers: [this.#signer] });
    await within(R2_ANSWER_MS, putCheckpoint(config.archive, { log: org.log, size, note }));
    // A crash here leaves a checkpoint beyond the row: the next run finds it and makes that very one again.
    const published = { size, edge, note, root: base64(root), publishedAt: this.#core.now() };
    transact(this.#core, () => saveTree(storage.sql, published));
    await storage.sync();
    state.tree = published;
    this.#published();
    // After the last that was listed R2 is asked again: one operation names a thousand.
    state.aheadCheckpoints = ahead.at(-1) === size ? null : ahead.filter((one) => one > size);
    state.oldestUnpublishedAt = unpublishedSince(storage.sql, state);
    dropStaged(this.#core);
  }

  /**
   * Sizes of checkpoints R2 holds that this ledger does not know of: a crash leaves one, a ledger that was rewound and rolled
   * forward all that it lost. The farthest in reach is made again, which shows that it is of this tree, before another is.
   */
  async #aheadInR2(): Promise<number[]> {
    const { state, config } = this.#core;
    const { tree, head, org } = state;
    if (state.aheadCheckpoints === null) {
      const listed = listCheckpoints(config.archive, { log: org.log, after: tree.size });
      state.aheadCheckpoints = (await within(R2_ANSWER_MS, listed)).sizes;
    }
    const [first = 0, last = first] = [state.aheadCheckpoints[0], state.aheadCheckpoints.at(-1)];
    if (last > head.size || first > tree.size + PUBLISH_MAX_ENTRIES) {
      const wrong = last > head.size ? last : first;
      throw new TreeConflict(`R2 holds a checkpoint of size ${wrong}, which this ledger cannot have signed`);
    }
    return state.aheadCheckpoints;
  }
}

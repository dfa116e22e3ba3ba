import { consistencyOf } from "../archive/prove.ts";
import { TreeTiles } from "../archive/tree-tiles.ts";
import type { Witness } from "../env.ts";
import { WITNESS_RETRY_MAX_MS, WITNESS_RETRY_MIN_MS } from "../limits.ts";
import { log } from "../log.ts";
import { count } from "../meter.ts";
import { verifyEd25519 } from "../verify-ed25519.ts";
import { askWitness, type WitnessAnswer } from "./ask-witness.ts";
import type { Core } from "./core.ts";
import { transact } from "./transact.ts";

type Row = { witness: string; size: number; line: string; at: number };

/** No time at which a witness would have to be asked. */
const NEVER = Number.POSITIVE_INFINITY;

/**
 * Asks the witnesses of the deployment to cosign each checkpoint, after it is published and apart from it: one that is
 * slow or down delays neither appends nor checkpoints. Source: C2SP tlog-witness.
 */
export class Witnesses {
  readonly #core: Core;
  readonly #rows: Map<string, Row>;
  /** Those that failed of late: for which size, how often, and when they are asked again. */
  readonly #failed = new Map<string, { size: number; times: number; retryAt: number }>();
  /** Names of those that have not answered yet. */
  readonly #asked = new Set<string>();

  constructor(core: Core) {
    this.#core = core;
    const rows = core.storage.sql.exec<Row>("select witness, size, line, at from cosignature").toArray();
    this.#rows = new Map(rows.map((row) => [row.witness, row]));
  }

  /** When one is asked next; null when all are being asked, have cosigned the newest checkpoint, or will not. */
  dueAt(): number | null {
    const due = Math.min(...this.#idle().map((witness) => this.#askAt(witness)), NEVER);
    return due === NEVER ? null : due;
  }

  /** Cosignatures of the newest checkpoint: lines that follow its note. */
  lines(): string {
    const { size } = this.#core.state.tree;
    const { witnesses } = this.#core.config;
    return witnesses
      .map(({ key }) => this.#rows.get(key.name))
      .map((row) => (row?.size === size ? row.line : ""))
      .join("");
  }

  /** How each stands: the size it cosigned last and when (milliseconds since the epoch), null for never. */
  status(): { name: string; size: number | null; at: number | null }[] {
    return this.#core.config.witnesses.map(({ key: { name } }) => {
      const row = this.#rows.get(name);
      return { name, size: row?.size ?? null, at: row?.at ?? null };
    });
  }

  /** Asks all that are due, each by itself: none waits for another. Never throws. */
  async run(): Promise<void> {
    await Promise.all(this.#idle().map((witness) => this.#askWhileDue(witness)));
  }

  async #askWhileDue(witness: Witness): Promise<void> {
    const { name } = witness.key;
    this.#asked.add(name);
    // While one answers, the next checkpoint may come out.
    while (this.#askAt(witness) <= this.#core.now()) await this.#ask(witness);
    this.#asked.delete(name);
  }

  #idle(): Witness[] {
    return this.#core.config.witnesses.filter(({ key }) => !this.#asked.has(key.name));
  }

  #askAt({ key }: Witness): number {
    const { tree } = this.#core.state;
    if (tree.note === null || this.#rows.get(key.name)?.size === tree.size) return NEVER;
    const failed = this.#failed.get(key.name);
    return failed?.size === tree.size ? failed.retryAt : this.#core.now();
  }

  async #ask(witness: Witness): Promise<void> {
    const { size, note } = this.#core.state.tree;
    const { name } = witness.key;
    if (note === null) return;
    try {
      const answer = await this.#answerOf(witness, { size, note, from: this.#rows.get(name)?.size ?? 0 });
      if (answer.kind === "cosigned")
        await this.#keep({ witness: name, size, line: answer.line, at: answer.timestamp * 1_000 });
      else if (answer.kind === "away") this.#fail(name, { size, away: true, why: answer.why });
      else {
        const why =
          answer.kind === "behind" ? `it saw a tree of ${answer.size} entries, of which this is none` : answer.why;
        this.#fail(name, { size, away: false, why });
      }
    } catch (error) {
      this.#fail(name, { size, away: true, why: String(error) });
    }
  }

  async #keep(row: Row): Promise<void> {
    const { storage } = this.#core;
    transact(this.#core, () =>
      storage.sql.exec(
        `insert into cosignature (witness, size, line, at) values (?1, ?2, ?3, ?4)
         on conflict (witness) do update set size = ?2, line = ?3, at = ?4`,
        row.witness,
        row.size,
        row.line,
        row.at,
      ),
    );
    await storage.sync();
    this.#rows.set(row.witness, row);
    this.#failed.delete(row.witness);
  }

  /** One that refuses is asked with the next checkpoint: nothing else can change its mind. */
  #fail(name: string, { size, away, why }: { size: number; away: boolean; why: string }): void {
    const times = (this.#failed.get(name)?.times ?? 0) + 1;
    const delay = Math.min(WITNESS_RETRY_MAX_MS, WITNESS_RETRY_MIN_MS * 2 ** (times - 1));
    this.#failed.set(name, { size, times, retryAt: away ? this.#core.now() + delay : NEVER });
    count("audit_witness_failures_total", { witness: name, reason: away ? "away" : "refused" });
    log("warn", { message: "a witness did not cosign", org: this.#core.state.org.org, witness: name, error: why });
  }

  /** A witness that cosigned another size than we remember says so, and is asked again from there, once. */
  async #answerOf(
    witness: Witness,
    { size, note, from }: { size: number; note: string; from: number },
  ): Promise<WitnessAnswer> {
    const first = await askWitness(verifyEd25519, witness, await this.#question({ size, note, from }));
    if (first.kind !== "behind" || first.size > size) return first;
    return askWitness(verifyEd25519, witness, await this.#question({ size, note, from: first.size }));
  }

  async #question({ size, note, from }: { size: number; note: string; from: number }) {
    const { state, config } = this.#core;
    const { org, tree } = state;
    const tiles = new TreeTiles(config.archive, { log: org.log, size: tree.size, edge: tree.edge });
    // The empty tree begins every other, and has no proof.
    const hashes = from === 0 ? [] : (await consistencyOf(tiles, { from, to: size, stored: tree.size })).hashes;
    return { from, hashes, checkpoint: note };
  }
}

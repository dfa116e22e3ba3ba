import { GATHER_MS, READ_SESSION_IDLE_MS, SEGMENT_MAX_AGE_MS } from "../limits.ts";
import type { Archiver } from "./archiver.ts";
import type { Core } from "./core.ts";
import type { Projector } from "./projector.ts";
import type { Publisher } from "./publisher.ts";
import { nextCloseAt } from "./reads.ts";
import { nextSealAt } from "./refusals.ts";

/** An alarm this much later than needed is left as it is: setting one is a row written. */
const SLACK_MS = 1_000 + GATHER_MS;

type Parts = { projector: Projector; archiver: Archiver; publisher: Publisher };

/** The net under everything that normally runs right after a commit. One alarm: for the earliest thing that is due. */
export class Alarm {
  readonly #core: Core;
  readonly #projector: Projector;
  readonly #archiver: Archiver;
  readonly #publisher: Publisher;
  /** When the platform's alarm goes off; undefined until it was asked. */
  #setFor: number | null | undefined = undefined;
  /** When a read session or a refusal is due; undefined until storage was asked. */
  #sealAt: number | null | undefined = undefined;

  constructor(core: Core, { projector, archiver, publisher }: Parts) {
    this.#core = core;
    this.#publisher = publisher;
    this.#projector = projector;
    this.#archiver = archiver;
  }

  /**
   * Sets the alarm when none is set, or when something is due before it. `fired`: the one that was set is used up;
   * `refused`: nothing that is due may be done, so it goes off in a while only.
   */
  async arm({ fired, refused }: { fired: boolean; refused: boolean }): Promise<void> {
    const { storage } = this.#core;
    if (fired) this.#setFor = null;
    const due = this.#nextAt();
    if (due === null) return;
    const next = refused ? Math.max(due, this.#core.now() + SEGMENT_MAX_AGE_MS) : due;
    if (this.#setFor === undefined) this.#setFor = await storage.getAlarm();
    if (this.#setFor !== null && this.#setFor <= next + SLACK_MS) return;
    this.#setFor = next;
    await storage.setAlarm(next);
  }

  /** Whether a read session has to be closed or a refusal sealed; cheap, asked after every commit. */
  sealsDue(): boolean {
    const at = this.#sealsAt();
    return at !== null && this.#core.now() >= at;
  }

  /** A read was answered: its session is due in 15 minutes at the earliest. */
  readOpen(): void {
    this.#sealAt = earliest([this.#sealsAt(), this.#core.now() + READ_SESSION_IDLE_MS]);
  }

  /** Something to seal came into being, or was sealed: storage is asked again. */
  sealsChanged(): void {
    this.#sealAt = undefined;
  }

  #sealsAt(): number | null {
    if (this.#sealAt === undefined) {
      const { sql } = this.#core.storage;
      this.#sealAt = earliest([nextCloseAt(sql), nextSealAt(sql)]);
    }
    return this.#sealAt;
  }

  #nextAt(): number | null {
    const { state } = this.#core;
    const now = this.#core.now();
    const missing = state.rebuilding || state.projected === null || state.projected < state.head.size;
    const behind = state.head.size > 0 && missing;
    const projection = behind ? (this.#projector.retryAt ?? now + SEGMENT_MAX_AGE_MS) : null;
    return earliest([
      projection,
      this.#archiver.dueAt(),
      this.#publisher.dueAt(),
      this.#publisher.witnesses.dueAt(),
      this.#sealsAt(),
    ]);
  }
}

function earliest(times: readonly (number | null)[]): number | null {
  const due = times.filter((time) => time !== null);
  return due.length === 0 ? null : Math.min(...due);
}

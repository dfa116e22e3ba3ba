import type { Alarm } from "./alarm.ts";
import type { Core } from "./core.ts";
import { planCloseReads } from "./reads.ts";
import { planSealRefusals } from "./refusals.ts";
import type { Planning, Sequencer } from "./sequencer.ts";

/** Closes read sessions and seals refusals when they are due; one run at a time, so that none is sealed twice. */
export class DueSeals {
  readonly #core: Core;
  readonly #sequencer: Sequencer;
  readonly #alarm: Alarm;
  #running: Promise<void> | null = null;

  constructor(core: Core, { sequencer, alarm }: { sequencer: Sequencer; alarm: Alarm }) {
    this.#core = core;
    this.#sequencer = sequencer;
    this.#alarm = alarm;
  }

  run(): Promise<void> {
    if (!this.#alarm.sealsDue()) return Promise.resolve();
    this.#running ??= this.#sealAll().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #sealAll(): Promise<void> {
    const { sql } = this.#core.storage;
    const plan = (planning: Planning) => planCloseReads({ sql, ...planning }) + planSealRefusals({ sql, ...planning });
    while ((await this.#sequencer.join({ events: 0, bytes: 0, plan })) > 0);
    this.#alarm.sealsChanged();
  }
}

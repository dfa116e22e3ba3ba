import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "../root.ts";
import type { Job, Outcome } from "./job.ts";

type Reply = { id: number; outcome?: Outcome; error?: string };

/** The load process, as seen by who measures. Jobs may run side by side. */
export class Load {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (outcome: Outcome) => void; reject: (error: Error) => void }>();
  #jobs = 0;

  constructor() {
    this.#child = fork(join(ROOT, "bench", "load.ts"), { serialization: "advanced" });
    this.#child.on("message", ({ id, outcome, error }: Reply) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (outcome === undefined) waiting?.reject(new Error(error));
      else waiting?.resolve(outcome);
    });
    this.#child.on("exit", () => {
      for (const { reject } of this.#waiting.values()) reject(new Error("the load process ended"));
    });
  }

  /** Runs a job; fails unless every request was answered with 2xx, for a refusal is faster than the work. */
  async run(job: Job): Promise<Outcome> {
    const outcome = await this.runAny(job);
    const bad = Object.keys(outcome.statuses).filter((status) => !status.startsWith("2"));
    if (bad.length > 0) throw new Error(`answers ${JSON.stringify(outcome.statuses)}: ${outcome.refused}`);
    return outcome;
  }

  /** Runs a job, whatever the answers. */
  runAny(job: Job): Promise<Outcome> {
    const id = this.#jobs++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, job });
    });
  }

  stop(): void {
    this.#child.disconnect();
  }
}

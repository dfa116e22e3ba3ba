/** A reporter that ends a run of the tests which does not end by itself, and names the files it waits for. */
import type { Reporter, TestModule } from "vitest/node";

/** A whole run takes 8 to 12 minutes on two cores; CI gives all of `npm test` 20. */
const LIMIT_MINUTES = 16;

export default class TestLimit implements Reporter {
  readonly #waiting = new Map<string, number>();
  #ended = 0;

  onTestRunStart(): void {
    setTimeout(() => this.#giveUp(), LIMIT_MINUTES * 60_000).unref();
  }

  onTestModuleQueued({ relativeModuleId }: TestModule): void {
    this.#waiting.set(relativeModuleId, Date.now());
  }

  onTestModuleEnd({ relativeModuleId }: TestModule): void {
    this.#waiting.delete(relativeModuleId);
    this.#ended++;
  }

  #giveUp(): void {
    const waiting = [...this.#waiting].map(
      ([file, since]) => `  ${file} (${Math.round((Date.now() - since) / 1_000)} s)`,
    );
    console.error(`The tests did not end in ${LIMIT_MINUTES} minutes: ${this.#ended} files did, and these began:`);
    console.error(waiting.join("\n") || "  none");
    process.exit(1);
  }
}

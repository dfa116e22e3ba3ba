import type { TestContext } from "vitest";

/** Of what is said more often the oldest is forgotten. */
const KEPT_LINES = 200;
const said: string[] = [];
const { log } = console;

for (const level of ["debug", "log", "info", "warn", "error"] as const) {
  console[level] = (...texts: unknown[]) => {
    const line = `${level} ${texts.map(String).join(" ")}`;
    if (said.at(-1) !== line) said.push(line);
    if (said.length > KEPT_LINES) said.shift();
  };
}

/** Keeps what is said during a test, which nobody needs of one that passes; prints it when the test fails. */
export function hear({ task, onTestFailed }: TestContext): void {
  said.length = 0;
  onTestFailed(() => log(`Said during "${task.name}":\n${said.join("\n")}`));
}

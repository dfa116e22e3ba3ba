/** `npm test`, last part: runs every test and closes with one plain line that any CI can read. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";

type Report = { numPassedTests: number; numFailedTests: number; numPendingTests: number; numTodoTests: number };

const OUTPUT = ".cache/vitest.json";

mkdirSync(".cache", { recursive: true });
rmSync(OUTPUT, { force: true });
const run = spawnSync(
  process.execPath,
  [
    "node_modules/vitest/vitest.mjs",
    "run",
    "--reporter=default",
    "--reporter=json",
    "--reporter=./scripts/test-limit.ts",
    `--outputFile.json=${OUTPUT}`,
    ...process.argv.slice(2),
  ],
  {
    stdio: "inherit",
    env: { ...process.env, CLOUDFLARE_CF_FETCH_ENABLED: "false", WRANGLER_SEND_METRICS: "false" },
  },
);
if (!existsSync(OUTPUT)) {
  console.error("The tests did not run to their end; what is above says why.");
  process.exit(run.status || 1);
}
const report = JSON.parse(readFileSync(OUTPUT, "utf8")) as Report;
const skipped = report.numPendingTests + report.numTodoTests;
console.log(`${report.numPassedTests} passed, ${report.numFailedTests} failed, ${skipped} skipped`);
process.exit(run.status ?? 1);

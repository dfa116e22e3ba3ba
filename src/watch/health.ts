import type { Config } from "../env.ts";
import { within } from "../within.ts";

export type Dependency = { name: string; ok: boolean; ms: number };

const ANSWER_MS = 2_000;

/** Asks each store whether it answers. The queue cannot be asked without sending, so it is named and taken as bound. */
export async function checkHealth(config: Config): Promise<{ ok: boolean; dependencies: Dependency[] }> {
  const databases = [["DIRECTORY", config.directory] as const, ...config.cells];
  const dependencies = await Promise.all([
    ...databases.map(([name, database]) => check(name, () => database.prepare("select 1").run())),
    check("ARCHIVE", () => config.archive.head("health")),
    check("ORG_LEDGER", async () => {
      const status = await config.ledgers.getByName("platform").status("platform");
      if (!status.ok && status.refusal.code !== "not_found") throw new Error(status.refusal.detail);
    }),
    check("ORG_JOBS", async () => await config.jobs.getByName("platform").list("platform", "export", null)),
  ]);
  dependencies.push({ name: "INGEST_QUEUE", ok: true, ms: 0 });
  return { ok: dependencies.every(({ ok }) => ok), dependencies };
}

async function check(name: string, ask: () => Promise<unknown>): Promise<Dependency> {
  const began = Date.now();
  try {
    await within(ANSWER_MS, ask());
    return { name, ok: true, ms: Date.now() - began };
  } catch {
    return { name, ok: false, ms: Date.now() - began };
  }
}

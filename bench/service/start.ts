import { existsSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from "wrangler";
import { ROOT } from "../root.ts";
import { applyMigrations } from "./migrations.ts";
import { loadMiniflare, type Miniflare, workerdPath } from "./miniflare.ts";
import { workerdPid } from "./process.ts";

export const ROOT_KEY = "ind_root_bench-bench-bench-bench-bench-bench-bench";
export const SECRETS = {
  ROOT_KEY,
  KEY_PEPPER: "pepper-of-the-bench-".repeat(2),
  INDEX_KEY: "index-key-of-the-bench-".repeat(2),
  LOG_SIGNING_KEY: Buffer.alloc(32, "bench").toString("base64"),
};
/** Answers and does nothing: what HTTP alone costs, here and in the load process. */
const NO_OP = "export default { fetch: () => new Response('ok') }";

export type Service = {
  /** Port of the Worker's own socket: no proxy lies between. */
  port: number;
  noOpPort: number;
  pid: number;
  inspector: string | null;
  database(binding: string): Promise<D1Database>;
  bucket(binding: string): Promise<R2Bucket>;
  stop(): Promise<void>;
};

/** Cells that wrangler.toml binds. */
const CONFIGURED_CELLS = 2;

/**
 * Starts a built Worker on workerd with every binding of wrangler.toml real, local and on disk under `folder`; what lies there
 * from before is kept. `cells`: of those, and beyond them.
 */
export async function startService(
  script: string,
  { folder, inspect = false, cells = CONFIGURED_CELLS }: { folder: string; inspect?: boolean; cells?: number },
): Promise<Service> {
  const { Miniflare, convertV4MiniflareOptions } = loadMiniflare();
  process.env["WRANGLER_LOG"] = "error";
  const kept = existsSync(join(folder, "state"));
  process.env["MINIFLARE_WORKERD_PATH"] = quietWorkerd(folder);
  const config = unstable_readConfig({ config: join(ROOT, "wrangler.toml") });
  const { modulesRules: _, ...worker } = unstable_getMiniflareWorkerOptions(config).workerOptions;
  const unsafeDirectSockets = [{ host: "127.0.0.1" }];
  const { compatibilityDate } = worker;
  const options = convertV4MiniflareOptions({
    workers: [
      {
        ...worker,
        name: "indelible",
        rootPath: dirname(script),
        bindings: { ...(worker.bindings as object), ...SECRETS },
        d1Databases: { ...(worker.d1Databases as object), ...moreCells(cells) },
        modules: true,
        scriptPath: script,
        unsafeDirectSockets,
      },
      { name: "no-op", modules: true, script: NO_OP, compatibilityDate, unsafeDirectSockets },
    ],
  });
  const miniflare = new Miniflare({
    ...options,
    host: "127.0.0.1",
    port: 0,
    cf: false,
    resourcePersistencePath: join(folder, "state"),
    ...(inspect ? { inspectorPort: 0 } : {}),
  });
  await miniflare.ready;
  const database = (binding: string) => miniflare.getD1Database(binding, "indelible");
  const bindings = ["DIRECTORY", ...Array.from({ length: cells }, (_, n) => `CELL_${n}`)];
  if (!kept) for (const binding of bindings) await applyMigrations(await database(binding), binding);
  return {
    port: await portOf(miniflare, "indelible"),
    noOpPort: await portOf(miniflare, "no-op"),
    pid: workerdPid(),
    inspector: inspect ? (await miniflare.getInspectorURL()).href : null,
    database,
    bucket: (binding) => miniflare.getR2Bucket(binding, "indelible"),
    stop: () => miniflare.dispose(),
  };
}

function moreCells(cells: number): Record<string, { id: string }> {
  const names = Array.from({ length: cells }, (_, n) => `CELL_${n}`).slice(CONFIGURED_CELLS);
  return Object.fromEntries(names.map((name) => [name, { id: `bench-${name.toLowerCase()}` }]));
}

/**
 * Workerd with nobody at the end of its log: lines are made and written, as in production, and dropped by the kernel.
 * Read and parsed by this process, each would cost more than the rest of a small request, on the cores that are measured.
 */
function quietWorkerd(folder: string): string {
  const path = join(folder, "workerd");
  writeFileSync(path, `#!/bin/sh\nexec '${workerdPath()}' "$@" > /dev/null\n`, { mode: 0o755 });
  return path;
}

async function portOf(miniflare: Miniflare, worker: string): Promise<number> {
  return Number((await miniflare.unsafeGetDirectURL(worker)).port);
}

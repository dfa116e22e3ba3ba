import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { buildSync } from "esbuild";
import { wranglerEnv } from "../../scripts/start/wrangler.ts";
import { ROOT } from "../root.ts";

/** Builds the Worker, or another `entry`, just as it is deployed; unminified for a profile, whose functions shall have names. */
export function buildWorker(
  folder: string,
  { minify, entry = "src/worker.ts" }: { minify: boolean; entry?: string },
): string {
  const wrangler = join(dirname(createRequire(import.meta.url).resolve("wrangler/package.json")), "bin", "wrangler.js");
  const args = ["deploy", entry, "--dry-run", "--outdir", folder, ...(minify ? ["--minify"] : [])];
  execFileSync(process.execPath, [wrangler, ...args], { cwd: ROOT, env: wranglerEnv(folder), stdio: "pipe" });
  return join(folder, basename(entry).replace(/\.ts$/, ".js"));
}

/** Builds a Worker that only the benchmark knows, from the same sources. */
export function buildBenchWorker(folder: string, file: string): string {
  const outfile = join(folder, file.replace(/\.ts$/, ".js"));
  buildSync({
    entryPoints: [join(ROOT, "bench", file)],
    outfile,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
    logLevel: "error",
  });
  return outfile;
}

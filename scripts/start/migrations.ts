import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { wranglerEnv } from "./wrangler.ts";

const DATABASES = ["DIRECTORY", "CELL_0", "CELL_1"] as const;

type Where = { root: string; state: string; wrangler: string };
export type Migrated = { ok: true; note: string } | { ok: false; message: string };

/** Brings the local databases up to the migrations of this version. What is applied already stays as it is. */
export async function applyMigrations(where: Where): Promise<Migrated> {
  const stamp = join(where.state, "migrations.stamp");
  const print = printOf(where.root);
  // Asking wrangler takes seconds; the stamp lies with the data, so it goes when the data goes.
  const known = existsSync(stamp) && existsSync(join(where.state, "v3", "d1")) && readFileSync(stamp, "utf8") === print;
  if (known) return { ok: true, note: "up to date" };
  const results = await Promise.all(DATABASES.map((name) => applyTo(name, where)));
  const failed = results.find((result) => result.code !== 0);
  if (failed !== undefined) {
    const words = failed.output.trim().split("\n").slice(-12).join("\n");
    return {
      ok: false,
      message: `the migrations of ${failed.name} failed; if its data may go, remove ${where.state}\n\n${words}`,
    };
  }
  writeFileSync(stamp, print);
  return { ok: true, note: DATABASES.join(", ") };
}

function printOf(root: string): string {
  const hash = createHash("sha256");
  for (const folder of ["directory", "cell"]) {
    const path = join(root, "migrations", folder);
    for (const file of readdirSync(path)
      .filter((name) => name.endsWith(".sql"))
      .sort()) {
      hash.update(`${folder}/${file}\0`).update(readFileSync(join(path, file)));
    }
  }
  return hash.digest("hex");
}

function applyTo(
  name: string,
  { root, state, wrangler }: Where,
): Promise<{ name: string; code: number; output: string }> {
  const args = [wrangler, "d1", "migrations", "apply", name, "--local", "--persist-to", state];
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: wranglerEnv(state),
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    child.stdout.on("data", (text) => (output += text));
    child.stderr.on("data", (text) => (output += text));
    child.once("error", (error) => resolve({ name, code: 1, output: error.message }));
    child.once("close", (code) => resolve({ name, code: code ?? 1, output }));
  });
}

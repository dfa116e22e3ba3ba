import { randomBytes } from "node:crypto";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { DEV_VARS } from "../../src/cli/dev-vars.ts";

const SECRETS: Readonly<Record<string, () => string>> = {
  ROOT_KEY: () => `ind_root_${randomBytes(32).toString("base64url")}`,
  KEY_PEPPER: () => randomBytes(32).toString("base64"),
  INDEX_KEY: () => randomBytes(32).toString("base64"),
  LOG_SIGNING_KEY: () => randomBytes(32).toString("base64"),
};

/** Adds fresh secrets to `.dev.vars` for the names that have none; what is there stays. Returns the names added. */
export async function topUpSecrets(directory: string): Promise<string[]> {
  const path = join(directory, DEV_VARS);
  const text = await readFile(path, "utf8").catch(() => "");
  const present = parseEnv(text);
  const missing = Object.keys(SECRETS).filter((name) => !present[name]);
  if (missing.length > 0) {
    const gap = text === "" || text.endsWith("\n") ? "" : "\n";
    const lines = missing.map((name) => `${name}=${SECRETS[name]?.()}\n`);
    await writeFile(path, text + gap + lines.join(""), { mode: 0o600 });
  }
  await chmod(path, 0o600);
  return missing;
}

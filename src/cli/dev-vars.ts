import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";

export const DEV_VARS = ".dev.vars";

/** The secrets of the local service, as `npm start` wrote them; empty when there are none. */
export function readDevVars(directory: string): Record<string, string | undefined> {
  try {
    return parseEnv(readFileSync(join(directory, DEV_VARS), "utf8"));
  } catch {
    return {};
  }
}

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { failed, type Outcome } from "../outcome.ts";
import { applyMap } from "./apply-map.ts";
import { mapFileSchema } from "./map-file.ts";
import type { Mapping } from "./mapping.ts";

/** Reads and checks a `--map` file; every fault is named by pointer. */
export async function readMapFile(path: string): Promise<Outcome<Mapping>> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch {
    return failed(`the map file ${path} cannot be read`, "check the path given with --map");
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return failed(
      `${path} is not JSON: ${error instanceof Error ? error.message : "unreadable"}`,
      "see docs/import.md",
    );
  }
  const checked = mapFileSchema.safeParse(value);
  if (!checked.success) {
    const faults = checked.error.issues.flatMap((issue) => {
      const pointer = issue.path.map((step) => `/${String(step)}`).join("");
      if (issue.code !== "unrecognized_keys") return [`${pointer || "the map"} ${sentence(issue.message)}`];
      return issue.keys.map((key) => `${pointer}/${key} is not a member of a map`);
    });
    return failed(`${path}: ${faults.join("; ")}`, "docs/import.md lists the members and rules");
  }
  const map = checked.data;
  const print = createHash("sha256").update(text).digest("base64url");
  return {
    ok: true,
    value: {
      name: `map:${print}`,
      listPath: map.records?.steps ?? [],
      map: (record, parsed) => applyMap(map, record, parsed),
    },
  };
}

function sentence(message: string): string {
  return message
    .replace(/^Invalid input: expected (\w+), received undefined$/, "is missing")
    .replace(/^Invalid/, "invalid");
}

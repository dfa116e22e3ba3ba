import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../root.ts";

/** Gives a fresh local database its tables. */
export async function applyMigrations(database: D1Database, binding: string): Promise<void> {
  const folder = join(ROOT, "migrations", binding === "DIRECTORY" ? "directory" : "cell");
  const files = readdirSync(folder).filter((name) => name.endsWith(".sql"));
  for (const file of files.sort()) {
    const statements = readFileSync(join(folder, file), "utf8").split("--> statement-breakpoint");
    await database.batch(statements.filter((text) => text.trim() !== "").map((text) => database.prepare(text)));
  }
}

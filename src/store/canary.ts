import { drizzle } from "drizzle-orm/d1";
import { canary } from "./directory-tables.ts";

/** Keeps when a cell's canaries were last found well. The last word stands: a clock that ran ahead is not believed for long. */
export async function saveCanary(db: D1Database, row: { cell: string; good_at: number }): Promise<void> {
  const { good_at } = row;
  await drizzle(db).insert(canary).values(row).onConflictDoUpdate({ target: canary.cell, set: { good_at } });
}

/** When each cell's canaries were last found well, by cell. */
export async function readCanaries(db: D1Database): Promise<Map<string, number>> {
  const rows = await drizzle(db).select().from(canary);
  return new Map(rows.map(({ cell, good_at }) => [cell, good_at]));
}

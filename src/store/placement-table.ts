import { asc, eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { placement } from "./directory-tables.ts";
import type { Placement } from "./placement.ts";

/** Copies a placement of a ledger into the directory; saved again, it stays as it is. */
export async function savePlacement(db: D1Database, row: Placement): Promise<void> {
  await drizzle(db).insert(placement).values(row).onConflictDoNothing();
}

/** All placements of an org, by log and first index. */
export async function listPlacements(db: D1Database, org: string): Promise<Placement[]> {
  return drizzle(db)
    .select()
    .from(placement)
    .where(eq(placement.org, org))
    .orderBy(asc(placement.log), asc(placement.first_index));
}

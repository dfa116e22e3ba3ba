import { asc, eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { placement } from "./directory-tables.ts";
import type { Placement } from "./placement.ts";

/** Copies a placement of a ledger into the directory; saved again, only the number its cell gave the log may change. */
export async function savePlacement(db: D1Database, row: Placement): Promise<void> {
  const { org, log, first_index, cell, org_number } = placement;
  await drizzle(db)
    .insert(placement)
    .values(row)
    .onConflictDoUpdate({
      target: [org, log, first_index],
      set: { org_number: row.org_number },
      setWhere: sql`${cell} = ${row.cell} and ${org_number} <> ${row.org_number}`,
    });
}

/** All placements of an org, by log and first index. */
export async function listPlacements(db: D1Database, org: string): Promise<Placement[]> {
  return drizzle(db)
    .select()
    .from(placement)
    .where(eq(placement.org, org))
    .orderBy(asc(placement.log), asc(placement.first_index));
}

/** The orgs of logs, by log; those of which no placement is known are left out. */
export async function findOrgsOfLogs(db: D1Database, logs: readonly string[]): Promise<Map<string, string>> {
  const { results } = await db
    .prepare("select distinct log, org from placement where log in (select value from json_each(?1))")
    .bind(JSON.stringify(logs))
    .all<{ log: string; org: string }>();
  return new Map(results.map(({ log, org: name }) => [log, name]));
}

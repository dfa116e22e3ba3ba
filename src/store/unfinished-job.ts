import { and, asc, eq, lte, min, notInArray } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { unfinishedJob } from "./directory-tables.ts";

/** Enters a job for the watchdog, or that it was knocked for; `at` in the future: that it is not to be knocked for before. */
export async function saveUnfinished(db: D1Database, row: typeof unfinishedJob.$inferInsert): Promise<void> {
  await drizzle(db)
    .insert(unfinishedJob)
    .values(row)
    .onConflictDoUpdate({ target: [unfinishedJob.org, unfinishedJob.id], set: { at: row.at } });
}

/** Takes a job out, or all of an org but those `except`. */
export async function removeUnfinished(
  db: D1Database,
  org: string,
  which: { id: string } | { except: string[] },
): Promise<void> {
  const chosen = "id" in which ? eq(unfinishedJob.id, which.id) : notInArray(unfinishedJob.id, which.except);
  await drizzle(db)
    .delete(unfinishedJob)
    .where(and(eq(unfinishedJob.org, org), chosen));
}

/** Orgs with jobs that may be knocked for, those first that were not knocked at for the longest time. */
export async function listUnfinishedOrgs(
  db: D1Database,
  { now, limit }: { now: number; limit: number },
): Promise<string[]> {
  const { org, at } = unfinishedJob;
  const rows = await drizzle(db)
    .select({ org })
    .from(unfinishedJob)
    .where(lte(at, now))
    .groupBy(org)
    .orderBy(asc(min(at)))
    .limit(limit);
  return rows.map((row) => row.org);
}

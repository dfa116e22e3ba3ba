import { and, asc, eq, lte, min } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { unfinishedJob } from "./directory-tables.ts";

type Row = typeof unfinishedJob.$inferInsert;

/** Enters a job for the watchdog, or that it was knocked for; `at` in the future: that it is not to be knocked for before. */
export async function saveUnfinished(db: D1Database, row: Row): Promise<void> {
  await drizzle(db)
    .insert(unfinishedJob)
    .values(row)
    .onConflictDoUpdate({ target: [unfinishedJob.org, unfinishedJob.id], set: { at: row.at } });
}

/** Makes these the jobs of an org, however many: those that are there already are written only if they are to be knocked for at another time. */
export async function setUnfinished(db: D1Database, org: string, rows: readonly Omit<Row, "org">[]): Promise<void> {
  const given = JSON.stringify(rows);
  await db.batch([
    db
      .prepare("delete from unfinished_job where org = ?1 and id not in (select value ->> 'id' from json_each(?2))")
      .bind(org, given),
    db
      .prepare(
        `insert into unfinished_job (org, id, kind, at)
         select ?1, value ->> 'id', value ->> 'kind', value ->> 'at' from json_each(?2) where true
         on conflict do update set at = excluded.at where at <> excluded.at`,
      )
      .bind(org, given),
  ]);
}

/** Takes a job out. */
export async function removeUnfinished(db: D1Database, { org, id }: Pick<Row, "org" | "id">): Promise<void> {
  await drizzle(db)
    .delete(unfinishedJob)
    .where(and(eq(unfinishedJob.org, org), eq(unfinishedJob.id, id)));
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

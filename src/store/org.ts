import { asc, eq, gt } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { assert } from "../errors.ts";
import { org as orgs } from "./directory-tables.ts";

export type OrgRow = typeof orgs.$inferSelect;

/** Enters an org once; what is entered already stays as it is. Returns what stands. */
export async function createOrg(db: D1Database, row: OrgRow): Promise<OrgRow> {
  await drizzle(db).insert(orgs).values(row).onConflictDoNothing();
  const stored = await readOrg(db, row.org);
  assert(stored !== null, "an org just entered can be read");
  return stored;
}

export async function readOrg(db: D1Database, org: string): Promise<OrgRow | null> {
  return (await drizzle(db).select().from(orgs).where(eq(orgs.org, org)).get()) ?? null;
}

/** Orgs in order of their names as ids, those after `after`. */
export async function listOrgs(
  db: D1Database,
  { after, limit }: { after: string | null; limit: number },
): Promise<OrgRow[]> {
  return drizzle(db)
    .select()
    .from(orgs)
    .where(after === null ? undefined : gt(orgs.org, after))
    .orderBy(asc(orgs.org))
    .limit(limit);
}

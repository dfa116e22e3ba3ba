import { asc, lt, or } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { ledgerGauge } from "./directory-tables.ts";

export type GaugeRow = typeof ledgerGauge.$inferSelect;

/** Keeps what a ledger last said of itself; an older word than the one kept is ignored. */
export async function saveGauge(db: D1Database, row: GaugeRow): Promise<void> {
  const { org: _, ...said } = row;
  await drizzle(db)
    .insert(ledgerGauge)
    .values(row)
    .onConflictDoUpdate({ target: ledgerGauge.org, set: said, setWhere: lt(ledgerGauge.at, row.at) });
}

/** The gauges of all orgs, by org. */
export async function readGauges(db: D1Database): Promise<GaugeRow[]> {
  return drizzle(db).select().from(ledgerGauge).orderBy(asc(ledgerGauge.org));
}

/** Orgs whose ledger last said that D1, R2 or the tree lag behind it, the longest silent first. */
export async function listLagging(db: D1Database, limit: number): Promise<string[]> {
  const { org, size, projected, archived, published, at } = ledgerGauge;
  const lagging = or(lt(projected, size), lt(archived, size), lt(published, size));
  const rows = await drizzle(db).select({ org }).from(ledgerGauge).where(lagging).orderBy(asc(at)).limit(limit);
  return rows.map((row) => row.org);
}

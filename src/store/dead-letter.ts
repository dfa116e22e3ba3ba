import { and, asc, count, desc, eq, gt, lte, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { deadLetter } from "./directory-tables.ts";

/** `dead` waits for a person, `parked` for its `next_at`, `replayed` is sequenced. */
export type DeadLetterState = "dead" | "parked" | "replayed";
export type DeadLetterRow = typeof deadLetter.$inferSelect;

/** Enters a dead letter once: a message delivered again changes nothing. */
export async function saveDeadLetter(db: D1Database, row: DeadLetterRow): Promise<void> {
  await drizzle(db).insert(deadLetter).values(row).onConflictDoNothing();
}

export async function readDeadLetter(db: D1Database, id: string): Promise<DeadLetterRow | null> {
  return (await drizzle(db).select().from(deadLetter).where(eq(deadLetter.id, id)).get()) ?? null;
}

/** Dead letters, last stored first; `after` is the id of the last one seen. */
export async function listDeadLetters(
  db: D1Database,
  { state, after, limit }: { state?: DeadLetterState | undefined; after: string | null; limit: number },
): Promise<DeadLetterRow[]> {
  const seen = sql`(${deadLetter.stored_at}, ${deadLetter.id}) <
    (select seen.stored_at, seen.id from ${deadLetter} as seen where seen.id = ${after})`;
  return drizzle(db)
    .select()
    .from(deadLetter)
    .where(and(state === undefined ? undefined : eq(deadLetter.state, state), after === null ? undefined : seen))
    .orderBy(desc(deadLetter.stored_at), desc(deadLetter.id))
    .limit(limit);
}

/** Sets what became of a dead letter; false when there is none of that id. */
export async function markDeadLetter(
  db: D1Database,
  id: string,
  change: { state: DeadLetterState; attempts: number; next_at: number | null; reason?: string | undefined },
): Promise<boolean> {
  const { reason, ...rest } = change;
  const marked = await drizzle(db)
    .update(deadLetter)
    .set(reason === undefined ? rest : { ...rest, reason })
    .where(eq(deadLetter.id, id));
  return marked.meta.changes > 0;
}

/** Parked ones whose time has come, the longest due first. */
export async function dueParked(db: D1Database, now: number, limit: number): Promise<DeadLetterRow[]> {
  return drizzle(db)
    .select()
    .from(deadLetter)
    .where(and(eq(deadLetter.state, "parked"), lte(deadLetter.next_at, now)))
    .orderBy(asc(deadLetter.next_at))
    .limit(limit);
}

/** Those of an org, by id; `after` is the last one seen. */
export async function deadLettersOf(
  db: D1Database,
  org: string,
  { after, limit }: { after: string | null; limit: number },
): Promise<DeadLetterRow[]> {
  return drizzle(db)
    .select()
    .from(deadLetter)
    .where(and(eq(deadLetter.org, org), after === null ? undefined : gt(deadLetter.id, after)))
    .orderBy(asc(deadLetter.id))
    .limit(limit);
}

/** How many there are in each state. */
export async function countDeadLetters(db: D1Database): Promise<Record<DeadLetterState, number>> {
  const rows = await drizzle(db)
    .select({ state: deadLetter.state, count: count() })
    .from(deadLetter)
    .groupBy(deadLetter.state);
  const counts = { dead: 0, parked: 0, replayed: 0 };
  for (const row of rows) counts[row.state] = row.count;
  return counts;
}

import { count } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { org, sampleTurn } from "./directory-tables.ts";
import { listOrgs } from "./org.ts";

const MINUTES_A_DAY = 1_440;
const DAY_MS = MINUTES_A_DAY * 60_000;

/**
 * The orgs whose turn it is, `limit` at most: by name, each once a day, spread over its minutes. They are taken before
 * anything is done for them, so that of two that ask at once one gets them; what a crash takes with it has its turn a day later.
 * One row is written where there is such an org: 1,440 a day at most, $0.04 a month.
 */
export async function takeTurn(db: D1Database, { now, limit }: { now: number; limit: number }): Promise<string[]> {
  const day = Math.floor(now / DAY_MS);
  const minute = Math.floor((now - day * DAY_MS) / 60_000);
  const before = (await drizzle(db).select().from(sampleTurn).get()) ?? null;
  const today = before?.day === day ? before : { day, orgs: await countOrgs(db), done: 0 };
  const due = Math.min(limit, Math.ceil((today.orgs * (minute + 1)) / MINUTES_A_DAY) - today.done);
  if (due <= 0) return [];
  const orgs = await nextOrgs(db, { after: before?.reached ?? null, limit: due });
  const [reached] = orgs.slice(-1);
  if (reached === undefined) return [];
  const taken = await db
    .prepare(
      `insert into sample_turn (only, day, orgs, done, reached) values (0, ?1, ?2, ?3, ?4)
       on conflict (only) do update set day = ?1, orgs = ?2, done = ?3, reached = ?4 where day = ?5 and done = ?6`,
    )
    .bind(day, today.orgs, today.done + due, reached, before?.day ?? null, before?.done ?? null)
    .run();
  return taken.meta.changes === 1 ? orgs : [];
}

/** Past the last name the round begins again. */
async function nextOrgs(db: D1Database, { after, limit }: { after: string | null; limit: number }): Promise<string[]> {
  const orgs = await listOrgs(db, { after, limit });
  const again = orgs.length < limit ? await listOrgs(db, { after: null, limit: limit - orgs.length }) : [];
  return [...new Set([...orgs, ...again].map((row) => row.org))];
}

async function countOrgs(db: D1Database): Promise<number> {
  const row = await drizzle(db).select({ orgs: count() }).from(org).get();
  return row?.orgs ?? 0;
}

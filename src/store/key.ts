import { and, asc, eq, gt, isNull } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import * as z from "zod";
import { type Scope, scopeSchema } from "../schema/caller.ts";
import { key as keys } from "./directory-tables.ts";

/**
 * A key as the directory knows it. `org` null: a platform key, for the orgs in `orgs` (null: every one). `hash` is the hex
 * SHA-256 of the whole key, null in the copy of an org key.
 */
export type KeyRow = {
  id: string;
  org: string | null;
  name: string;
  scopes: Scope[];
  hash: string | null;
  orgs: string[] | null;
  created_at: number;
  revoked_at: number | null;
};

/** Enters a key once; what is entered already stays as it is, revoked or not. */
export async function saveKey(db: D1Database, row: KeyRow): Promise<void> {
  await drizzle(db).insert(keys).values(row).onConflictDoNothing();
}

export async function readKey(db: D1Database, id: string): Promise<KeyRow | null> {
  const row = await drizzle(db).select().from(keys).where(eq(keys.id, id)).get();
  return row === undefined ? null : toKey(row);
}

/** Keys of an org, or the platform's when it is null, by id, those after `after`. */
export async function listKeys(
  db: D1Database,
  org: string | null,
  { after, limit }: { after: string | null; limit: number },
): Promise<KeyRow[]> {
  const rows = await drizzle(db)
    .select()
    .from(keys)
    .where(and(org === null ? isNull(keys.org) : eq(keys.org, org), after === null ? undefined : gt(keys.id, after)))
    .orderBy(asc(keys.id))
    .limit(limit);
  return rows.map(toKey);
}

/** Revokes a key; the time of the first revocation stays. False when there is no such key. */
export async function revokeKey(db: D1Database, id: string, at: number): Promise<boolean> {
  await drizzle(db)
    .update(keys)
    .set({ revoked_at: at })
    .where(and(eq(keys.id, id), isNull(keys.revoked_at)));
  return (await readKey(db, id)) !== null;
}

const scopesShape = z.array(scopeSchema);
const orgsShape = z.array(z.string()).nullable();

function toKey(row: typeof keys.$inferSelect): KeyRow {
  return { ...row, scopes: scopesShape.parse(row.scopes), orgs: orgsShape.parse(row.orgs) };
}

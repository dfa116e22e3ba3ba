import { and, asc, eq, getTableColumns, gt, isNull, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import * as z from "zod";
import { log } from "../log.ts";
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

/** A row that is no key: nobody may be let in by it, and nothing but its id and the columns at fault is told of it. */
export class CorruptKey extends Error {
  override name = "CorruptKey";
}

/** Enters a key once; what is entered already stays as it is, revoked or not. */
export async function saveKey(db: D1Database, row: KeyRow): Promise<void> {
  await drizzle(db).insert(keys).values(row).onConflictDoNothing();
}

/** Throws `CorruptKey` for a row that is none. */
export async function readKey(db: D1Database, id: string): Promise<KeyRow | null> {
  const row = await drizzle(db).select(COLUMNS).from(keys).where(eq(keys.id, id)).get();
  return row === undefined ? null : toKey(row);
}

/** Keys of an org, or the platform's when it is null, by id, those after `after`; a corrupt row is logged and passed over. */
export async function listKeys(
  db: D1Database,
  org: string | null,
  { after, limit }: { after: string | null; limit: number },
): Promise<KeyRow[]> {
  const rows = await drizzle(db)
    .select(COLUMNS)
    .from(keys)
    .where(and(org === null ? isNull(keys.org) : eq(keys.org, org), after === null ? undefined : gt(keys.id, after)))
    .orderBy(asc(keys.id))
    .limit(limit);
  return rows.flatMap((row) => {
    try {
      return [toKey(row)];
    } catch (error) {
      log("error", { message: "a key of the directory is corrupt", error: String(error) });
      return [];
    }
  });
}

/** Revokes a key; the time of the first revocation stays. False when there is no such key. */
export async function revokeKey(db: D1Database, id: string, at: number): Promise<boolean> {
  await drizzle(db)
    .update(keys)
    .set({ revoked_at: at })
    .where(and(eq(keys.id, id), isNull(keys.revoked_at)));
  return (await readKey(db, id)) !== null;
}

/** JSON columns as the text they hold: what is no JSON would fail the whole list. */
const COLUMNS = {
  ...getTableColumns(keys),
  scopes: sql<string>`${keys.scopes}`,
  orgs: sql<string | null>`${keys.orgs}`,
};

const json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue("is not JSON");
    return z.NEVER;
  }
});
const instant = z.int().min(0).max(8.64e15);
const rowShape = z.object({
  id: z.string(),
  org: z.string().nullable(),
  name: z.string(),
  scopes: json.pipe(z.array(scopeSchema)),
  hash: z.string().nullable(),
  orgs: json.pipe(z.array(z.string())).nullable(),
  created_at: instant,
  revoked_at: instant.nullable(),
});

function toKey(row: z.input<typeof rowShape>): KeyRow {
  const checked = rowShape.safeParse(row);
  if (checked.success) return checked.data;
  const columns = new Set(checked.error.issues.map(({ path }) => String(path[0])));
  throw new CorruptKey(`${row.id}: ${[...columns].join(", ")}`);
}

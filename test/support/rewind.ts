import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { evict } from "./faults.ts";

type Rows = Record<string, Record<string, SqlStorageValue>[]>;

/** Everything a ledger's storage holds, to be put back later. */
export function snapshotOf(org: string): Promise<Rows> {
  return runInDurableObject(env.ORG_LEDGER.getByName(org), (_, { storage }) => {
    const rows: Rows = {};
    for (const table of tablesOf(storage.sql)) rows[table] = storage.sql.exec(`select * from ${table}`).toArray();
    return rows;
  });
}

/** Sets a ledger's storage back to a snapshot, or to nothing, as a restore of it does, and lets it start anew. */
export async function rewindTo(org: string, snapshot: Rows | null): Promise<void> {
  await evict(org);
  await runInDurableObject(env.ORG_LEDGER.getByName(org), async (_, { storage }) => {
    if (snapshot === null) return storage.deleteAll();
    storage.transactionSync(() => {
      for (const table of tablesOf(storage.sql)) {
        storage.sql.exec(`delete from ${table}`);
        for (const row of snapshot[table] ?? []) {
          const names = Object.keys(row);
          const marks = names.map(() => "?").join(", ");
          storage.sql.exec(`insert into ${table} (${names.join(", ")}) values (${marks})`, ...Object.values(row));
        }
      }
    });
  });
  await evict(org);
}

function tablesOf(sql: SqlStorage): string[] {
  const tables = sql.exec<{ name: string }>("select name from sqlite_master where type = 'table'").toArray();
  return tables.map(({ name }) => name).filter((name) => !name.startsWith("_cf") && !name.startsWith("sqlite"));
}

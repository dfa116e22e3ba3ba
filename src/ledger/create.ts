import { randomBytes } from "node:crypto";
import type { LedgerPlacement, OrgSettings } from "../schema/ledger.ts";
import { createTables } from "./tables.ts";

/** What an org's log begins with. `log` is its origin; `by` the name of the key that asked. */
export type Creation = { log: string; settings: OrgSettings; placement: LedgerPlacement; by: string; now: number };

/** Writes the tables and what is fixed for ever: org, origin, first placement, print key. */
export function createOrg(storage: DurableObjectStorage, org: string, { log, settings, placement, now }: Creation) {
  storage.transactionSync(() => {
    createTables(storage.sql);
    storage.sql.exec(
      "insert into org (only, org, log, created_at, print_key, settings) values (0, ?, ?, ?, ?, ?)",
      org,
      log,
      now,
      randomBytes(32),
      JSON.stringify(settings),
    );
    storage.sql.exec(
      "insert into placement (first_index, log, cell, org_number) values (?, ?, ?, ?)",
      placement.first_index,
      placement.log,
      placement.cell,
      placement.org_number,
    );
  });
}

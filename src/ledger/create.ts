import { randomBytes } from "node:crypto";
import { assert } from "../errors.ts";
import type { Act } from "../schema/act.ts";
import type { LedgerPlacement, OrgSettings } from "../schema/ledger.ts";
import { Draft } from "./draft.ts";
import { savePlaced } from "./placements.ts";
import { sealAct } from "./service-entry.ts";
import { loadState } from "./state.ts";
import { createTables } from "./tables.ts";

/** What an org's log begins with. `log` is its origin; `by` the name of the key that asked. */
export type Creation = { log: string; settings: OrgSettings; placement: LedgerPlacement; by: string; now: number };

/**
 * Writes the tables, what is fixed for ever (org, origin, first placement, print key) and the log's first entry, which
 * says so, in one transaction: there is no log without its beginning.
 */
export function createOrg(storage: DurableObjectStorage, org: string, creation: Creation): void {
  const { now } = creation;
  const { sql } = storage;
  storage.transactionSync(() => {
    enterOrg(sql, org, creation);
    const state = loadState(sql);
    assert(state !== null, "an org just written can be read");
    const draft = new Draft(state, now);
    sealAct(draft, orgAct("indelible.org.created", org, creation), now);
    draft.commit(sql);
  });
}

/**
 * The same for a log that R2 or D1 still hold though the ledger's storage has lost all of it: no entry is written, for the
 * first one is sealed already. The start-up comparison rolls it forward from nothing; when it was created, its entries say.
 */
export function reviveOrg(storage: DurableObjectStorage, org: string, creation: Creation): void {
  storage.transactionSync(() => enterOrg(storage.sql, org, { ...creation, now: 0 }));
}

function enterOrg(sql: SqlStorage, org: string, { log, settings, placement, now }: Creation): void {
  createTables(sql);
  sql.exec(
    "insert into org (only, org, log, created_at, print_key, settings) values (0, ?, ?, ?, ?, ?)",
    org,
    log,
    now,
    randomBytes(32),
    JSON.stringify(settings),
  );
  savePlaced(sql, placement);
}

/** The act of giving an org its settings. */
export function orgAct(action: Act["action"], org: string, { by, settings }: Pick<Creation, "by" | "settings">): Act {
  const actor = { type: "key", id: by };
  return {
    action,
    category: "config_change",
    actor,
    key: by,
    targets: [{ type: "org", id: org }],
    metadata: { settings },
  };
}

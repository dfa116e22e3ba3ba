import { index, integer, primaryKey, real, sqliteTable, text } from "drizzle-orm/sqlite-core";

/**
 * The directory: what the service must find without knowing the org's ledger. No entry and no personal datum of an event
 * is in it. Times (`…_at`) are milliseconds since 1970.
 */
export const org = sqliteTable("org", {
  org: text("org").primaryKey(),
  name: text("name").notNull(),
  jurisdiction: text("jurisdiction").notNull(),
  /** The cell that takes the org's first range. */
  cell: text("cell").notNull(),
  created_at: integer("created_at").notNull(),
});

/** Platform keys (`org` null), and copies of org keys for lists: the originals are in the org's ledger. */
export const key = sqliteTable(
  "key",
  {
    id: text("id").primaryKey(),
    org: text("org"),
    name: text("name").notNull(),
    scopes: text("scopes", { mode: "json" }).notNull(),
    /** Hex SHA-256 of the whole key; null in a copy, which nobody is checked against. */
    hash: text("hash"),
    orgs: text("orgs", { mode: "json" }),
    created_at: integer("created_at").notNull(),
    revoked_at: integer("revoked_at"),
  },
  (table) => [index("key_by_org").on(table.org, table.id)],
);

/** Entries of `log` from `first_index` on, until its next placement, are projected to `cell`. */
export const placement = sqliteTable(
  "placement",
  {
    org: text("org").notNull(),
    log: text("log").notNull(),
    first_index: integer("first_index").notNull(),
    cell: text("cell").notNull(),
    org_number: integer("org_number").notNull(),
  },
  (table) => [primaryKey({ columns: [table.org, table.log, table.first_index] })],
);

/** Messages that could not be sequenced; their bodies are in R2 under the same id. `bytes` is the body's size. */
export const deadLetter = sqliteTable(
  "dead_letter",
  {
    id: text("id").primaryKey(),
    state: text("state", { enum: ["dead", "parked", "replayed"] }).notNull(),
    /** Null when the message did not even name its org. */
    org: text("org"),
    code: text("code").notNull(),
    reason: text("reason").notNull(),
    received_at: integer("received_at").notNull(),
    stored_at: integer("stored_at").notNull(),
    attempts: integer("attempts").notNull(),
    /** When a parked one is tried again. */
    next_at: integer("next_at"),
    bytes: integer("bytes").notNull(),
  },
  (table) => [
    index("dead_letter_by_age").on(table.stored_at, table.id),
    index("dead_letter_due").on(table.state, table.next_at),
  ],
);

/** Counters, added to by every isolate. `labels` is Prometheus label text, without braces. */
export const metric = sqliteTable(
  "metric",
  { name: text("name").notNull(), labels: text("labels").notNull(), value: real("value").notNull() },
  (table) => [primaryKey({ columns: [table.name, table.labels] })],
);

/** What each ledger last said of itself: entries sealed, projected, archived and published, and how old the oldest waiting are. */
export const ledgerGauge = sqliteTable("ledger_gauge", {
  org: text("org").primaryKey(),
  size: integer("size").notNull(),
  projected: integer("projected").notNull(),
  archived: integer("archived").notNull(),
  oldest_unprojected_at: integer("oldest_unprojected_at"),
  oldest_unarchived_at: integer("oldest_unarchived_at"),
  at: integer("at").notNull(),
  published: integer("published").notNull().default(0),
  oldest_unpublished_at: integer("oldest_unpublished_at"),
});

/** When all of a cell's canaries were last read back as they should be. */
export const canary = sqliteTable("canary", { cell: text("cell").primaryKey(), good_at: integer("good_at").notNull() });

/** One row: how far the day's turns are. `orgs`: as many as there were when it began; `reached`: the org that had its turn last. */
export const sampleTurn = sqliteTable("sample_turn", {
  only: integer("only").primaryKey(),
  day: integer("day").notNull(),
  orgs: integer("orgs").notNull(),
  done: integer("done").notNull(),
  reached: text("reached"),
});

/** Jobs with something left to do, for the watchdog: when each was created, or last knocked for, or is to be for the first time. */
export const unfinishedJob = sqliteTable(
  "unfinished_job",
  {
    org: text("org").notNull(),
    id: text("id").notNull(),
    kind: text("kind").notNull(),
    at: integer("at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.org, table.id] })],
);

import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/**
 * A cell's tables beside its ring of month slots (`entry_NN`, `term_NN`), which are made by a migration written by hand:
 * drizzle knows no virtual tables. Rows are never deleted from `org_number`, so no number is given out twice.
 * @public read by drizzle-kit
 */
export const orgNumber = sqliteTable("org_number", {
  org_number: integer("org_number").primaryKey(),
  log: text("log").notNull().unique(),
});

/**
 * The fence: `next` is the index of the log's first entry that is not yet projected here. `head_mac` is the ledger's word for
 * the log up to there; null while nothing is projected.
 */
export const cursor = sqliteTable("cursor", {
  org_number: integer("org_number").primaryKey(),
  log: text("log").notNull(),
  next: integer("next").notNull(),
  head_mac: text("head_mac"),
});

/**
 * How many entries were sequenced on `day` (UTC, YYYY-MM-DD) with this category, action, set of target types and result.
 * One table serves statistics by action and by target type: two would cost every single append one more row written.
 * `target_types`: distinct types in order, joined by line feeds (no type holds one); empty when there are no targets.
 * @public read by drizzle-kit
 */
export const counter = sqliteTable(
  "counter",
  {
    org_number: integer("org_number").notNull(),
    day: text("day").notNull(),
    category: text("category").notNull(),
    action: text("action").notNull(),
    target_types: text("target_types").notNull(),
    result: text("result").notNull(),
    count: integer("count").notNull(),
  },
  (table) => [
    primaryKey({
      columns: [table.org_number, table.day, table.category, table.action, table.target_types, table.result],
    }),
  ],
);

/**
 * The days (UTC, YYYY-MM-DD) an action was first and last sequenced with a schema version. At most one row is written for
 * each action, version and day: a busy org with 200 actions pays $0.006 a month, at $1 a million rows.
 * @public read by drizzle-kit
 */
export const actionSeen = sqliteTable(
  "action_seen",
  {
    org_number: integer("org_number").notNull(),
    action: text("action").notNull(),
    version: integer("version").notNull(),
    first_day: text("first_day").notNull(),
    last_day: text("last_day").notNull(),
  },
  (table) => [primaryKey({ columns: [table.org_number, table.action, table.version] })],
);

/**
 * What of a log has left this cell: entries below `before` are proven in R2, so a slot that holds no others may be dropped.
 * The ledger's word comes first, this copy after it: it may lag, and is never ahead.
 * @public read by drizzle-kit
 */
export const cooled = sqliteTable("cooled", {
  org_number: integer("org_number").primaryKey(),
  before: integer("before").notNull(),
});

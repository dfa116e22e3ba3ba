import { genesisPrev } from "../chain/genesis.ts";
import { base64url } from "../chain/encoding.ts";
import { assert } from "../errors.ts";
import { LARGE_EXPORT_ROWS } from "../limits.ts";
import type { Holds } from "../schema/hold.ts";
import type { LedgerPlacement, OrgSettings } from "../schema/ledger.ts";
import { NO_POLICY } from "../schema/policy.ts";
import { sha256 } from "../sha256.ts";
import { loadSwitches, type Switches } from "./closed.ts";
import { type Cold, loadCold } from "./cold.ts";
import { type EarlierLog, loadEarlier, predecessorOf } from "./earlier.ts";
import { loadHolds } from "./holds.ts";
import { loadStanding, type Standing } from "./quarantines.ts";
import { addLaterTables, hasTables } from "./tables.ts";
import { loadTree, type Tree } from "./tree.ts";

/** The newest sealed entry: `size` entries exist, `prev` is the entry hash the next leaf names (base64url). */
export type Head = { size: number; prev: string; sequencedAt: number };

type Org = {
  org: string;
  log: string;
  createdAt: number;
  printKey: Uint8Array;
  settings: OrgSettings;
};

/**
 * What a ledger knows in memory, all of it read from its tables: after a failed write it is read anew, and storage wins.
 * `unstaged` bounds: entries below `archived` are in R2 segments, those below `projected` in D1.
 */
export type State = {
  org: Org;
  head: Head;
  archived: number;
  projected: number | null;
  placements: LedgerPlacement[];
  /** The logs before this one, oldest first: none, but where an operator had to begin a new one. */
  earlier: EarlierLog[];
  /** What of each log is in R2 alone, by the log's number. */
  cold: ReadonlyMap<number, Cold>;
  /** Whether entries may be read. */
  switches: Switches;
  /** Windows under quarantine. */
  standing: readonly Standing[];
  /** Legal holds that stand. */
  holds: Holds;
  /** D1 is being emptied, to be made anew. */
  rebuilding: boolean;
  tree: Tree;
  /** When the oldest entry under no checkpoint was sequenced; null when all are. */
  oldestUnpublishedAt: number | null;
  /** Sizes of the checkpoints R2 holds beyond the tree, in order; null when it has to be asked before anything is signed. */
  aheadCheckpoints: number[] | null;
  /** Entries and bytes still staged. */
  backlog: { entries: number; bytes: number };
  /** Bytes of staged entries that no segment holds yet. */
  unarchivedBytes: number;
  /** When the oldest entry not yet archived was sequenced; null when all are. */
  oldestUnarchivedAt: number | null;
};

/** What settings kept before there were these say of them. */
const LATER_SETTINGS: Pick<
  OrgSettings,
  "public_log" | "cors_origins" | "require_reason" | "retention" | "large_export_rows"
> = {
  public_log: false,
  cors_origins: [],
  require_reason: false,
  retention: NO_POLICY,
  large_export_rows: LARGE_EXPORT_ROWS,
};

/** Reads the state; null when the org was never created. */
export function loadState(sql: SqlStorage): State | null {
  if (!hasTables(sql)) return null;
  addLaterTables(sql);
  const row = sql
    .exec<{ org: string; log: string; created_at: number; print_key: ArrayBuffer; settings: string }>(
      "select org, log, created_at, print_key, settings from org",
    )
    .one();
  const org: Org = {
    org: row.org,
    log: row.log,
    createdAt: row.created_at,
    printKey: new Uint8Array(row.print_key),
    settings: { ...LATER_SETTINGS, ...(JSON.parse(row.settings) as Omit<OrgSettings, keyof typeof LATER_SETTINGS>) },
  };
  type Newest = { last: number; head: string; sequenced_at: number };
  const [segment] = sql
    .exec<Newest>("select last, head, sequenced_at from segment order by first desc limit 1")
    .toArray();
  const [staged] = sql
    .exec<Newest>("select first + count - 1 as last, head, sequenced_at from staged order by first desc limit 1")
    .toArray();
  const archived = segment === undefined ? 0 : segment.last + 1;
  const newest = staged ?? segment;
  if (staged !== undefined && segment !== undefined) assert(staged.last >= segment.last, "staged rows end at the head");
  const earlier = loadEarlier(sql);
  const head: Head =
    newest === undefined
      ? genesisHead(org, earlier)
      : { size: newest.last + 1, prev: newest.head, sequencedAt: newest.sequenced_at };
  const placements = sql
    .exec<LedgerPlacement>("select log, first_index, cell, org_number from placement order by first_index")
    .toArray();
  const rebuilding = sql.exec("select 1 from rebuild").toArray().length > 0;
  const tree = loadTree(sql);
  assert(tree.size <= head.size, "a checkpoint is of entries that exist");
  return {
    org,
    head,
    archived,
    projected: null,
    placements,
    earlier,
    cold: loadCold(sql),
    switches: loadSwitches(sql),
    standing: loadStanding(sql),
    holds: loadHolds(sql),
    rebuilding,
    tree,
    oldestUnpublishedAt: unpublishedSince(sql, { tree, head }),
    aheadCheckpoints: null,
    ...loadBacklog(sql, archived),
  };
}

/** The head of a log without entries. */
function genesisHead({ log: origin, createdAt }: Org, earlier: readonly EarlierLog[]): Head {
  const prev = base64url(genesisPrev(sha256, { origin, predecessor: predecessorOf(earlier) }));
  return { size: 0, prev, sequencedAt: earlier.at(-1)?.ended_at ?? createdAt };
}

/** Reads what is staged. */
function loadBacklog(
  sql: SqlStorage,
  archived: number,
): Pick<State, "backlog" | "unarchivedBytes" | "oldestUnarchivedAt"> {
  const found = sql
    .exec<{ entries: number; bytes: number; unarchived: number; oldest: number | null }>(
      `select coalesce(sum(count), 0) as entries, coalesce(sum(bytes), 0) as bytes,
         coalesce(sum(iif(first >= ?1, bytes, 0)), 0) as unarchived,
         min(iif(first >= ?1, sequenced_at, null)) as oldest
       from staged`,
      archived,
    )
    .one();
  const { entries, bytes, unarchived, oldest } = found;
  return { backlog: { entries, bytes }, unarchivedBytes: unarchived, oldestUnarchivedAt: oldest };
}

/** When the first entry from `index` on was sequenced; null when there is none staged. */
export function sequencedAtOf(sql: SqlStorage, index: number): number | null {
  const [row] = sql
    .exec<{ sequenced_at: number }>(
      "select sequenced_at from staged where first + count > ? order by first limit 1",
      index,
    )
    .toArray();
  return row?.sequenced_at ?? null;
}

/** When the oldest entry under no checkpoint was sequenced, as far as staged rows tell; null when all are under one. */
export function unpublishedSince(sql: SqlStorage, { tree, head }: Pick<State, "tree" | "head">): number | null {
  return tree.size === head.size ? null : (sequencedAtOf(sql, tree.size) ?? head.sequencedAt);
}

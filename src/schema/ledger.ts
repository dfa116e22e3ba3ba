import type { SectionText } from "../chain/record.ts";
import type { RateLimit, Result } from "../errors.ts";
import type { Caller, Scope, Viewer } from "./caller.ts";
import type { Category } from "./names.ts";
import type { RetentionPolicy } from "./policy.ts";
import type { ReadsClosed } from "./reads.ts";

/** How an event came. */
export type Delivery = "direct" | "queued" | "binding" | "import" | "replay";

/** An event cut into section texts, as sent: no default and no member of ours is in it yet. */
export type CutEvent = {
  id: string | null;
  action: string;
  /** The client's own word; the ledger decides. */
  category: Category | null;
  /** The `event` section without category and the members the ledger adds: the text of a JSON object. */
  event: string;
  sections: SectionText[];
};

/** Events that are sealed together or not at all. `position` is that of the first one in the request it came with. */
export type Batch = {
  batch: string;
  received_at: string;
  delivery: Delivery;
  position: number;
  /** The id under which the whole request would have been one batch, when this is a later part of it. */
  part_of: string | null;
  /** Whether its id was made for it: nobody can have used it through another door. */
  fresh?: boolean;
  events: CutEvent[];
};

/** What an acknowledgement says of one event. `entry_hash` is base64url; `log` is there where it is not the org's newest. */
export type Receipt = {
  id: string;
  index: number;
  log?: string;
  entry_hash: string;
  sequenced_at: string;
  duplicate: boolean;
};

export type Appended = { receipts: Receipt[]; size: number };

/** What one caller wants appended; the answer has one result a batch, in order. */
export type Append = { caller: Caller; batches: Batch[] };
export type AppendAnswer = Result<Result<Appended>[]>;

/** Settings of an org that its ledger obeys. */
export type OrgSettings = {
  name: string;
  jurisdiction: "none";
  /** `sealed`: the trace of a read is sealed before the answer leaves; `queued`: it is handed to the queue. */
  access_log: "sealed" | "queued";
  /** Whether checkpoint, tiles, entry bundles and bare proofs are for everybody. Sections never are. */
  public_log: boolean;
  /** Origins whose pages may read the answers. */
  cors_origins: string[];
  /** Whether nobody reads entries without saying why. */
  require_reason: boolean;
  /** How long entries to come are kept. */
  retention: RetentionPolicy;
  /** Exports of more entries are flagged for review. */
  large_export_rows: number;
};

/** Where a range of a log's entries is projected: entries from `first_index` on, until the next placement. */
export type LedgerPlacement = { log: string; first_index: number; cell: string; org_number: number };

/** A key of an org as lists show it; the key itself is shown once and kept by nobody. */
export type OrgKey = { id: string; name: string; scopes: Scope[]; created_at: string; revoked_at: string | null };

/** A key to be entered: `hash` is the hex SHA-256 of the whole key. */
export type NewKey = { id: string; name: string; scopes: Scope[]; hash: string };

/** A viewer token as its ledger seals that it was minted. `expires_at` in milliseconds. */
export type NewViewerToken = Viewer & { scopes: Scope[]; restriction: Restriction | null; expires_at: number };

/** What a request wants changed of an org's settings; members not named stay as they are. */
export type SettingsPatch = Partial<Pick<OrgSettings, Exclude<keyof OrgSettings, "jurisdiction">>>;

/** What a reader needs to know of one log of an org. */
export type LogGrant = {
  /** Counts an org's logs, from 1 on. */
  number: number;
  log: string;
  /** P of its genesis: the text of the last checkpoint of the log it continues; empty for an org's first. */
  predecessor: string;
  /** Entries the ledger vouches for, and the entry hash of the newest (for an empty log: what index 0 names as `prev`). */
  size: number;
  head: string;
  /** When the newest was sequenced: a ledger's clock may be ahead of its reader's. */
  head_at: string;
  /** Entries that can be listed: all below this index. */
  visible: number;
  /** Entries that are in R2 alone: all below this index. The others, up to `visible`, are in D1. */
  cold_before: number;
  /** The newest checkpoint: `root` is base64. Null before the first. */
  checkpoint: { size: number; root: string; at: string } | null;
  created_at: string;
  placements: LedgerPlacement[];
  /** Windows `[from, to)` of indexes that are under quarantine: their entries are shown with every section withheld. */
  quarantined: Quarantined[];
};

type Quarantined = { id: string; from: number; to: number };

/** What a viewer may see at most: each member given must hold. */
export type Restriction = { target?: { type: string; id: string }; categories?: Category[] };

/** What a reader needs to know of an org and its newest log, given out only together with the permission to read. */
export type ReadGrant = LogGrant & {
  key: string;
  /** Who reads with a token; null for who has the key itself. */
  viewer: Viewer | null;
  personal: boolean;
  access_log: OrgSettings["access_log"];
  require_reason: boolean;
  cors_origins: OrgSettings["cors_origins"];
  /** How much more this reader may read; empty where nothing was taken. */
  limits: RateLimit[];
  /** Null: every entry of the org may be read. */
  restriction: Restriction | null;
  /** The logs this one continues, newest first. */
  earlier: LogGrant[];
};

/**
 * The published tree of a log: all that proofs and tiles need beside the full tiles in R2. `edge` is the bytes of
 * `edgeTiles(size)`, joined; `note` the newest checkpoint, null before the first.
 */
export type TreeView = { log: string; size: number; edge: Uint8Array; note: string | null; public: boolean };

/**
 * `minSize` entries are put under a checkpoint first. `log`: the number of one of the org's logs, null for the newest.
 * `network`: where the question came from. `forEntry`: to prove an entry the caller was shown.
 */
export type TreeQuestion = { minSize: number; log: number | null; network: string; forEntry: boolean };

/** One answered read: what makes its session (`route`, `filter`) and what this answer adds. */
export type ReadAnswer = {
  route: string;
  filter: string;
  reason: string | null;
  ip: string | null;
  user_agent: string | null;
  request_id: string | null;
  results: number;
  /** Lowest and highest index answered, null when none. */
  range: { from: number; to: number } | null;
  /** The id of the message that brought it, where it came through the queue: delivered twice, it counts once. */
  batch?: string;
};

/**
 * What an answer rests on of its reader's grant: the quarantines that were withheld, and below which index each of the org's logs, the oldest first, was
 * read from R2 alone.
 */
export type Known = { quarantines: string[]; cold: number[] };

/** What is asked of the lease that one run at a time has. */
export type LeaseAct = "take" | "claim" | "renew" | "release";

/** How a ledger stands. Counts of entries; `projected` is null while D1 has not been asked yet. Times in ms. */
export type LedgerStatus = {
  log: string;
  name: string;
  size: number;
  /** Whether appends are taken. */
  ingestion: "accepting" | "overloaded";
  /** Why the ledger refuses appends since it started; null when it does not. */
  refusal: string | null;
  projected: number | null;
  archived: number;
  backlog: { entries: number; bytes: number };
  oldest_unarchived_at: number | null;
  projection: "running" | "waiting";
  /** Entries under the newest checkpoint; `stopped`: a store contradicts the tree, `conflict` says how, and nothing is signed. */
  published: number;
  oldest_unpublished_at: number | null;
  publishing: "running" | "waiting" | "stopped";
  conflict: string | null;
  /** The size each witness cosigned last, and when, in milliseconds since the epoch. */
  witnesses: { name: string; size: number | null; at: number | null }[];
  rebuilding: boolean;
  /** Entries of the newest log that are in R2 alone: all below this index. */
  cold_before: number;
  /** The org's own switch, when it is closed. */
  reads: ReadsClosed | null;
  /** The logs before this one, oldest first: how many entries the ledger vouches for, and how many a checkpoint covers. */
  earlier: { log: string; size: number; published: number }[];
  placements: { first_index: number; cell: string; org_number: number }[];
};

import type { Claimed } from "./claims.ts";
import type { Sha256 } from "./sha256.ts";
import type { Cause, Verdict } from "./verify-causes.ts";
import type { Report } from "./verify-report.ts";
import type { StoredRow } from "./verify-row.ts";
import { LogWalk } from "./verify-walk.ts";

export type { Report } from "./verify-report.ts";
export type { StoredRow } from "./verify-row.ts";

/**
 * What is walked: the rows of `log` at `from … size-1`, and whatever lies beyond. `trusted` is the entry hash of index
 * `size-1`; when it is null, nothing is vouched for. `genesis` is null unless `from` is 0. Absences `withheld` from a
 * reader are unexplained, as they are in a store, unless `allowWithheld`. With `maxClaims` causes to be settled a walk rests: it
 * ends above `from`, and another goes on there.
 */
export type WalkRange = {
  log: string;
  genesis: Uint8Array | null;
  size: number;
  from: number;
  trusted: string | null;
  maxBreaks: number;
  allowWithheld?: boolean;
  maxClaims?: number;
};

/**
 * What is said to be absent, by cause, as far as a walk could not refute it; `cause` is null where it did not go over that. Who
 * has the lists of the causes settles it; what nobody settles is judged by its cause alone.
 */
export type OpenClaims = {
  takeClaims(): { claimed: Claimed; cause: Cause | null }[];
  settle(claimed: Claimed, verdict: Verdict): void;
};

/** A verification under way. Its memory does not grow with the log, only with the breaks, up to `maxBreaks`. */
export type Walk = {
  /** Takes the next row. Rows come newest first, those of one index in any order, those beyond the head before all. */
  row(row: StoredRow): void;
  /**
   * How far it is: `at` is the next index expected, `from` the last that it will take. A stopped walk takes no more: it has found too
   * many breaks, or rests.
   */
  progress(): { checked: number; breaks: number; at: number; from: number; stopped: boolean };
  /** Where another walk may go on, and the hash vouched for there; every row of the indexes above must have come. */
  next(): { index: number; trusted: string | null };
  /** What is said to be absent in the rows that came, to be settled before the report. */
  claims(): OpenClaims;
  /** Ends the walk: indexes that got no row are missing. The same report every time. */
  report(): Report;
};

/**
 * Starts a verification of stored rows, from the trusted end to the oldest: each intact leaf vouches for the hash of
 * the one before. Sections are opened, links followed, and every break is blamed on one entry and kind.
 */
export function createWalk(sha256: Sha256, range: WalkRange): Walk {
  return new LogWalk(sha256, range);
}

import { DamagedSegment, LostSegment, readSegment, type Segment } from "../archive/segment.ts";
import { readRow } from "../chain/verify-row.ts";
import type { Config } from "../env.ts";
import { askSegments, segmentsAlong } from "../query/name-segments.ts";
import { COOL_STEP_MAX_SEGMENTS } from "../limits.ts";
import type { LogGrant } from "../schema/ledger.ts";
import { sha256 } from "../sha256.ts";
import { vouchedLines } from "../verify/vouched-lines.ts";

/** Segments that hold the same entry: one as the ledger names it, with the entry hash of its last; or what R2 lists. */
type Named = { head: string | null; copies: Segment[] };

/** What is wrong in R2, where entries cannot be proven. */
export type ArchiveFault = { kind: "missing" | "damaged" | "misrouted"; index: number; place: string };

/**
 * How far a log is proven: entries below `next` are in R2, and `prev` is the entry hash of the last of them, null where proving
 * began. `end`: the next entry was sequenced later than what is asked for, or is not in R2 yet.
 */
export type Proven = { next: number; prev: string | null; end: boolean; fault: ArchiveFault | null };

/** An earlier log's names come from R2 itself, so only its last entry says that all before it are right. */
type Task = { log: LogGrant; newest: boolean; until: number };

/**
 * Proves that entries of a log sequenced before `until` are in R2, some segments from `next` on: each is read back, holds what its
 * name vouches for, every section opens what its leaf commits, every entry names the one before, and the last is the one
 * the ledger knows. Throws when a store does not answer.
 */
export async function proveSome(
  config: Config,
  org: string,
  { log, newest, until }: Task,
  from: Pick<Proven, "next" | "prev">,
): Promise<Proven> {
  let { next, prev } = from;
  const end = newest ? log.size : Math.min(log.size, Date.parse(log.head_at) < until ? log.size : log.cold_before);
  if (next >= end) return { next, prev, end: true, fault: null };
  for (const { head, copies } of await copiesFrom(config, org, { log, newest, next })) {
    const found = await linesOf(
      config,
      copies.filter(({ first, last }) => first <= next && next <= last),
    );
    if (!found.ok) {
      const place = copies[0]?.name ?? "segment";
      return failed({ next, prev }, { kind: found.kind, index: next, place });
    }
    const { segment, lines } = found;
    const last = { index: segment.last, line: lines.at(-1) ?? "" };
    const expect = head ?? readRow(sha256, log.log, last).hash ?? "";
    const vouched = vouchedLines(log, { first: segment.first, lines, expect });
    if (!vouched.ok) {
      const kind = vouched.foreign ? "misrouted" : "damaged";
      return failed({ next, prev }, { kind, index: vouched.index, place: segment.name });
    }
    const rights = vouched.value.slice(next - segment.first);
    if (prev !== null && rights[0]?.prev !== prev) {
      return failed({ next, prev }, { kind: "damaged", index: next, place: segment.name });
    }
    for (const { sequencedAt, hash } of rights) {
      if (sequencedAt >= until) {
        // An earlier log is asked for when it ends before: its last entry is what says that these are its own.
        if (!newest) return failed({ next, prev }, { kind: "damaged", index: next, place: segment.name });
        return { next, prev, end: true, fault: null };
      }
      next++;
      prev = hash;
    }
    if (!newest && next >= end) return endOf(log, { next, prev }, segment);
  }
  // Where the ledger names no more segments, the rest is not archived yet.
  return { next, prev, end: next === from.next, fault: null };
}

/** An earlier log ends where the ledger's own storage of it did. */
function endOf({ head }: LogGrant, at: Pick<Proven, "next" | "prev">, { name }: Segment): Proven {
  if (at.prev === head) return { ...at, end: true, fault: null };
  return failed(at, { kind: "damaged", index: at.next - 1, place: name });
}

function failed(at: Pick<Proven, "next" | "prev">, fault: ArchiveFault): Proven {
  return { ...at, end: true, fault };
}

async function copiesFrom(
  config: Config,
  org: string,
  { log, newest, next }: { log: LogGrant; newest: boolean; next: number },
): Promise<Named[]> {
  const range = { low: next, high: log.size, order: "asc", limit: COOL_STEP_MAX_SEGMENTS } as const;
  if (!newest) return [{ head: null, copies: await segmentsAlong(config, org, { log, newest, ...range }) }];
  const named = await askSegments(config, org, { log: log.number, ...range });
  return named.map(({ head, ...segment }) => ({ head, copies: [segment] }));
}

type Held = { ok: true; segment: Segment; lines: string[] } | { ok: false; kind: "missing" | "damaged" };

/** The first of the copies that holds what its name vouches for. */
async function linesOf(config: Config, copies: readonly Segment[]): Promise<Held> {
  let kind: "missing" | "damaged" = "missing";
  for (const segment of copies) {
    try {
      return { ok: true, segment, lines: await readSegment(config.archive, segment) };
    } catch (error) {
      if (!(error instanceof LostSegment)) throw error;
      if (error instanceof DamagedSegment) kind = "damaged";
    }
  }
  return { ok: false, kind };
}

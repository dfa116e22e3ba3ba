import { listSegments, type Segment } from "../archive/segment.ts";
import { absenceListText } from "../chain/absence-list.ts";
import type { Config } from "../env.ts";
import { segmentsHolding } from "../query/name-segments.ts";
import {
  ABSENCE_LIST_MAX_ENTRIES,
  ERASURE_LIST_MAX_CHARACTERS,
  R2_LIST_MAX_KEYS,
  REMOVE_STEP_MS,
  REMOVE_STEP_SEGMENTS,
  SEGMENT_MAX_ENTRIES,
} from "../limits.ts";
import type { Run } from "../export/withdraw.ts";
import { grantFor } from "../verify/confirm-faults.ts";
import { aboutSubject, type Wanted, withNames } from "./about-subject.ts";
import {
  type Chunk,
  chunkFrom,
  type ErasureProgress,
  NONE_BLIND,
  NONE_HELD,
  withBlind,
  withHeld,
} from "./erasure-progress.ts";
import { holdingNow } from "./held-by.ts";
import { readThere } from "./read-there.ts";
import type { Holding } from "./remove.ts";

type Log = ErasureProgress["logs"][number];
type Searched = { log: Log; newest: boolean; holding: Holding; wanted: Wanted };

/**
 * What a run of entries holds of a subject: sections by index, entries a hold keeps, names. `past`: the first index after it. Nobody can search
 * those of its entries that have `expired`, nor (`unreadable`) any while some object that holds them is not in R2 as it was stored.
 */
type Found = {
  past: number;
  sections: Map<number, string[]>;
  held: Set<number>;
  names: string[];
  expired: Run[];
  unreadable: boolean;
};

/**
 * Searches some segments for what is about a subject, of hot and cold entries alike: every entry is in one, whatever the search index knows.
 * A list that is full, or at the end of its log, goes on to be sealed; one made under holds that have changed begins anew.
 */
export async function searchStep(
  config: Config,
  org: string,
  { wanted, progress }: { wanted: Omit<Wanted, "names">; progress: ErasureProgress },
): Promise<ErasureProgress> {
  const { logs, at } = progress;
  const log = logs.find(({ number }) => number === at.log);
  if (log === undefined) return afterRound(progress);
  const [holding, grant] = await Promise.all([holdingNow(config, org), grantFor(config, org)]);
  const { version } = progress.chunk;
  if (version !== null && version !== holding.version) return searchAnew(progress);
  const chunk = { ...progress.chunk, version: holding.version };
  let { names } = progress;
  let { expired, unreadable } = progress.blind;
  let { index } = at;
  const newest = grant.number === log.number;
  const deadline = Date.now() + REMOVE_STEP_MS;
  let full = false;
  for (let count = 0; count < REMOVE_STEP_SEGMENTS && index < log.size && !full && Date.now() < deadline; count++) {
    const found = await searchSegment(config, org, { log, newest, holding, wanted: { ...wanted, names } }, index);
    names = withNames(names, found.names);
    for (const run of found.expired) expired = withBlind(expired, run, SEGMENT_MAX_ENTRIES);
    const taken = takeInto(chunk, found);
    if (found.unreadable) {
      chunk.unreadable += taken - index;
      // An export names which it misses, to the entry.
      unreadable = withBlind(unreadable, { log: log.number, first: index, last: taken - 1 }, 1);
    }
    const held = [...found.held].filter((one) => one < taken).map((one) => ({ log: log.number, index: one }));
    chunk.held = withHeld(chunk.held, { entries: held.length, indexes: held });
    full = taken < found.past;
    index = taken;
  }
  const next = { ...progress, at: { log: log.number, index }, chunk, names, blind: { expired, unreadable } };
  if (full) return { ...next, phase: "seal" };
  if (index < log.size) return next;
  return chunk.entries > 0 ? { ...next, phase: "seal" } : afterChunk(next);
}

/** Adds what fits into the list; answers the first index that is not in it any more. */
function takeInto(chunk: Chunk, { sections, past }: Found): number {
  for (const [index, names] of [...sections].sort(([a], [b]) => a - b)) {
    const text = absenceListText(new Map([[index, names]]));
    if (chunk.entries === ABSENCE_LIST_MAX_ENTRIES) return index;
    if (chunk.list.length + text.length > ERASURE_LIST_MAX_CHARACTERS) return index;
    chunk.list += text;
    chunk.entries++;
  }
  return past;
}

/** Begins the list of a chunk anew. */
export function searchAnew(progress: ErasureProgress): ErasureProgress {
  const { from } = progress.chunk;
  return { ...progress, phase: "search", at: { log: progress.at.log, index: from }, chunk: chunkFrom(from) };
}

/** Goes on behind a chunk whose list was carried out, or named nothing. */
export function afterChunk(progress: ErasureProgress): ErasureProgress {
  const { at, chunk, logs } = progress;
  const held = withHeld(progress.held, chunk.held);
  const unreadable = progress.unreadable + chunk.unreadable;
  const size = logs.find(({ number }) => number === at.log)?.size ?? 0;
  const next = at.index < size ? at : { log: at.log + 1, index: 0 };
  return { ...progress, phase: "search", held, unreadable, at: next, chunk: chunkFrom(next.index) };
}

/** Everything was searched: once more, if anything was found. */
function afterRound(progress: ErasureProgress): ErasureProgress {
  if (!progress.found) return { ...progress, phase: "elsewhere" };
  const at = { log: 1, index: 0 };
  return {
    ...progress,
    round: progress.round + 1,
    found: false,
    held: NONE_HELD,
    unreadable: 0,
    blind: NONE_BLIND,
    at,
    chunk: chunkFrom(0),
  };
}

/** As it stands in a line that lets something go; within a section its quotes are escaped. */
const EXPIRED = '"cause":"expired"';

async function searchSegment(config: Config, org: string, searched: Searched, index: number): Promise<Found> {
  const { log, newest, holding, wanted } = searched;
  const { segments, past } = await segmentsAt(config, org, { log, newest, index });
  const unreadable = segments.length === 0;
  const found: Found = { past, sections: new Map(), held: new Set(), names: [], expired: [], unreadable };
  for (const segment of segments) {
    const lines = await readThere(config, org, { of: { log, newest }, segment });
    if (lines === null) {
      found.unreadable = true;
      continue;
    }
    for (let at = index; at < past; at++) {
      const line = lines[at - segment.first] as string;
      if (line.includes(EXPIRED)) found.expired.push({ log: log.number, first: at, last: at });
      const about = aboutSubject(line, wanted);
      found.names.push(...about.names);
      if (about.sections.length === 0) continue;
      if (holding.covers({ log: log.number, index: at, line })) found.held.add(at);
      else found.sections.set(at, [...(found.sections.get(at) ?? []), ...about.sections]);
    }
  }
  return found;
}

/** The segments that hold an entry, and the first index after them; of an earlier log there may be none, up to the next there is. */
async function segmentsAt(
  config: Config,
  org: string,
  { log, newest, index }: { log: Log; newest: boolean; index: number },
): Promise<{ segments: Segment[]; past: number }> {
  const segments = await segmentsHolding(config, org, { log, newest, index });
  if (segments.length > 0) return { segments, past: Math.min(log.size, ...segments.map(({ last }) => last + 1)) };
  const next = await listSegments(config.archive, { log: log.log, from: index, limit: R2_LIST_MAX_KEYS });
  return { segments, past: Math.min(log.size, next[0]?.first ?? log.size) };
}

import { absenceListText } from "../chain/absence-list.ts";
import type { Config } from "../env.ts";
import {
  ABSENCE_LIST_MAX_ENTRIES,
  ERASURE_LIST_MAX_CHARACTERS,
  REMOVE_STEP_MS,
  SEARCH_STEP_SEGMENTS,
  SEGMENT_MAX_ENTRIES,
} from "../limits.ts";
import type { Sought } from "../schema/erasure.ts";
import { quoterOf } from "../store/quoted.ts";
import { grantFor } from "../verify/confirm-faults.ts";
import { aboutSubject, type Wanted, withNames } from "./about-subject.ts";
import {
  blindBefore,
  type Chunk,
  chunkFrom,
  type ErasureProgress,
  NONE_BLIND,
  NONE_HELD,
  withBlind,
  withHeld,
} from "./erasure-progress.ts";
import { holdingNow } from "./held-by.ts";
import { readAlong, type Stretch } from "./read-along.ts";
import type { Holding } from "./remove.ts";

type Searching = { log: number; holding: Holding; wanted: Wanted };

/**
 * What a run of entries holds of a subject, by index: sections, entries a hold keeps, names. Nobody can search those of its entries that have
 * `expired`, nor (`unreadable`) any while some object that holds them is not in R2 as it was stored.
 */
type Found = {
  sections: Map<number, string[]>;
  held: Set<number>;
  names: Map<number, Set<string>>;
  expired: Set<number>;
  unreadable: boolean;
};

/**
 * Searches some segments for what is about a subject, of hot and cold entries alike: every entry is in one, whatever the search index knows.
 * A list that is full, or at the end of its log, goes on to be sealed; one made under holds that have changed begins anew.
 */
export async function searchStep(
  config: Config,
  org: string,
  { sought, progress }: { sought: Sought; progress: ErasureProgress },
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
  let wanted = wantedOf(sought, names);
  let { index } = at;
  const newest = grant.number === log.number;
  const deadline = Date.now() + REMOVE_STEP_MS;
  let full = false;
  const along = { of: { log, newest }, from: index, to: log.size, limit: SEARCH_STEP_SEGMENTS };
  for await (const stretch of readAlong(config, org, along)) {
    const here = searchStretch(stretch, { log: log.number, holding, wanted });
    const taken = takeInto(chunk, here, stretch.past);
    // What does not fit any more is read again.
    const isTaken = (one: number) => one < taken;
    // Once names are given, they are all that is looked for.
    if (sought.names === undefined) {
      const called = [...here.names].flatMap(([one, texts]) => (isTaken(one) ? [...texts] : []));
      const more = withNames(names, called);
      if (more.names.length > names.length) wanted = wantedOf(sought, more.names);
      names = more.names;
      // The first round reads every entry as it was; later ones read again what a hold has kept of them.
      if (progress.round === 1) chunk.names_left += more.left;
    }
    for (const one of [...here.expired].filter(isTaken))
      expired = withBlind(expired, { log: log.number, first: one, last: one }, SEGMENT_MAX_ENTRIES);
    if (here.unreadable && taken > index) {
      chunk.unreadable += taken - index;
      // An export names which it misses, to the entry.
      unreadable = withBlind(unreadable, { log: log.number, first: index, last: taken - 1 }, 1);
    }
    const held = [...here.held].filter(isTaken).map((one) => ({ log: log.number, index: one }));
    chunk.held = withHeld(chunk.held, { entries: held.length, indexes: held });
    full = taken < stretch.past;
    index = taken;
    if (full || Date.now() >= deadline) break;
  }
  const blind = { expired, unreadable };
  // What was read before a name was known is to be read for it.
  const found = progress.found || names.length > progress.names.length;
  const next = { ...progress, at: { log: log.number, index }, chunk, names, blind, found };
  if (full) return { ...next, phase: "seal" };
  if (index < log.size) return next;
  return chunk.entries > 0 ? { ...next, phase: "seal" } : afterChunk(next);
}

/** Whom to look for, by what is known of them. */
function wantedOf({ subject, sections }: Sought, names: readonly string[]): Wanted {
  return { subject, sections, quotes: quoterOf([subject.id, ...names]) };
}

/** Adds what fits into the list; answers the first index that is not in it any more. */
function takeInto(chunk: Chunk, { sections }: Found, past: number): number {
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
  const at = { log: progress.at.log, index: from };
  const { expired, unreadable } = progress.blind;
  const blind = { expired: blindBefore(expired, at), unreadable: blindBefore(unreadable, at) };
  return { ...progress, phase: "search", at, blind, chunk: chunkFrom(from) };
}

/** Goes on behind a chunk whose list was carried out, or named nothing. */
export function afterChunk(progress: ErasureProgress): ErasureProgress {
  const { at, chunk, logs } = progress;
  const held = withHeld(progress.held, chunk.held);
  const unreadable = progress.unreadable + chunk.unreadable;
  const names_left = progress.names_left + chunk.names_left;
  const size = logs.find(({ number }) => number === at.log)?.size ?? 0;
  const next = at.index < size ? at : { log: at.log + 1, index: 0 };
  return { ...progress, phase: "search", held, unreadable, names_left, at: next, chunk: chunkFrom(next.index) };
}

/** Everything was searched: once more, if anything was found, or what the subject is called. */
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

function searchStretch({ from, past, copies }: Stretch, { log, holding, wanted }: Searching): Found {
  const unreadable = copies.length === 0;
  const found: Found = { sections: new Map(), held: new Set(), names: new Map(), expired: new Set(), unreadable };
  for (const { segment, lines } of copies) {
    if (lines === null) {
      found.unreadable = true;
      continue;
    }
    for (let at = from; at < past; at++) {
      const line = lines[at - segment.first] as string;
      if (line.includes(EXPIRED)) found.expired.add(at);
      const about = aboutSubject(line, wanted);
      if (about.names.length > 0) found.names.set(at, new Set([...(found.names.get(at) ?? []), ...about.names]));
      if (about.sections.length === 0) continue;
      if (holding.covers({ log, index: at, line })) found.held.add(at);
      else found.sections.set(at, [...(found.sections.get(at) ?? []), ...about.sections]);
    }
  }
  return found;
}

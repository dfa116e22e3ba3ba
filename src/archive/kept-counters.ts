import { R2_LIST_MAX_KEYS } from "../limits.ts";
import { DAY_PATTERN } from "../schema/names.ts";

/**
 * What the entries of one UTC day counted as that were in one placement: rows of the counters and actions seen, by their
 * columns. `at`: the index of one of these entries; it says in which placement they are, should there be more by then.
 */
export type KeptPart = {
  at: number;
  counters: [category: string, action: string, target_types: string, result: string, count: number][];
  seen: [action: string, version: number][];
};

function prefixOf(log: string): string {
  return `counters/${log}/`;
}

/** `counters/<log>/<day>.json`: a day that is over counts the same for ever, so it is put once. */
function nameOf(log: string, day: string): string {
  return `${prefixOf(log)}${day}.json`;
}

/** Puts a day's counters unless they are there: those were made while more of the day's entries were. */
export async function putKeptCounters(
  bucket: R2Bucket,
  { log, day, parts }: { log: string; day: string; parts: readonly KeptPart[] },
): Promise<void> {
  await bucket.put(nameOf(log, day), JSON.stringify({ v: 1, day, parts }), {
    onlyIf: { etagDoesNotMatch: "*" },
    httpMetadata: { contentType: "application/json" },
  });
}

/** A day's counters; null when R2 does not have them. */
export async function readKeptCounters(
  bucket: R2Bucket,
  { log, day }: { log: string; day: string },
): Promise<KeptPart[] | null> {
  const object = await bucket.get(nameOf(log, day));
  if (object === null) return null;
  const kept = await object.json<{ v: number; parts: KeptPart[] }>();
  if (kept.v !== 1) throw new Error(`the counters of ${day} are of version ${kept.v}, which is not known here`);
  return kept.parts;
}

/** The days of a log whose counters are kept, from `from` to `to`, both included. */
export async function listKeptDays(
  bucket: R2Bucket,
  { log, from, to }: { log: string; from: string; to: string },
): Promise<Set<string>> {
  const prefix = prefixOf(log);
  const days = new Set<string>();
  // Before a day comes nothing but its own beginning.
  for (let startAfter = `${prefix}${from}`; ; ) {
    const listed = await bucket.list({ prefix, startAfter, limit: R2_LIST_MAX_KEYS });
    for (const { key } of listed.objects) {
      const day = key.slice(prefix.length, -".json".length);
      if (day > to) return days;
      // A log that continues this one lies under the same prefix.
      if (DAY_PATTERN.test(day)) days.add(day);
    }
    if (!listed.truncated) return days;
    startAfter = listed.objects.at(-1)?.key ?? startAfter;
  }
}

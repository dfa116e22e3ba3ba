import { LostSegment, readSegment, type Segment } from "../archive/segment.ts";
import type { Config } from "../env.ts";
import { log as say } from "../log.ts";
import { type NamedLog, segmentsHolding } from "../query/name-segments.ts";

/**
 * The lines of a segment; null when it is not in R2 as it was stored, which is no reason to leave the others as they are. Throws when R2 does not
 * answer, or when the segment was written anew meanwhile.
 */
export async function readThere(
  config: Config,
  org: string,
  { of, segment }: { of: NamedLog; segment: Segment },
): Promise<string[] | null> {
  try {
    return await readSegment(config.archive, segment);
  } catch (error) {
    if (!(error instanceof LostSegment)) throw error;
    const asked = { ...of, index: segment.first };
    // Of an earlier log R2 itself says what there is.
    const named = of.newest ? await segmentsHolding(config, org, asked) : [segment];
    if (!named.some(({ name }) => name === segment.name)) throw error;
    say("error", { message: "entries are not in R2 as they were stored, and are passed over", segment: segment.name });
    return null;
  }
}

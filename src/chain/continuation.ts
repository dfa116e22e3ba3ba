import { checkpointText } from "./note/checkpoint.ts";
import { noteText } from "./note/note.ts";
import type { Sha256 } from "./sha256.ts";

/** The origin of an org's log: its first has the org's own, a later one its number under it. */
export function originOfLog(first: string, number: number): string {
  return number === 1 ? first : `${first}/${number}`;
}

/**
 * Which log of its org an origin names. An org's name has three characters or more, so that one or two digits at the
 * end are a log's number and never an org.
 */
export function placeInOrg(origin: string): { first: string; number: number } {
  const [, first, number] = /^(.+)\/([2-9]|[1-9]\d)$/.exec(origin) ?? [];
  return first === undefined ? { first: origin, number: 1 } : { first, number: Number(number) };
}

/** P of the log that continues this one: the text of its last checkpoint; where it never had one, that of the empty tree. */
export function predecessorText(sha256: Sha256, { origin, note }: { origin: string; note: string | null }): string {
  if (note !== null) return noteText(note);
  return checkpointText({ origin, size: 0, root: sha256(new Uint8Array(0)) });
}

import { createHash } from "node:crypto";
import { ID_MAX_CHARACTERS } from "../../limits.ts";
import { eventIdSchema } from "../../schema/names.ts";

/** How much of an over-long id stays readable in front of its hash. */
const KEPT_CHARACTERS = 140;

/** The event id for a source's own id, or for a record that has none: the same every time, so a second import adds nothing. */
export function eventId(sourceId: string | undefined, recordText: string): string {
  if (sourceId === undefined) return `sha256-${hash(recordText)}`;
  return eventIdSchema.safeParse(sourceId).success ? sourceId : `sha256-${hash(sourceId)}`;
}

/** An actor's or target's id as the service takes it: one that is too long keeps its beginning and gets its hash. */
export function subjectId(id: string): string {
  if (id.length <= ID_MAX_CHARACTERS) return id;
  const kept = id.slice(0, KEPT_CHARACTERS).replace(/[\ud800-\udbff]$/, "");
  return `${kept}~sha256-${hash(id)}`;
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}

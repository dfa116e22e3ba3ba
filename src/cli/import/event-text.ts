/** JSON as it was written: goes into an event character for character. */
export class SourceText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type Part = string | number | SourceText | Part[] | { [name: string]: Part | undefined };

/** Writes an event as JSON text; members that are undefined are left out, source texts are kept as they are. */
export function eventText(part: Part): string {
  if (typeof part === "string" || typeof part === "number") return JSON.stringify(part);
  if (part instanceof SourceText) return part.text;
  if (Array.isArray(part)) return `[${part.map(eventText).join(",")}]`;
  const members: string[] = [];
  for (const [name, value] of Object.entries(part)) {
    if (value !== undefined) members.push(`${JSON.stringify(name)}:${eventText(value)}`);
  }
  return `{${members.join(",")}}`;
}

/** The object without its undefined members, or undefined when none is left. */
export function sent<T extends { [name: string]: Part | undefined }>(part: T): T | undefined {
  return Object.values(part).some((value) => value !== undefined) ? part : undefined;
}

import { assert } from "../errors.ts";
import { EVENT_MAX_DEPTH } from "../limits.ts";
import { afterString } from "./source-scan.ts";
import { scanSource, type Shape } from "./source-text.ts";

/** A member of an object: its name decoded, and name and value as they stand in the text. */
export type SourceMember = { name: string; nameText: string; text: string };

const FREE: Shape = { kind: "free" };
const QUOTE = 0x22;

/**
 * The members of a free value, in the order of its text, those of one name all of them; null for a value that is no object.
 * The text is one that `JSON.parse` accepted, at most EVENT_MAX_DEPTH deep.
 */
export function sourceMembers(text: string): SourceMember[] | null {
  let at = afterSpace(text, 0);
  if (text[at] !== "{") return null;
  const members: SourceMember[] = [];
  for (at = afterSpace(text, at + 1); text[at] !== "}"; ) {
    const nameEnd = afterString(text, at);
    const nameText = text.slice(at, nameEnd);
    // After the name comes the colon, with or without space around it.
    const value = scanSource(text, FREE, { maxDepth: EVENT_MAX_DEPTH }, afterSpace(text, nameEnd) + 1);
    assert(value.ok, "a free value of an event is as deep as an event may be");
    const { start, end } = value.node;
    members.push({ name: JSON.parse(nameText) as string, nameText, text: text.slice(start, end) });
    at = afterSpace(text, end);
    if (text[at] === ",") at = afterSpace(text, at + 1);
  }
  return members;
}

/** A JSON text without the white space between its tokens; everything else is left as it was sent. */
export function withoutSpace(text: string): string {
  let kept = "";
  for (let at = 0; at < text.length; ) {
    const unit = text.charCodeAt(at);
    const end = unit === QUOTE ? afterString(text, at) : at + 1;
    if (unit > 0x20) kept += text.slice(at, end);
    at = end;
  }
  return kept;
}

function afterSpace(text: string, at: number): number {
  let next = at;
  while (text.charCodeAt(next) <= 0x20) next++;
  return next;
}

import { EVENT_SHAPE, scanSource, type Shape, type SourceNode } from "../chain/source-text.ts";
import { type MemberError, ok, refuse, type Result } from "../errors.ts";
import { APPEND_MAX_EVENTS, EVENT_MAX_BYTES, EVENT_MAX_DEPTH } from "../limits.ts";
import { eventSchema } from "../schema/event.ts";
import type { CutEvent } from "../schema/ledger.ts";
import { SERVICE_ACTION_PREFIX } from "../schema/names.ts";
import { cutEvent } from "./cut.ts";

/** A valid event, cut, with its own source text for a queue message. */
export type ParsedEvent = { cut: CutEvent; text: string };

const MAX_ERRORS = 100;
/** `{ "events": […] }`, whatever else is in it. */
export const BATCH_SHAPE: Shape = {
  kind: "object",
  members: new Map([["events", { kind: "array", items: EVENT_SHAPE }]]),
};

type Located = { value: unknown; text: string; node: SourceNode; pointer: string };

/** What was read, and how many events it held: a body that could not be read so far, one. */
export type Read = Result<ParsedEvent[]> & { held: number };

/** How many events a value holds: one event, a list, `{ "events": […] }`, or whatever else was sent for it. */
export function heldBy(value: unknown): number {
  const events = Array.isArray(value) ? value : ((value ?? {}) as { events?: unknown }).events;
  return Array.isArray(events) ? Math.max(1, events.length) : 1;
}

/** Reads a body that holds one event or `{ "events": […] }`; every bad member is named by pointer. */
export function parseEventsJson(text: string): Read {
  const parsed = parseJson(text);
  if (!parsed.ok) return { ...refuse("invalid_request", `The body is not JSON: ${parsed.why}.`), held: 1 };
  return { ...parseOneOrBatch(text, parsed.value), held: heldBy(parsed.value) };
}

function parseOneOrBatch(text: string, value: unknown): Result<ParsedEvent[]> {
  const batch = typeof value === "object" && value !== null && Object.hasOwn(value, "events");
  if (!batch) {
    const scan = scanSource(text, EVENT_SHAPE, { maxDepth: EVENT_MAX_DEPTH });
    return scan.ok ? parseAll([{ value, text, node: scan.node, pointer: "" }]) : invalid(scan.faults);
  }
  const extra = Object.keys(value).filter((name) => name !== "events");
  if (extra.length > 0) {
    return invalid(extra.map((name) => ({ pointer: `/${escaped(name)}`, message: "is not a member of a batch" })));
  }
  return parseEventsArray(text, value);
}

/** Reads the `events` of an object whose other members are somebody else's business; `value` is `text`, parsed. */
export function parseEventsArray(text: string, value: object): Result<ParsedEvent[]> {
  const events: unknown = (value as { events?: unknown }).events;
  if (!Array.isArray(events)) return invalid([{ pointer: "/events", message: "must be an array of events" }]);
  if (events.length > APPEND_MAX_EVENTS) return tooMany(events.length);
  const scan = scanSource(text, BATCH_SHAPE, { maxDepth: EVENT_MAX_DEPTH });
  if (!scan.ok) return invalid(scan.faults);
  const items = scan.node.members?.get("events")?.items ?? [];
  return parseAll(
    events.map((event: unknown, n) => ({ value: event, text, node: items[n] as SourceNode, pointer: `/events/${n}` })),
  );
}

/** Reads one event a line; blank lines are passed over; pointers count events as `/events/N`. */
export function parseEventsNdjson(body: string): Read {
  const found: (Located | MemberError[])[] = [];
  let held = 0;
  for (const [line, text] of body.split("\n").entries()) {
    if (text.trim() === "") continue;
    if (held < APPEND_MAX_EVENTS) found.push(locateLine(text, { pointer: `/events/${held}`, line: line + 1 }));
    held += 1;
  }
  if (held > APPEND_MAX_EVENTS) return { ...tooMany(held), held };
  return { ...parseAll(found), held: Math.max(1, held) };
}

function locateLine(text: string, { pointer, line }: { pointer: string; line: number }): Located | MemberError[] {
  const parsed = parseJson(text);
  if (!parsed.ok) return [{ pointer, message: `line ${line} is not JSON: ${parsed.why}` }];
  const scan = scanSource(text, EVENT_SHAPE, { maxDepth: EVENT_MAX_DEPTH });
  if (scan.ok) return { value: parsed.value, text, node: scan.node, pointer };
  return scan.faults.map((fault) => ({ ...fault, pointer: pointer + fault.pointer }));
}

/** Parses all that was located; what could not even be located comes as its errors. */
function parseAll(located: (Located | MemberError[])[]): Result<ParsedEvent[]> {
  if (located.length === 0) return invalid([{ pointer: "/events", message: "must hold at least one event" }]);
  const errors: MemberError[] = [];
  const events: ParsedEvent[] = [];
  for (const one of located) {
    const found = Array.isArray(one) ? one : parseOne(one);
    if (Array.isArray(found)) errors.push(...found);
    else events.push(found);
    if (errors.length >= MAX_ERRORS) break;
  }
  return errors.length > 0 ? invalid(errors) : ok(events);
}

function tooMany(held: number) {
  return refuse("too_large", `A request may hold at most ${APPEND_MAX_EVENTS} events; this one holds ${held}.`);
}

function parseOne({ value, text, node, pointer }: Located): ParsedEvent | MemberError[] {
  const characters = node.end - node.start;
  // A UTF-16 unit is at most 3 bytes of UTF-8: most events need no counting.
  if (characters * 3 > EVENT_MAX_BYTES) {
    const bytes = Buffer.byteLength(text.slice(node.start, node.end));
    if (bytes > EVENT_MAX_BYTES) {
      return [{ pointer, message: `an event may be at most ${EVENT_MAX_BYTES} bytes of JSON; this one is ${bytes}` }];
    }
  }
  const checked = eventSchema.safeParse(value);
  if (!checked.success) {
    return checked.error.issues.flatMap((issue) => {
      const at = pointer + issue.path.map((step) => `/${escaped(String(step))}`).join("");
      if (issue.code !== "unrecognized_keys") return [{ pointer: at, message: issue.message }];
      return issue.keys.map((key) => ({ pointer: `${at}/${escaped(key)}`, message: "is not a member of an event" }));
    });
  }
  if (checked.data.action.startsWith(SERVICE_ACTION_PREFIX)) {
    return [{ pointer: `${pointer}/action`, message: `must not begin with ${SERVICE_ACTION_PREFIX}: these are ours` }];
  }
  return { cut: cutEvent(checked.data, { text, node }), text: text.slice(node.start, node.end) };
}

function parseJson(text: string): { ok: true; value: unknown } | { ok: false; why: string } {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    return { ok: false, why: error instanceof Error ? error.message : "unreadable" };
  }
}

function invalid(errors: MemberError[]) {
  const { pointer, message } = errors[0] as MemberError;
  const more = errors.length > 1 ? ` and ${errors.length - 1} more` : "";
  return refuse("invalid_event", `${pointer === "" ? "The event" : pointer} ${message}${more}. Nothing was appended.`, {
    errors: errors.slice(0, MAX_ERRORS),
  });
}

/** A step of a pointer: RFC 6901, cut where a name is longer than any of ours. */
function escaped(name: string): string {
  return name.slice(0, 200).replaceAll("~", "~0").replaceAll("/", "~1");
}

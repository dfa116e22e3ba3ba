import { type MemberError, refuse } from "../errors.ts";
import { APPEND_MAX_BYTES, EVENT_MAX_DEPTH } from "../limits.ts";
import { heldBy, parseEventsJson, type Read } from "./parse-events.ts";

const MAX_ERRORS = 20;

/**
 * Reads events that came as JavaScript values. They are turned to JSON text once, and that text is what is kept; what
 * JSON would change in silence (NaN, a Date, a Map, an undefined member…) is refused by pointer.
 */
export function parseEventValues(events: unknown): Read {
  const list = Array.isArray(events) ? { events } : events;
  const held = heldBy(events);
  const errors: MemberError[] = [];
  // An array of events adds two levels of its own around each event.
  const pieces: string[] = [];
  // A value may stand in itself many times over: what is written is counted, not what was sent.
  const room = { characters: APPEND_MAX_BYTES };
  write(list, { pointer: "", depth: 0, pieces, errors, room });
  if (errors.length > 0) {
    const [first] = errors;
    return {
      ...refuse("invalid_event", `${first?.pointer} ${first?.message}. Nothing was appended.`, { errors }),
      held,
    };
  }
  const text = pieces.join("");
  if (room.characters < 0 || Buffer.byteLength(text) > APPEND_MAX_BYTES) {
    return { ...refuse("too_large", `A call may carry at most ${APPEND_MAX_BYTES} bytes of events.`), held };
  }
  return parseEventsJson(text);
}

type Writing = {
  pointer: string;
  depth: number;
  pieces: string[];
  errors: MemberError[];
  room: { characters: number };
};

function write(value: unknown, writing: Writing): void {
  const { pointer, depth, pieces, errors } = writing;
  const bad = (message: string) => {
    if (errors.length < MAX_ERRORS) errors.push({ pointer, message });
  };
  if (errors.length >= MAX_ERRORS || writing.room.characters < 0) return;
  writing.room.characters -= typeof value === "string" ? value.length + 2 : 2;
  if (value === null || typeof value === "boolean" || typeof value === "string") {
    pieces.push(JSON.stringify(value));
  } else if (typeof value === "number") {
    if (Number.isFinite(value)) pieces.push(Object.is(value, -0) ? "-0" : JSON.stringify(value));
    else bad(`is ${value}, which JSON cannot hold`);
  } else if (typeof value !== "object") {
    bad(`is ${value === undefined ? "undefined" : `a ${typeof value}`}, which JSON cannot hold`);
  } else if (depth > EVENT_MAX_DEPTH + 2) {
    bad(`is nested deeper than ${EVENT_MAX_DEPTH} levels`);
  } else if (Array.isArray(value)) {
    writeArray(value, writing);
  } else if (isPlain(value)) {
    writeObject(value, writing);
  } else {
    bad(`is a ${value.constructor?.name ?? "special object"}; send plain values`);
  }
}

function writeArray(values: unknown[], writing: Writing): void {
  writing.pieces.push("[");
  for (let n = 0; n < values.length && writing.room.characters >= 0; n++) {
    if (n > 0) writing.pieces.push(",");
    write(values[n], { ...writing, pointer: `${writing.pointer}/${n}`, depth: writing.depth + 1 });
  }
  writing.pieces.push("]");
}

function writeObject(value: Record<string, unknown>, writing: Writing): void {
  writing.pieces.push("{");
  Object.keys(value).forEach((name, n) => {
    writing.room.characters -= name.length;
    writing.pieces.push(n > 0 ? "," : "", JSON.stringify(name), ":");
    const step = name.replaceAll("~", "~0").replaceAll("/", "~1");
    write(value[name], { ...writing, pointer: `${writing.pointer}/${step}`, depth: writing.depth + 1 });
  });
  writing.pieces.push("}");
}

function isPlain(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

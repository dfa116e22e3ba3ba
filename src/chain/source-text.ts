import { assert } from "../errors.ts";
import {
  afterString,
  atItem,
  enter,
  hashOfName,
  keepName,
  nameEnd,
  newestName,
  readName,
  type Scan,
  type SourceFault,
  startScan,
  tooDeep,
} from "./source-scan.ts";
import type { Shape } from "./source-shape.ts";

export type { SourceFault } from "./source-scan.ts";
export { CHANGES_SHAPE, DETAIL_SHAPE, EVENT_SHAPE, type Shape } from "./source-shape.ts";

/** Where a value lies in the text, `end` exclusive. Members and items are there for values that are not plain. */
export type SourceNode = { start: number; end: number; members?: Map<string, SourceNode>; items?: SourceNode[] };

type Members = ReadonlyMap<string, Shape>;

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * Finds where the values of `shape` lie in a JSON text that `JSON.parse` has accepted; the value begins at `start`.
 * Refuses a value deeper than `maxDepth` objects and arrays (the scan ends there) and, outside free values, a name
 * given twice and `__proto__`; names are compared decoded. A value of another kind than its shape is read as plain.
 */
export function scanSource(
  text: string,
  shape: Shape,
  limits: { maxDepth: number },
  start = 0,
): { ok: true; node: SourceNode } | { ok: false; faults: SourceFault[] } {
  const scan = startScan(text, limits.maxDepth);
  const node = scanShaped(scan, afterSpace(text, start), shape);
  return scan.faults.length === 0 ? { ok: true, node } : { ok: false, faults: scan.faults };
}

// The functions below take an offset and answer where the value ends. They are recursive, at most `maxDepth` deep, and
// take bare offsets instead of named options: an object a value would triple the time of a scan.

function scanShaped(scan: Scan, at: number, shape: Shape): SourceNode {
  const first = scan.text.charCodeAt(at);
  if (shape.kind === "free") return { start: at, end: scanFree(scan, at) };
  if (shape.kind === "object" && first === OPEN_BRACE) {
    const around = scan.root;
    if (shape.root === true) scan.root = scan.level;
    const members = new Map<string, SourceNode>();
    const end = scanObject(scan, at, shape.members, members);
    scan.root = around;
    return { start: at, end, members };
  }
  if (shape.kind === "array" && first === OPEN_BRACKET) {
    const items: SourceNode[] = [];
    return { start: at, end: scanArray(scan, at, shape.items, items), items };
  }
  return { start: at, end: scanPlain(scan, at) };
}

function scanPlain(scan: Scan, at: number): number {
  const first = scan.text.charCodeAt(at);
  if (first === QUOTE) return afterString(scan.text, at);
  if (first === OPEN_BRACE) return scanObject(scan, at, null, null);
  if (first === OPEN_BRACKET) return scanArray(scan, at, null, null);
  return afterScalar(scan.text, at);
}

function scanObject(scan: Scan, open: number, shapes: Members | null, found: Map<string, SourceNode> | null): number {
  const { text, top: base } = scan;
  if (!enter(scan)) return text.length;
  const hashes = shapes === null ? null : hashesOf(shapes);
  let seen: Set<string> | null = null;
  let at = afterSpace(text, open + 1);
  while (text.charCodeAt(at) !== CLOSE_BRACE) {
    const hash = readName(scan, at);
    // After the closing quote comes the colon, with or without space around it.
    const value = afterSpace(text, afterSpace(text, nameEnd(scan) + 1) + 1);
    const name = hashes !== null && hashes.includes(hash) ? newestName(scan) : null;
    seen = keepName(scan, base, seen);
    const shape = name === null ? undefined : shapes?.get(name);
    if (name === null || shape === undefined) {
      at = scanPlain(scan, value);
    } else {
      const node = scanShaped(scan, value, shape);
      if (shape.kind !== "plain") found?.set(name, node);
      at = node.end;
    }
    if (scan.stopped) return text.length;
    at = afterSpace(text, at);
    if (text.charCodeAt(at) === COMMA) at = afterSpace(text, at + 1);
  }
  scan.top = base;
  scan.level--;
  return at + 1;
}

function scanArray(scan: Scan, open: number, shape: Shape | null, found: SourceNode[] | null): number {
  const { text } = scan;
  if (!enter(scan)) return text.length;
  let at = afterSpace(text, open + 1);
  for (let item = 0; text.charCodeAt(at) !== CLOSE_BRACKET; item++) {
    assert(at < text.length, "a scanned text is one that JSON.parse accepted");
    atItem(scan, item);
    if (shape === null || shape.kind === "plain") {
      at = scanPlain(scan, at);
    } else {
      const node = scanShaped(scan, at, shape);
      found?.push(node);
      at = node.end;
    }
    if (scan.stopped) return text.length;
    at = afterSpace(text, at);
    if (text.charCodeAt(at) === COMMA) at = afterSpace(text, at + 1);
  }
  scan.level--;
  return at + 1;
}

/** Walks over a free value: only its depth matters. Not recursive, so no depth can overflow the stack. */
function scanFree(scan: Scan, start: number): number {
  const { text } = scan;
  const room = scan.maxDepth - (scan.level - scan.root);
  let open = 0;
  let at = start;
  do {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) {
      at = afterString(text, at);
      continue;
    }
    if (unit === OPEN_BRACE || unit === OPEN_BRACKET) {
      if (++open > room) {
        tooDeep(scan);
        return text.length;
      }
    } else if (unit === CLOSE_BRACE || unit === CLOSE_BRACKET) {
      open--;
    } else if (open === 0) {
      return afterScalar(text, at);
    }
    assert(at < text.length, "a scanned text is one that JSON.parse accepted");
    at++;
  } while (open > 0);
  return at;
}

/** Hashes of a shape's names, so that most names are never cut out of the text to be looked up. */
function hashesOf(shapes: Members): number[] {
  let hashes = hashesOfShapes.get(shapes);
  if (hashes === undefined) {
    hashes = [...shapes.keys()].map(hashOfName);
    hashesOfShapes.set(shapes, hashes);
  }
  return hashes;
}

const hashesOfShapes = new WeakMap<Members, number[]>();

function afterSpace(text: string, at: number): number {
  let next = at;
  while (text.charCodeAt(next) <= 0x20) next++;
  return next;
}

/** Where a number, `true`, `false` or `null` ends: at a comma, a closing bracket, white space or the end. */
function afterScalar(text: string, at: number): number {
  let next = at;
  for (; next < text.length; next++) {
    const unit = text.charCodeAt(next);
    if (unit === COMMA || unit === CLOSE_BRACKET || unit === CLOSE_BRACE || unit <= 0x20) break;
  }
  return next;
}

import { assert } from "../errors.ts";

/** What is wrong with a value, and where: an RFC 6901 pointer from the value scanned. */
export type SourceFault = { pointer: string; message: string };

/** A scan under way. `level` counts what is open, `root` what lay around the innermost root. */
export type Scan = {
  text: string;
  maxDepth: number;
  faults: SourceFault[];
  level: number;
  root: number;
  /** Where the next name goes in `names`. */
  top: number;
  /** Set once a value lies too deep: every loop ends at once. */
  stopped: boolean;
};

const FAULTS_MAX_COUNT = 20;
/** Objects with more members than this are checked through a set: comparing each with each would be quadratic. */
const COMPARED_MAX_COUNT = 16;
/** Hashes stay small integers in every engine, so that arrays of them hold no pointers. */
const HASH_MASK = 0x3fff_ffff;
const NAME_FIELDS = 3;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Characters looked at one by one before the rest of a string is left to `indexOf`. */
const STEPPED_CHARACTERS = 48;
const PROTO_HASH = hashOfName("__proto__");

// Working memory of the scan under way. A scan is synchronous and calls nobody, so one is enough for all.
/** For each open level: the offset of a name's opening quote, or -1 - n for item n. */
const path: number[] = [];
/** Names of the open objects, innermost last: hash, start and end of each, quotes not included. */
const names: number[] = [];

export function startScan(text: string, maxDepth: number): Scan {
  return { text, maxDepth, faults: [], level: 0, root: 0, top: 0, stopped: false };
}

/** Opens one more level; false when it is one too many, which is then the last fault. */
export function enter(scan: Scan): boolean {
  if (scan.level - scan.root >= scan.maxDepth) return tooDeep(scan);
  scan.level++;
  return true;
}

export function tooDeep(scan: Scan): false {
  addFault(scan, `is nested deeper than ${scan.maxDepth} levels of objects and arrays`);
  scan.stopped = true;
  return false;
}

export function atItem(scan: Scan, item: number): void {
  path[scan.level] = -1 - item;
}

/** Reads the name whose opening quote is at `at`; `nameEnd` then says where it ends. Answers its hash. */
export function readName(scan: Scan, at: number): number {
  const { text, top } = scan;
  let hash = 0;
  let end = at + 1;
  for (; end < text.length; end++) {
    const unit = text.charCodeAt(end);
    if (unit === QUOTE) break;
    if (unit === BACKSLASH) {
      end = afterString(text, at) - 1;
      hash = hashOfName(decodedName(text, at + 1, end));
      break;
    }
    hash = (hash * 31 + unit) & HASH_MASK;
  }
  assert(end < text.length, "a scanned text is one that JSON.parse accepted");
  path[scan.level] = at;
  names[top] = hash;
  names[top + 1] = at + 1;
  names[top + 2] = end;
  return hash;
}

/** Where the newest name ends: at its closing quote. */
export function nameEnd(scan: Scan): number {
  return names[scan.top + 2] as number;
}

/**
 * Checks the newest name against the others of its object, which begin at `base`, and keeps it. Large objects are
 * checked through a set, which this answers once there is one.
 */
export function keepName(scan: Scan, base: number, seen: Set<string> | null): Set<string> | null {
  const { top } = scan;
  const hash = names[top];
  if (hash === PROTO_HASH && nameAt(scan, top) === "__proto__") addFault(scan, "is not a name this service takes");
  if (seen !== null) {
    const name = nameAt(scan, top);
    if (seen.has(name)) addFault(scan, "is given more than once");
    return seen.add(name);
  }
  for (let at = base; at < top; at += NAME_FIELDS) {
    if (names[at] !== hash || nameAt(scan, at) !== nameAt(scan, top)) continue;
    addFault(scan, "is given more than once");
    break;
  }
  scan.top = top + NAME_FIELDS;
  if (scan.top - base < COMPARED_MAX_COUNT * NAME_FIELDS) return null;
  const all = new Set<string>();
  for (let at = base; at < scan.top; at += NAME_FIELDS) all.add(nameAt(scan, at));
  return all;
}

/** The hash by which names are compared first. */
export function hashOfName(name: string): number {
  let hash = 0;
  for (let at = 0; at < name.length; at++) hash = (hash * 31 + name.charCodeAt(at)) & HASH_MASK;
  return hash;
}

/** The newest name, decoded. */
export function newestName(scan: Scan): string {
  return nameAt(scan, scan.top);
}

function nameAt({ text }: Scan, at: number): string {
  return decodedName(text, names[at + 1] as number, names[at + 2] as number);
}

function decodedName(text: string, start: number, end: number): string {
  const raw = text.slice(start, end);
  return raw.includes("\\") ? (JSON.parse(`"${raw}"`) as string) : raw;
}

function addFault(scan: Scan, message: string): void {
  if (scan.faults.length < FAULTS_MAX_COUNT) scan.faults.push({ pointer: pointerOf(scan), message });
}

function pointerOf({ text, level }: Scan): string {
  let pointer = "";
  for (let at = 1; at <= level; at++) {
    const step = path[at] as number;
    const name = step < 0 ? String(-1 - step) : decodedName(text, step + 1, afterString(text, step) - 1);
    pointer += `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
  }
  return pointer;
}

/** Where the string whose opening quote is at `at` ends, its closing quote included. */
export function afterString(text: string, at: number): number {
  const stepped = at + STEPPED_CHARACTERS;
  let next = at + 1;
  while (next < stepped) {
    const unit = text.charCodeAt(next);
    if (unit === QUOTE) return next + 1;
    next += unit === BACKSLASH ? 2 : 1;
  }
  for (;;) {
    const quote = text.indexOf('"', next);
    assert(quote >= 0, "a scanned text is one that JSON.parse accepted");
    let slashes = quote;
    while (slashes > next && text.charCodeAt(slashes - 1) === BACKSLASH) slashes--;
    if ((quote - slashes) % 2 === 0) return quote + 1;
    next = quote + 1;
  }
}

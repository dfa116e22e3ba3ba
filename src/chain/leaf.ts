import { LEAF_MAX_BYTES, LOG_MAX_ENTRIES, ORIGIN_MAX_BYTES } from "../limits.ts";
import { joinBytes } from "./bytes.ts";
import { digest } from "./digest.ts";
import { utf8 } from "./encoding.ts";
import { isSectionName } from "./section.ts";
import type { Sha256 } from "./sha256.ts";

/** The members of a leaf. `prev` and the commitments are base64url of 32 bytes, `sections` has no prototype. */
export type Leaf = {
  category: string;
  index: number;
  keep_until: string;
  log: string;
  prev: string;
  sections: Record<string, string>;
  sequenced_at: string;
  source: "client" | "service";
  v: 1;
};

export type ParsedLeaf =
  | { kind: "leaf"; leaf: Leaf }
  | { kind: "unknown_version"; version: number }
  | { kind: "malformed"; why: string };

const MEMBER_COUNT = 9;
/** 32 bytes leave two unused bits in the last character: these are zero. */
const HASH_PATTERN = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;
const CATEGORY_PATTERN = /^[a-z][a-z0-9_]{0,99}$/;
const TIME_PATTERN = /^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;
const DATE_PATTERN = /^\d{4}-\d\d-\d\d$/;
const DATE_CHARACTERS = 10;
/** Every month has these. */
const SURE_DAYS = 28;
/** White space, `+`, control characters and lone surrogates have no place in a C2SP key name, which an origin is. */
const NOT_ORIGIN_PATTERN = /[\s+\p{Cc}\p{Cs}]/u;
/** A UTF-16 unit is at most this long in UTF-8, so most texts need no counting. */
const UTF8_MAX_BYTES = 3;
const LEAF_PREFIX = Uint8Array.of(0x00);

/** The canonical text of a leaf: members sorted by UTF-16 code units, each once, no white space. */
export function encodeLeaf(leaf: Leaf): string {
  let sections = "";
  for (const name of Object.keys(leaf.sections).sort()) {
    sections += `${sections === "" ? "" : ","}"${name}":"${leaf.sections[name]}"`;
  }
  return leafText(leaf, sections);
}

/** Like `encodeLeaf`, with the members of `sections` already sorted and written. */
export function leafText(leaf: Omit<Leaf, "sections" | "v">, sections: string): string {
  return (
    `{"category":${JSON.stringify(leaf.category)},"index":${leaf.index},"keep_until":"${leaf.keep_until}",` +
    `"log":${JSON.stringify(leaf.log)},"prev":"${leaf.prev}","sections":{${sections}},` +
    `"sequenced_at":"${leaf.sequenced_at}","source":"${leaf.source}","v":1}`
  );
}

/** RFC 6962 section 2.1: SHA-256(0x00 || leaf). It names the entry in the chain and in the tree. */
export function entryHash(sha256: Sha256, leafText: string): Uint8Array {
  return digest(sha256, { head: LEAF_PREFIX, salt: null, saltAt: 0, text: leafText });
}

/** The same over the bytes of a leaf, which need not be a text. */
export function entryHashOf(sha256: Sha256, leafBytes: Uint8Array): Uint8Array {
  return sha256(joinBytes(LEAF_PREFIX, leafBytes));
}

/**
 * Reads the text of a leaf: exactly the canonical text of a valid one, or malformed. A text of another version is left
 * to who knows that version.
 */
export function parseLeaf(text: string): ParsedLeaf {
  const value = parseObject(text);
  if (value === null) return { kind: "malformed", why: "it is not a JSON object" };
  const version = value["v"];
  if (typeof version === "number" && Number.isSafeInteger(version) && version > 1) {
    return { kind: "unknown_version", version };
  }
  if (text.length * UTF8_MAX_BYTES > LEAF_MAX_BYTES && utf8(text).length > LEAF_MAX_BYTES) {
    return { kind: "malformed", why: `it is longer than ${LEAF_MAX_BYTES} bytes` };
  }
  const leaf = readMembers(value);
  if (typeof leaf === "string") return { kind: "malformed", why: leaf };
  if (encodeLeaf(leaf) !== text) return { kind: "malformed", why: "it is not written in the canonical form" };
  return { kind: "leaf", leaf };
}

function readMembers(value: Record<string, unknown>): Leaf | string {
  const { category, index, keep_until, log, prev, sequenced_at, source, v } = value;
  if (Object.keys(value).length !== MEMBER_COUNT) return `it has not exactly ${MEMBER_COUNT} members`;
  if (v !== 1) return "v is not a version";
  if (typeof category !== "string" || !CATEGORY_PATTERN.test(category)) return "category is not a label";
  if (typeof index !== "number" || !isIndex(index)) return "index is not an index";
  if (typeof keep_until !== "string" || !isKeepUntil(keep_until)) return "keep_until is not a date or forever";
  if (typeof log !== "string" || !isOrigin(log)) return "log is not an origin";
  if (typeof prev !== "string" || !HASH_PATTERN.test(prev)) return "prev is not a hash";
  if (typeof sequenced_at !== "string" || !isTime(sequenced_at)) return "sequenced_at is not a UTC time";
  if (source !== "client" && source !== "service") return "source is neither client nor service";
  const sections = readCommitments(value["sections"]);
  if (typeof sections === "string") return sections;
  return { category, index, keep_until, log, prev, sections, sequenced_at, source, v };
}

function readCommitments(value: unknown): Record<string, string> | string {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "sections is not an object";
  // Without a prototype, no name reaches anything but a commitment.
  const sections: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [name, hash] of Object.entries(value)) {
    if (!isSectionName(name)) return "sections has a member that names no section";
    if (typeof hash !== "string" || !HASH_PATTERN.test(hash)) return `the commitment of ${name} is not a hash`;
    sections[name] = hash;
  }
  return "event" in sections ? sections : "it commits no event section";
}

function isIndex(index: number): boolean {
  return Number.isInteger(index) && index >= 0 && index < LOG_MAX_ENTRIES;
}

function isKeepUntil(text: string): boolean {
  return text === "forever" || (DATE_PATTERN.test(text) && isDay(text));
}

function isTime(text: string): boolean {
  return TIME_PATTERN.test(text) && isDay(text.slice(0, DATE_CHARACTERS));
}

/** Whether the calendar has this day: 30 February parses, but as another one. */
function isDay(date: string): boolean {
  const month = Number(date.slice(5, 7));
  const day = Number(date.slice(8));
  if (month < 1 || month > 12 || day < 1) return false;
  return day <= SURE_DAYS || new Date(`${date}T00:00:00.000Z`).getUTCDate() === day;
}

function isOrigin(log: string): boolean {
  if (log === "" || NOT_ORIGIN_PATTERN.test(log)) return false;
  return log.length * UTF8_MAX_BYTES <= ORIGIN_MAX_BYTES || utf8(log).length <= ORIGIN_MAX_BYTES;
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

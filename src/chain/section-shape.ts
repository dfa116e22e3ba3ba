import { EVENT_MAX_DEPTH } from "../limits.ts";
import { CHANGES_SHAPE, DETAIL_SHAPE, scanSource, type Shape } from "./source-text.ts";

/** The `event` section: what was sent of an event except ids, texts and free values, and what the service added. */
export type EventSection = {
  action: string;
  /** As the ledger decided; absent when nobody chose one, which means `general`. */
  category?: string;
  /** The client's word, where the ledger decided otherwise. */
  category_sent?: string;
  version?: number;
  occurred_at?: string;
  outcome?: { result?: string; error_code?: string };
  actor: { type: string };
  on_behalf_of?: { type: string };
  targets?: { type: string; role?: string }[];
  received_at: string;
  /** Entries of source `service` came through no door and in no batch. */
  delivery?: string;
  key?: string;
  batch?: string;
  position?: number;
  /** There when the service made the id. */
  id?: string;
};

/** `query`: what a reader asked, in traces of reading. */
export type NoteSection = { id?: string; reason?: string; error_message?: string; query?: string };

/** `metadata` is its source text. */
export type DetailSection = { name?: string; email?: string; metadata?: string };

/** `before` and `after` are their source texts. */
export type ChangesSection = { before?: string; after?: string; fields?: string[] };

const PLAIN: Shape = { kind: "plain" };

/** Each reader answers null for a text that is not of the section's shape. Members it does not know are let be. */
export function readEventSection(text: string): EventSection | null {
  const value = readObject(text, PLAIN)?.value;
  if (value === undefined) return null;
  const { outcome, actor, on_behalf_of, targets } = value;
  const shaped =
    hasTexts(value, ["action", "received_at"]) &&
    mayHaveTexts(value, ["category", "category_sent", "occurred_at", "delivery", "key", "batch", "id"]) &&
    mayBeCount(value["position"]) &&
    mayBeCount(value["version"]) &&
    (outcome === undefined || (isObject(outcome) && mayHaveTexts(outcome, ["result", "error_code"]))) &&
    isObject(actor) &&
    hasTexts(actor, ["type"]) &&
    (on_behalf_of === undefined || (isObject(on_behalf_of) && hasTexts(on_behalf_of, ["type"]))) &&
    (targets === undefined || (Array.isArray(targets) && targets.every(isTargetPart)));
  // The members the type names have just been checked, one by one.
  return shaped ? (value as EventSection) : null;
}

export function readNoteSection(text: string): NoteSection | null {
  const value = readObject(text, PLAIN)?.value;
  return value !== undefined && mayHaveTexts(value, ["id", "reason", "error_message", "query"])
    ? (value as NoteSection)
    : null;
}

/** The id in an `actor`, `on_behalf_of` or `target/N` section. */
export function readIdSection(text: string): string | null {
  const id = readObject(text, PLAIN)?.value["id"];
  return typeof id === "string" ? id : null;
}

export function readDetailSection(text: string): DetailSection | null {
  const read = readObject(text, DETAIL_SHAPE);
  if (read === null || !mayHaveTexts(read.value, ["name", "email"])) return null;
  const { name, email } = read.value as { name?: string; email?: string };
  const metadata = read.source("metadata");
  return {
    ...(name === undefined ? {} : { name }),
    ...(email === undefined ? {} : { email }),
    ...(metadata === null ? {} : { metadata }),
  };
}

export function readContextSection(text: string): Record<string, string> | null {
  const value = readObject(text, PLAIN)?.value;
  if (value === undefined || !Object.values(value).every((member) => typeof member === "string")) return null;
  return value as Record<string, string>;
}

export function readChangesSection(text: string): ChangesSection | null {
  const read = readObject(text, CHANGES_SHAPE);
  if (read === null) return null;
  const fields = read.value["fields"];
  if (fields !== undefined && !isTexts(fields)) return null;
  const before = read.source("before");
  const after = read.source("after");
  return {
    ...(before === null ? {} : { before }),
    ...(after === null ? {} : { after }),
    ...(fields === undefined ? {} : { fields }),
  };
}

/** The `metadata` section is its own source text, of any JSON value. */
export function readMetadataSection(text: string): string | null {
  return parse(text) === undefined ? null : text;
}

type ReadObject = { value: Record<string, unknown>; source: (member: string) => string | null };

/** Reads an object whose names, outside free values, are each given once. */
function readObject(text: string, shape: Shape): ReadObject | null {
  const value = parse(text);
  if (!isObject(value)) return null;
  const scanned = scanSource(text, shape, { maxDepth: EVENT_MAX_DEPTH });
  if (!scanned.ok) return null;
  const source = (member: string) => {
    const span = scanned.node.members?.get(member);
    return span === undefined ? null : text.slice(span.start, span.end);
  };
  return { value, source };
}

/** The value of a JSON text; `undefined`, which no JSON text is, when it is none. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTargetPart(value: unknown): boolean {
  return isObject(value) && hasTexts(value, ["type"]) && mayHaveTexts(value, ["role"]);
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function mayBeCount(value: unknown): boolean {
  return value === undefined || (Number.isSafeInteger(value) && (value as number) >= 0);
}

function hasTexts(value: Record<string, unknown>, names: readonly string[]): boolean {
  return names.every((name) => typeof value[name] === "string");
}

function mayHaveTexts(value: Record<string, unknown>, names: readonly string[]): boolean {
  return names.every((name) => value[name] === undefined || typeof value[name] === "string");
}

import { EVENT_MAX_BYTES } from "../../limits.ts";
import { instantOf } from "../../schema/names.ts";
import { type Part, eventText } from "./event-text.ts";
import type { SourceRecord } from "./source-record.ts";

/** What a preset or a map makes of one record. `pointer` leads into the record. */
export type Mapped = { ok: true; event: { [member: string]: Part | undefined } } | Refused;
export type Refused = { ok: false; reason: string; pointer?: string };

export type Mapping = {
  /** Names the mapping among others: a progress file made with one does not serve another. */
  name: string;
  listPath: readonly string[];
  map: (text: string, value: unknown) => Mapped;
};

/** The event of a record as JSON text, or why there is none. `text` is the record, as far as it can be shown. */
export function eventOf(mapping: Mapping, record: SourceRecord): { text: string; event: string | Refused } {
  const decoded = decode(record.bytes);
  if (record.fault !== undefined) return { text: decoded.text, event: { ok: false, reason: record.fault } };
  if (!decoded.valid) return { text: decoded.text, event: { ok: false, reason: "the record is not valid UTF-8" } };
  const parsed = parse(decoded.text);
  if (!parsed.ok) return { text: decoded.text, event: parsed };
  return { text: decoded.text, event: eventTextOf(mapping.map(decoded.text, parsed.value)) };
}

function eventTextOf(mapped: Mapped): string | Refused {
  if (!mapped.ok) return mapped;
  const occurred = mapped.event["occurred_at"];
  if (typeof occurred === "string" && instantOf(occurred) === null) {
    return { ok: false, reason: `occurred_at: ${JSON.stringify(occurred)} is not an RFC 3339 time` };
  }
  const text = eventText(mapped.event);
  const bytes = Buffer.byteLength(text);
  if (bytes <= EVENT_MAX_BYTES) return text;
  return { ok: false, reason: `the event is ${bytes} bytes of JSON; an event may be at most ${EVENT_MAX_BYTES}` };
}

function decode(bytes: Uint8Array): { text: string; valid: boolean } {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
  // Only a decoder that met a fault writes this character without its bytes being there.
  return { text, valid: !text.includes("\ufffd") || Buffer.from(text).equals(bytes) };
}

function parse(text: string): { ok: true; value: unknown } | Refused {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    return { ok: false, reason: `not JSON: ${error instanceof Error ? error.message : "unreadable"}` };
  }
}

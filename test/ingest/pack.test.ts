import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { packMessages } from "../../src/ingest/pack.ts";
import { type ParsedEvent, parseEventsJson } from "../../src/ingest/parse-events.ts";
import { parseMessage } from "../../src/ingest/parse-message.ts";

const ENVELOPE = {
  org: "acme",
  key: "o_key",
  delivery: "queued",
  received_at: "2026-11-21T17:59:58.123Z",
  batch: "the-key",
} as const;

/** An event whose JSON is `bytes` long. */
function eventOf(bytes: number, letter = "x"): ParsedEvent {
  const frame = '{"action":"a.b","actor":{"type":"user","id":"u"},"metadata":""}';
  const width = Buffer.byteLength(letter);
  const text = frame.replace('""', `"${letter.repeat(Math.floor((bytes - frame.length) / width))}"`);
  const parsed = parseEventsJson(text);
  if (!parsed.ok) throw new Error(parsed.refusal.detail);
  return parsed.value[0] as ParsedEvent;
}

const sizes = fc.array(fc.oneof(fc.integer({ min: 80, max: 2_000 }), fc.integer({ min: 20_000, max: 100_000 })), {
  minLength: 1,
  maxLength: 60,
});

describe("packing events into messages", () => {
  it("fills at most 60 kB, sends a larger event alone, and keeps every event in order", () => {
    fc.assert(
      fc.property(sizes, fc.constantFrom("x", "é", "漢"), (bytes, letter) => {
        const events = bytes.map((size) => eventOf(size, letter));
        const messages = packMessages(ENVELOPE, events);
        expect(messages.flatMap((message) => message.events)).toEqual(events);
        let position = 0;
        for (const [n, message] of messages.entries()) {
          const large = Buffer.byteLength(message.text) > 60_000;
          if (large) expect(message.events.length).toBe(1);
          expect(message.position).toBe(position);
          position += message.events.length;
          const whole = messages.length === 1;
          expect(message.batch).toBe(whole ? "the-key" : `the-key ${n}`);
          expect(message.part_of).toBe(whole ? null : "the-key");
        }
      }),
      { numRuns: 50 },
    );
  });

  it("wastes no message: two neighbours would not have fitted one", () => {
    const messages = packMessages(
      ENVELOPE,
      Array.from({ length: 300 }, () => eventOf(1_000)),
    );
    for (const [n, { text }] of messages.entries()) {
      const next = messages[n + 1]?.text;
      if (next !== undefined) expect(Buffer.byteLength(text) + Buffer.byteLength(next)).toBeGreaterThan(60_000);
    }
    expect(messages.length).toBe(6);
  });

  it("is read back by the consumer, each event with its own source text", () => {
    const text =
      '{"action":"a.b","actor":{"type":"user","id":"u"},"metadata":{"n":1.10,"b":12345678901234567890,"n":-0}}';
    const parsed = parseEventsJson(`{"events":[${text}, ${text}]}`);
    if (!parsed.ok) throw new Error(parsed.refusal.detail);
    const [message] = packMessages(ENVELOPE, parsed.value);
    const read = parseMessage(message?.text ?? "");
    expect(read).toMatchObject({ ok: true, message: { kind: "append", org: "acme", key: "o_key" } });
    const events = read.ok && read.message.kind === "append" ? read.message.batch.events : [];
    expect(events).toEqual(parsed.value.map(({ cut }) => cut));
    expect(events[0]?.sections.find(({ name }) => name === "metadata")?.text).toBe(
      '{"n":1.10,"b":12345678901234567890,"n":-0}',
    );
  });
});

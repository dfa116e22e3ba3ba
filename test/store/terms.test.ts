import { describe, expect, it } from "vitest";
import { ENTRY_MAX_WORDS, TEXTS_MAX_COUNT, TOKENS_MAX_COUNT } from "../../src/limits.ts";
import { type TokenKind, termKeyOf, termsOf, token } from "../../src/store/terms.ts";
import { textTokens } from "../../src/store/token.ts";
import { wordsOf, wordsOfSource } from "../../src/store/words.ts";
import { entryOf, type Said } from "./cells.ts";

const KEY = termKeyOf("index key", "acme");
const termsFor = (said: Said) => entryOf(KEY, 0, said).terms.split(" ");
const has = (said: Said, kind: TokenKind, value: string) => termsFor(said).includes(token(KEY, kind, value));

const SAID: Said = {
  id: "evt-1",
  action: "user.role.grant",
  category: "user_management",
  occurred_at: "2026-01-02T01:30:00+02:00",
  actor: { type: "user", id: "u_17", name: "Jane Doe", email: "jane@example.com", metadata: '{"team":"Blue"}' },
  on_behalf_of: { type: "service", id: "s_3", name: "Robot" },
  targets: [
    { type: "document", id: "d_9", name: "Quarterly plan" },
    { type: "user", id: "u_4" },
  ],
  result: "denied",
  context: { ip: "192.0.2.1", session_id: "sess", request_id: "req", user_agent: "Firefox", location: "Vienna" },
  reason: "because of audit",
  metadata: String.raw`{"note":"caf\u00e9\nsecond","n":12345678901234567890}`,
};

describe("termsOf", () => {
  it.each<[TokenKind, string]>([
    ["all", ""],
    ["id", "evt-1"],
    ["actor", "u_17"],
    ["on_behalf_of", "s_3"],
    ["action", "user.role.grant"],
    ["prefix", "user"],
    ["prefix", "user.role"],
    ["target", "d_9"],
    ["target", "u_4"],
    ["pair", "document\0d_9"],
    ["target_type", "document"],
    ["target_type", "user"],
    ["category", "user_management"],
    ["result", "denied"],
    ["ip", "192.0.2.1"],
    ["session", "sess"],
    ["request", "req"],
    ["source", "client"],
    ["decade", "202"],
    ["year", "2026"],
    ["month", "2026-01"],
    ["day", "2026-01-01"],
    ["hour", "2026-01-01T23"],
    ["ten_minutes", "2026-01-01T23:3"],
    ["minute", "2026-01-01T23:30"],
    ["word", "grant"],
    ["word", "because"],
    ["word", "document"],
    ["word", "café"],
    ["word", "second"],
    ["word", "12345678901234567890"],
    ["word", "17"],
    ["personal", "jane"],
    ["personal", "example"],
    ["personal", "quarterly"],
    ["personal", "robot"],
    ["personal", "vienna"],
    ["personal", "blue"],
  ])("finds an entry by %s %j", (kind, value) => {
    expect(has(SAID, kind, value)).toBe(true);
  });

  it.each<[TokenKind, string]>([
    ["word", "jane"],
    ["word", "firefox"],
    ["word", "blue"],
    ["word", "quarterly"],
    ["personal", "because"],
    ["prefix", "user.role.grant"],
    ["action", "user"],
    ["actor", "u_4"],
    ["target", "u_17"],
    ["pair", "user\0d_9"],
    ["day", "2026-01-02"],
    ["actor", "U_17"],
  ])("does not find it by %s %j", (kind, value) => {
    expect(has(SAID, kind, value)).toBe(false);
  });

  it("takes the time of receipt when an event does not say when it happened, and years far away as the nearest", () => {
    const { occurred_at: _, ...silent } = SAID;
    expect(has({ ...silent, sequenced_at: "2026-11-21T18:00:00.000Z" }, "hour", "2026-11-21T18")).toBe(true);
    expect(has({ ...SAID, occurred_at: "0001-01-01T00:00:00Z" }, "hour", "1970-01-01T00")).toBe(true);
    expect(has({ ...SAID, occurred_at: "9999-12-31T23:59:60Z" }, "hour", "2099-12-31T23")).toBe(true);
  });

  it("has each token once, and at most so many words, the texts of people before metadata", () => {
    const metadata = JSON.stringify(Array.from({ length: 5_000 }, (_, n) => `w${n}`));
    const terms = termsFor({ ...SAID, metadata, actor: { ...SAID.actor, type: "user", id: "u_17", metadata } });
    const few = termsFor({ ...SAID, metadata: "{}" });
    expect(new Set(terms).size).toBe(terms.length);
    expect(terms.length).toBeLessThan(2 * ENTRY_MAX_WORDS + 30);
    expect(terms.length).toBeGreaterThan(2 * ENTRY_MAX_WORDS);
    expect(terms).toContain(token(KEY, "word", "w0"));
    expect(terms).toContain(token(KEY, "personal", "jane"));
    expect(few.length).toBeLessThan(80);
  });

  it("makes tokens for an entry of which only the leaf is left", () => {
    const { opened } = entryOf(KEY, 0, SAID);
    const bare = { ...opened, event: null, id: null, note: null, actor: null, on_behalf_of: null, targets: [] };
    const terms = termsOf(KEY, { ...bare, context: null, changes: null, metadata: null }).split(" ");
    expect(terms).toContain(token(KEY, "category", "user_management"));
    expect(terms).toContain(token(KEY, "hour", "2026-11-21T18"));
  });
});

describe("token", () => {
  it("is the same whether it was remembered or not", () => {
    const fresh = () => termKeyOf("index key", "acme");
    const values = Array.from({ length: 3 * TOKENS_MAX_COUNT }, (_, n) => `value ${n % 700} ${"é".repeat(n % 50)}`);
    const key = fresh();
    for (const value of values) token(key, "actor", value);
    for (const value of values.slice(0, 500)) expect(token(key, "actor", value)).toBe(token(fresh(), "actor", value));
  });

  it("is not made of words that are not asked for, nor kept of a free value", () => {
    const key = termKeyOf("index key", "acme");
    const many = Array.from({ length: 1_000 }, (_, n) => `w${n}x`).join(" ");
    const held = () => key.values.reduce((sum, kind) => sum + kind.size, 0);
    for (const source of [true, false]) {
      const [first] = textTokens(key, "word", many, { source });
      expect(first).toBe(token(key, "word", "w0x"));
    }
    expect(held()).toBe(1);
    const section = JSON.stringify({ before: { n: 1 }, after: { text: "é".repeat(50_000) } });
    [...textTokens(key, "word", section.slice(10, 17), { source: true })].map(String);
    expect(key.texts.word.size + key.texts.personal.size).toBe(0);
  });

  it("of a text's words are the same whether the text was remembered or not", () => {
    const fresh = () => termKeyOf("index key", "acme");
    const texts = Array.from(
      { length: 3 * TEXTS_MAX_COUNT },
      (_, n) => `word ${n % 700} "\\u00e9${"é".repeat(n % 250)}"`,
    );
    const key = fresh();
    for (const kind of ["word", "personal"] as const) {
      for (const source of [true, false]) {
        for (const text of texts) expect([...textTokens(key, kind, text, { source })].length).toBeGreaterThan(1);
        for (const text of texts.slice(0, 300)) {
          const words = source ? wordsOfSource(text) : wordsOf(text);
          const expected = words.map((word) => token(fresh(), kind, word));
          expect([...textTokens(key, kind, text, { source })]).toEqual(expected);
        }
      }
    }
  });

  it("keeps kinds apart, and values that only look alike", () => {
    const tokens = [
      ...(["actor", "target", "word", "personal", "id"] as const).map((kind) => token(KEY, kind, "x")),
      ...["x ", "X", "х", "x\0", "", "\u00e9", "e\u0301", "x".repeat(3_000), "x".repeat(3_001)].map((value) =>
        token(KEY, "actor", value),
      ),
    ];
    expect(new Set(tokens).size).toBe(tokens.length);
    for (const text of tokens) expect(text).toMatch(/^[a-z2-7]{13}$/);
  });
});

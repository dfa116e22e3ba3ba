import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { formatVkey, type NoteKey, noteKey } from "../../src/chain/note/note-key.ts";
import { ConfigError, configOf } from "../../src/env.ts";
import { sha256 } from "../../src/sha256.ts";

/** The environment with some members changed; undefined is taken out. */
function envWith(changes: Record<string, unknown>): Env {
  return { ...env, ...changes } as unknown as Env;
}

const configWith = (changes: Record<string, unknown>) => () => configOf(envWith(changes));

describe("the configuration", () => {
  it.each(["ORG_LEDGER", "ORG_JOBS", "DIRECTORY", "CELL_0", "INGEST_QUEUE", "ARCHIVE"])(
    "is refused without binding %s, naming it and the remedy",
    (name) => {
      for (const value of [undefined, null, "", "text"]) {
        expect(configWith({ [name]: value })).toThrow(ConfigError);
        expect(configWith({ [name]: value })).toThrow(new RegExp(`binding ${name} is missing: add .*wrangler\\.toml`));
      }
    },
  );

  it.each(["ROOT_KEY", "KEY_PEPPER", "INDEX_KEY"])("is refused without secret %s, or with a short one", (name) => {
    for (const value of [undefined, ""]) {
      expect(configWith({ [name]: value })).toThrow(new RegExp(`secret ${name} is missing: .*wrangler secret put`));
    }
    expect(configWith({ [name]: "x".repeat(31) })).toThrow(new RegExp(`secret ${name} is shorter than 32`));
    expect(configWith({ [name]: "x".repeat(32) })).not.toThrow();
  });

  it("is refused without LOG_SIGNING_KEY, and with one that is not exactly 32 bytes of base64", () => {
    for (const value of [undefined, ""]) {
      expect(configWith({ LOG_SIGNING_KEY: value })).toThrow(/secret LOG_SIGNING_KEY is missing: .*openssl rand/);
    }
    const bytes = (count: number) => Buffer.alloc(count, 1).toString("base64");
    for (const value of [bytes(31), bytes(33), `${bytes(32)} `, bytes(32).slice(0, -1), "x".repeat(44), 7]) {
      expect(configWith({ LOG_SIGNING_KEY: value })).toThrow(/LOG_SIGNING_KEY is not 32 bytes in base64: .*secret put/);
    }
    expect(configOf(envWith({ LOG_SIGNING_KEY: bytes(32) })).logSigningKey).toEqual(new Uint8Array(32).fill(1));
  });

  it("never shows a secret in its message", () => {
    try {
      configWith({ ROOT_KEY: "hunter2" })();
      expect.unreachable();
    } catch (error) {
      expect(String(error)).not.toContain("hunter2");
    }
  });

  it("looks whether entries are where they belong unless PLACE_CHECKS says otherwise, and takes no other word", () => {
    const checksOf = (value: unknown) => configOf(envWith({ PLACE_CHECKS: value })).placeChecks;
    expect([undefined, "", "on", "samples", "off"].map(checksOf)).toEqual(["on", "on", "on", "samples", "off"]);
    for (const value of ["no", "ON", 1]) expect(configWith({ PLACE_CHECKS: value })).toThrow(/PLACE_CHECKS must be on/);
  });

  it("takes the cells in order, as far as they are numbered without a gap", () => {
    const cells = { CELL_1: env.CELL_1, CELL_2: env.CELL_0, CELL_4: env.CELL_0 };
    expect([...configOf(envWith(cells)).cells.keys()]).toEqual(["CELL_0", "CELL_1", "CELL_2"]);
  });

  it.each([
    "https://audit.example.com",
    "audit example",
    "Audit.example.com",
    "a.example/",
    `${"x".repeat(181)}`,
    "a+b",
  ])("refuses %s as LOG_NAME", (name) => {
    expect(configWith({ LOG_NAME: name })).toThrow(/LOG_NAME/);
  });

  it("takes a LOG_NAME with a path, and none", () => {
    expect(configOf(envWith({ LOG_NAME: "audit.example.com:8443/v1/orgs" })).logName).toBe(
      "audit.example.com:8443/v1/orgs",
    );
    expect(configOf(envWith({ LOG_NAME: "" })).logName).toBeNull();
  });

  it.each(["-1", "0", "many", "1.5"])("refuses %s as CELL_FULL_BYTES", (bytes) => {
    expect(configWith({ CELL_FULL_BYTES: bytes })).toThrow(/CELL_FULL_BYTES/);
  });

  it.each(["-1", "0", "many", "1.5", "401"])("refuses %s as HOT_DAYS", (days) => {
    expect(configWith({ HOT_DAYS: days })).toThrow(/HOT_DAYS must be a number of days, from 1 to 400/);
  });

  it("keeps files of exports for 30 days, or as long as EXPORT_KEEP_DAYS says, 400 at most", () => {
    const daysOf = (value: unknown) => configOf(envWith({ EXPORT_KEEP_DAYS: value })).exportKeepDays;
    expect([undefined, "", "1", "400"].map(daysOf)).toEqual([30, 30, 1, 400]);
    expect(configWith({ EXPORT_KEEP_DAYS: "401" })).toThrow(/EXPORT_KEEP_DAYS must be a number of days, from 1 to 400/);
  });

  it("keeps entries in D1 for 90 days, or as long as HOT_DAYS says", () => {
    const daysOf = (value: unknown) => configOf(envWith({ HOT_DAYS: value })).hotDays;
    expect([undefined, "", "1", "400"].map(daysOf)).toEqual([90, 90, 1, 400]);
  });

  const vkey = (type: NoteKey["type"], name = "witness.example/w1") =>
    formatVkey(noteKey(sha256, { name, type, publicKey: new Uint8Array(32).fill(5) }));

  it("takes witnesses, one a line, and none", () => {
    const lines = [
      "",
      `${vkey("cosignature")}  https://witness.example/w1/`,
      `${vkey("cosignature", "w2")} http://127.0.0.1:9/x`,
    ];
    const { witnesses } = configOf(envWith({ WITNESSES: lines.join("\r\n") }));
    expect(witnesses.map(({ key, url }) => [key.name, url])).toEqual([
      ["witness.example/w1", "https://witness.example/w1"],
      ["w2", "http://127.0.0.1:9/x"],
    ]);
    for (const none of [undefined, "", " \n"]) expect(configOf(envWith({ WITNESSES: none })).witnesses).toEqual([]);
  });

  it.each([
    ["no URL", vkey("cosignature"), /line 1: write a verifier key/],
    ["more than a URL", `${vkey("cosignature")} https://a.example b`, /line 1: write a verifier key/],
    ["a key that is none", "w+1+AA https://a.example", /line 1: It/],
    ["a key of another type", `${vkey("ed25519")} https://a.example`, /line 1: .*0x04/],
    ["plain http", `${vkey("cosignature")} http://a.example`, /line 1: .*https/],
    ["http to a name that only looks local", `${vkey("cosignature")} http://localhost.example`, /line 1: .*https/],
    ["a query", `${vkey("cosignature")} https://a.example/?x`, /line 1: .*https/],
    ["another scheme", `${vkey("cosignature")} file:///etc`, /line 1: .*https/],
    [
      "one name twice",
      `${vkey("cosignature")} https://a.example\n${vkey("cosignature")} https://b.example`,
      /name of its own/,
    ],
    [
      "too many",
      Array.from({ length: 9 }, (_, n) => `${vkey("cosignature", `w${n}`)} https://a.example`).join("\n"),
      /at most 8/,
    ],
  ])("refuses a witness with %s, naming the line", (_, text, message) => {
    expect(configWith({ WITNESSES: text })).toThrow(ConfigError);
    expect(configWith({ WITNESSES: text })).toThrow(message);
  });

  it("is read once from one environment", () => {
    expect(configOf(env)).toBe(configOf(env));
  });
});

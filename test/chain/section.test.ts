import { describe, expect, it } from "vitest";
import { commitment, isSectionName } from "../../src/chain/section.ts";
import { sha256 } from "./support.ts";

const SALT = "AAECAwQFBgcICQoLDA0ODw";

function spelledOut(name: string, salt: Buffer, text: string): string {
  const parts = [
    Buffer.from("indelible/section/v1"),
    Buffer.of(0),
    Buffer.from(name),
    Buffer.of(0),
    salt,
    Buffer.from(text),
  ];
  return Buffer.from(sha256(Buffer.concat(parts))).toString("base64url");
}

describe("section names", () => {
  it.each([
    "event",
    "note",
    "actor",
    "actor/detail",
    "on_behalf_of",
    "on_behalf_of/detail",
    "target/0",
    "target/49",
    "target/7/detail",
    "context",
    "changes",
    "metadata",
  ])("%s is one", (name) => {
    expect(isSectionName(name)).toBe(true);
  });

  it.each([
    "",
    "Event",
    "event ",
    "event/detail",
    "note/detail",
    "target",
    "target/",
    "target/50",
    "target/00",
    "target/01",
    "target/-1",
    "target/1.0",
    "target/1e1",
    "target/1/details",
    "target/1/detail/",
    "targets/0",
    "__proto__",
    "constructor",
    "actor\0",
  ])("%j is none", (name) => {
    expect(isSectionName(name)).toBe(false);
  });
});

describe("a commitment", () => {
  it.each([
    "",
    "{}",
    '{"id":"u_17"}',
    "é 🦊 \u2028",
    "x".repeat(95),
    "x".repeat(96),
    "x".repeat(97),
    `${"x".repeat(90)}é`,
    "é".repeat(300_000),
  ])("hashes name, salt and the UTF-8 of the text", (text) => {
    const salt = Buffer.from(SALT, "base64url");
    expect(commitment(sha256, { name: "actor", salt: SALT, text })).toBe(spelledOut("actor", salt, text));
    expect(commitment(sha256, { name: "actor", salt: new Uint8Array(salt), text })).toBe(
      spelledOut("actor", salt, text),
    );
  });

  it("differs when name, salt or text differ", () => {
    const all = [
      { name: "actor", salt: SALT, text: "{}" },
      { name: "note", salt: SALT, text: "{}" },
      { name: "actor", salt: "AAECAwQFBgcICQoLDA0ODg", text: "{}" },
      { name: "actor", salt: SALT, text: "{} " },
    ].map((section) => commitment(sha256, section));
    expect(new Set(all).size).toBe(all.length);
  });

  it.each([
    "",
    "AAAA",
    `${SALT}A`,
    "AAECAwQFBgcICQoLDA0ODx",
    "AAECAwQFBgcICQoLDA0OD=",
    new Uint8Array(15),
    new Uint8Array(17),
  ])("throws for a salt that is not 16 bytes: %j", (salt) => {
    expect(() => commitment(sha256, { name: "actor", salt, text: "{}" })).toThrow("invariant broken");
  });

  it("throws for a name that is none", () => {
    expect(() => commitment(sha256, { name: "target/50", salt: SALT, text: "{}" })).toThrow("invariant broken");
  });
});

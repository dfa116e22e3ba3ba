import { createHmac, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { keyHash, keyText, parseKey } from "../../src/auth/key.ts";
import { equal } from "../../src/equal.ts";

const PEPPER = "pepper-of-this-test";
const SECRET = new Uint8Array(32).fill(7);
const KEY = keyText(PEPPER, "ind_oabcdefghijkl", SECRET);

describe("the text of a key", () => {
  it("is its id, 32 random bytes and 6 characters of HMAC under the pepper", () => {
    const [, body = "", check] = /^(ind_o[a-z2-7]{12}_[A-Za-z0-9_-]{43})([A-Za-z0-9_-]{6})$/.exec(KEY) ?? [];
    expect(Buffer.from(body.slice(18), "base64url")).toEqual(Buffer.from(SECRET));
    expect(check).toBe(createHmac("sha256", PEPPER).update(body).digest("base64url").slice(0, 6));
  });

  it("tells org keys from platform keys, and what stores keep of them", () => {
    expect(parseKey(PEPPER, KEY)).toEqual({ kind: "org", id: "ind_oabcdefghijkl" });
    const platform = keyText(PEPPER, "ind_pabcdefghijkl", SECRET);
    expect(parseKey(PEPPER, platform)).toMatchObject({ kind: "platform", id: "ind_pabcdefghijkl" });
    expect(keyHash(KEY)).toMatch(/^[0-9a-f]{64}$/);
  });

  it("is not one of ours with any character changed, dropped, doubled or put in", () => {
    for (let at = 0; at < KEY.length; at++) {
      const [before, after] = [KEY.slice(0, at), KEY.slice(at + 1)];
      const other = KEY[at] === "a" ? "b" : "a";
      for (const wrong of [
        before + other + after,
        before + after,
        before + KEY[at] + KEY.slice(at),
        `${before} ${KEY.slice(at)}`,
      ]) {
        if (wrong !== KEY) expect(parseKey(PEPPER, wrong), wrong).toBeNull();
      }
    }
  });

  it("is not one of ours under another pepper", () => {
    expect(parseKey("another pepper", KEY)).toBeNull();
  });

  it.each(["", "ind_", `${KEY}\n`, ` ${KEY}`, KEY.toUpperCase(), KEY + KEY, "x".repeat(10_000), "\0"])(
    "is not %j",
    (text) => {
      expect(parseKey(PEPPER, text)).toBeNull();
    },
  );

  it("is another each time", () => {
    const texts = Array.from({ length: 100 }, () => keyText(PEPPER, "ind_oabcdefghijkl", randomBytes(32)));
    expect(new Set(texts).size).toBe(100);
  });
});

describe("comparing secrets", () => {
  it("holds for the same text alone", () => {
    expect(equal("abc", "abc")).toBe(true);
    for (const other of ["abd", "ab", "abcd", "", "ABC"]) expect(equal("abc", other)).toBe(false);
  });
});

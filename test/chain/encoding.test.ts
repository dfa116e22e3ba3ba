import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { base64url, fromBase64url, hex, utf8 } from "../../src/chain/encoding.ts";

describe("base64url", () => {
  it("writes what Node writes, whatever the length", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(base64url(bytes)).toBe(Buffer.from(bytes).toString("base64url"));
      }),
    );
    const large = new Uint8Array(100_001).map((_, n) => n);
    expect(base64url(large)).toBe(Buffer.from(large).toString("base64url"));
  });

  it("reads back exactly what it wrote", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(fromBase64url(base64url(bytes))).toEqual(new Uint8Array(bytes));
      }),
    );
  });

  it.each(["A", "AAAAA", "AA==", "AB", "AAB", "A+", "A/", "A A", "AA\n", "é€", "AÁ", "====", "A\u0000"])(
    "does not read %j",
    (text) => {
      expect(fromBase64url(text)).toBeNull();
    },
  );

  it("reads a text only if it would write the same", () => {
    const unit = fc.constantFrom(..."AQgwBZaz09-_=+/ ");
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 12 }), (text) => {
        const bytes = fromBase64url(text);
        if (bytes !== null) expect(base64url(bytes)).toBe(text);
      }),
    );
  });
});

describe("hex and UTF-8", () => {
  it("writes two digits a byte", () => {
    expect(hex(Uint8Array.of(0, 1, 15, 16, 171, 255))).toBe("00010f10abff");
  });

  it("encodes any text as Node does", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(Buffer.from(utf8(text))).toEqual(Buffer.from(text));
      }),
    );
  });
});

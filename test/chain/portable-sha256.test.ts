import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hex } from "../../src/chain/encoding.ts";
import { portableSha256 } from "../../src/chain/portable-sha256.ts";
import { sha256 } from "./support.ts";

function same(bytes: Uint8Array): void {
  expect(hex(portableSha256(bytes))).toBe(hex(sha256(bytes)));
}

describe("SHA-256 in plain code", () => {
  it.each([
    ["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    ["abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
    [
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    ],
  ])("is that of FIPS 180-4 of %j", (text, digest) => {
    expect(hex(portableSha256(Buffer.from(text)))).toBe(digest);
  });

  it("is that of the runtime, at every length around blocks and for any bytes", () => {
    for (let length = 0; length <= 260; length++) same(new Uint8Array(length).fill(length));
    fc.assert(fc.property(fc.uint8Array({ maxLength: 2_000 }), same), { numRuns: 500 });
    same(new Uint8Array(1_000_003).fill(0xa5));
  });

  it("is of a view's own bytes, and keeps nothing of the last call", () => {
    const bytes = Buffer.from("before abc after");
    const first = portableSha256(bytes.subarray(7, 10));
    portableSha256(new Uint8Array(100).fill(255));
    expect(hex(first)).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseNote, signatureLine } from "../../../src/chain/note/note.ts";
import { formatVkey, noteKey, parseVkey } from "../../../src/chain/note/note-key.ts";
import { sha256 } from "../support.ts";
import { keyOf, signedNote, signer } from "./support.ts";

const NAME = "audit.example.com/v1/orgs/acme";
const note = signedNote("one\n\ntwo\n", [
  [NAME, signer(1)],
  ["other.example", signer(2)],
]);
const [line = ""] = signedNote("x\n", [[NAME, signer(1)]])
  .split("\n")
  .slice(2);

describe("a signed note", () => {
  it("is split at its last empty line", () => {
    const parsed = parseNote(note);
    if (!parsed.ok) throw new Error(parsed.why);
    expect(parsed.note.text).toBe("one\n\ntwo\n");
    expect(parsed.note.signatures.map(({ name }) => name)).toEqual([NAME, "other.example"]);
    expect(parsed.note.signatures.map(({ signature }) => signature.length)).toEqual([64, 64]);
    expect(parsed.note.text + "\n" + parsed.note.signatures.map(signatureLine).join("")).toBe(note);
  });

  it("may have an empty text line, 64 signatures and signatures of other lengths", () => {
    expect(parseNote(`\n\n${line}\n`).ok).toBe(true);
    expect(parseNote(`x\n\n${`${line}\n`.repeat(64)}`).ok).toBe(true);
    expect(parseNote("x\n\n— a AAAAAAA=\n").ok).toBe(true);
  });

  it.each([
    ["nothing", ""],
    ["a text alone", "x\n"],
    ["no signature", "x\n\n"],
    ["no text", `\n${line}\n`],
    ["no line end at the end", `x\n\n${line}`],
    ["a text without line end", `x\n${line}\n`],
    ["an empty line at the end", `x\n\n${line}\n\n`],
    ["a line that is no signature", `x\n\n${line}\ny\n`],
    ["65 signatures", `x\n\n${`${line}\n`.repeat(65)}`],
    ["over 262,144 bytes", `${"x".repeat(262_144)}\n\n${line}\n`],
    ["over 262,144 bytes in fewer characters", `${"é".repeat(131_072)}\n\n${line}\n`],
    ["a carriage return", `x\r\n\n${line}\n`],
    ["a tab", `x\ty\n\n${line}\n`],
    ["NUL", `x\0\n\n${line}\n`],
    ["a lone surrogate", `x\ud800\n\n${line}\n`],
    ["a hyphen for the dash", `x\n\n${line.replace("—", "-")}\n`],
    ["two dashes", `x\n\n${line.replace("—", "——")}\n`],
    ["a space before the dash", `x\n\n ${line}\n`],
    ["two spaces", `x\n\n${line.replace("— ", "—  ")}\n`],
    ["a space at the end of a line", `x\n\n${line} \n`],
    ["no name", `x\n\n${line.replace(`${NAME} `, "")}\n`],
    ["a plus in a name", `x\n\n${line.replace("acme", "a+me")}\n`],
    ["a wide space in a name", `x\n\n${line.replace("acme", "a\u3000me")}\n`],
    ["a signature that is not base64", `x\n\n${line.replace(/.=$/, "*=")}\n`],
    ["base64url", `x\n\n${line.replace(/ [^ ]{4}([^ ]*)$/, " -_-_$1")}\n`],
    ["base64 without padding", `x\n\n${line.replace(/=+$/, "")}\n`],
    ["base64 with unused bits", `x\n\n— a AAAAAAB=\n`],
    ["a key id without signature", "x\n\n— a AAAAAA==\n"],
  ])("is not one with %s", (_, text) => {
    expect(parseNote(text).ok).toBe(false);
  });

  it("is never read from a text that it would not be written as", () => {
    const edit = fc.record({ at: fc.nat(note.length), drop: fc.nat(3), add: fc.string({ maxLength: 3 }) });
    fc.assert(
      fc.property(edit, ({ at, drop, add }) => {
        const changed = note.slice(0, at) + add + note.slice(at + drop);
        const parsed = parseNote(changed);
        if (!parsed.ok) return;
        expect(`${parsed.note.text}\n${parsed.note.signatures.map(signatureLine).join("")}`).toBe(changed);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("a verifier key", () => {
  const key = keyOf(signer(1), NAME);
  const vkey = formatVkey(key);

  it("is read as it was written, of either type", () => {
    expect(parseVkey(sha256, vkey)).toEqual({ ok: true, key });
    const witness = keyOf(signer(1), "witness.example/w1", "cosignature");
    expect(parseVkey(sha256, formatVkey(witness))).toEqual({ ok: true, key: witness });
    expect(witness.id).not.toEqual(keyOf(signer(1), "witness.example/w1").id);
  });

  it("is read whatever its bytes, also with a plus in its base64", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (publicKey) => {
        const any = noteKey(sha256, { name: "a", type: "ed25519", publicKey });
        expect(parseVkey(sha256, formatVkey(any))).toEqual({ ok: true, key: any });
      }),
    );
  });

  it.each([
    ["nothing", ""],
    ["a name alone", NAME],
    ["no key", vkey.split("+").slice(0, 2).join("+")],
    ["an empty key", `${vkey.split("+").slice(0, 2).join("+")}+`],
    ["no name", vkey.slice(NAME.length)],
    ["a name with a space", vkey.replace("acme", "a me")],
    ["another name", vkey.replace("acme", "acmf")],
    ["upper-case hex", vkey.replace(/\+[0-9a-f]{8}\+/, (id) => id.toUpperCase())],
    ["another id", vkey.replace(/\+[0-9a-f]{8}\+/, "+00000000+")],
    ["a short id", vkey.replace(/\+[0-9a-f]{8}\+/, "+000000+")],
    ["white space around", ` ${vkey}`],
    ["a line end", `${vkey}\n`],
    ["another part", `${vkey}+`],
    ["a key of another length", "a+12345678+AQE="],
    ["an ECDSA key", "rekor.sigstore.dev+12345678+AwEB"],
  ])("is not %s", (_, text) => {
    expect(parseVkey(sha256, text).ok).toBe(false);
  });

  it("is refused when its id or one byte of its key is another", () => {
    for (let at = 0; at < vkey.length; at++) {
      for (const other of ["A", "0", "+", "/", "a"]) {
        if (vkey[at] === other) continue;
        expect(parseVkey(sha256, vkey.slice(0, at) + other + vkey.slice(at + 1)).ok).toBe(false);
      }
    }
  });

  it("is not made of a name that no note could carry, or of another length", () => {
    const { publicKey } = signer(1);
    for (const name of ["", "a b", "a+b", "a\nb", "a\u00a0b", "a\ud800"]) {
      expect(() => noteKey(sha256, { name, type: "ed25519", publicKey })).toThrow("invariant");
    }
    expect(() => noteKey(sha256, { name: "a", type: "ed25519", publicKey: publicKey.subarray(1) })).toThrow(
      "invariant",
    );
  });
});

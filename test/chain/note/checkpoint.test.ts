import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkpointText, parseCheckpoint } from "../../../src/chain/note/checkpoint.ts";
import { LOG } from "../support.ts";

const ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
const root = new Uint8Array(Buffer.from(ROOT, "base64"));
const text = `${LOG}\n20852163\n${ROOT}\n`;

describe("the text of a checkpoint", () => {
  it("has three lines, and reads back", () => {
    const checkpoint = { origin: LOG, size: 20_852_163, root };
    expect(checkpointText(checkpoint)).toBe(text);
    expect(parseCheckpoint(text)).toEqual({ ...checkpoint, extensions: [] });
  });

  it("may have lines that others added, any origin, and any size a log has", () => {
    expect(parseCheckpoint(`${text}one\ntwo more\n`)).toMatchObject({ extensions: ["one", "two more"] });
    expect(parseCheckpoint(`any log\n0\n${ROOT}\n`)).toMatchObject({ origin: "any log", size: 0 });
    expect(parseCheckpoint(`x\n4294967296\n${ROOT}\n`)).toMatchObject({ size: 2 ** 32 });
    const size = fc.integer({ min: 0, max: 2 ** 32 });
    fc.assert(
      fc.property(size, fc.uint8Array({ minLength: 32, maxLength: 32 }), (n, bytes) => {
        const checkpoint = { origin: LOG, size: n, root: bytes, extensions: [] };
        expect(parseCheckpoint(checkpointText(checkpoint))).toEqual(checkpoint);
      }),
    );
  });

  it.each([
    ["nothing", ""],
    ["one line", `${LOG}\n`],
    ["two lines", `${LOG}\n1\n`],
    ["no line end", text.slice(0, -1)],
    ["no line end after more lines", `${text}x`],
    ["an empty line", `${text}\n`],
    ["no origin", text.slice(LOG.length)],
    ["an empty extension", `${text}\nx\n`],
    ["a leading zero", text.replace("2085", "02085")],
    ["two zeros", text.replace("20852163", "00")],
    ["a sign", text.replace("2085", "+2085")],
    ["a size below 0", text.replace("2085", "-2085")],
    ["a fraction", text.replace("2085", "2.085")],
    ["an exponent", text.replace("20852163", "2e7")],
    ["hex", text.replace("20852163", "0x1")],
    ["a space", text.replace("20852163", " 20852163")],
    ["digits of another script", text.replace("20852163", "٣")],
    ["a size over 2^32", text.replace("20852163", "4294967297")],
    ["a size over 2^53", text.replace("20852163", "9007199254740993")],
    ["a size over 2^64", text.replace("20852163", "18446744073709551616")],
    ["a short root", text.replace(ROOT, ROOT.slice(4))],
    ["a long root", text.replace(ROOT, `AAAA${ROOT}`)],
    ["a root in base64url", text.replace("m/X", "m_X")],
    ["a root without padding", text.replace("=", "")],
    ["a root with unused bits", text.replace("I=", "J=")],
    ["a root with white space", text.replace("CsUY", "Cs UY")],
  ])("is not one with %s", (_, candidate) => {
    expect(parseCheckpoint(candidate)).toBeNull();
  });
});

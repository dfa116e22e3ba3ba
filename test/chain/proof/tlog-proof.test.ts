import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatTlogProof, parseTlogProof } from "../../../src/chain/proof/tlog-proof.ts";
import { makeLog } from "../support.ts";
import { proofOf } from "./support.ts";

const log = makeLog([{}, {}, {}, {}, {}]);
const proof = proofOf(log, { index: 2 });
const text = formatTlogProof(proof);
const [, extraLine = "", indexLine = "", hashLine = ""] = text.split("\n");

describe("the text of a proof", () => {
  it("has the lines of C2SP tlog-proof, and reads back", () => {
    expect(text.split("\n").map((line) => line.split(" ")[0]?.slice(0, 44))).toEqual([
      "c2sp.org/tlog-proof@v1",
      "extra",
      "index",
      ...proof.hashes.map((hash) => Buffer.from(hash).toString("base64")),
      "",
      log.log,
      "5",
      proof.checkpoint.split("\n")[2],
      "",
      "—",
      "",
    ]);
    expect(parseTlogProof(text)).toEqual(proof);
  });

  it("may carry nothing, and have no hashes", () => {
    const bare = { ...proof, extra: null, index: 0, hashes: [] };
    expect(formatTlogProof(bare)).toBe(`c2sp.org/tlog-proof@v1\nindex 0\n\n${proof.checkpoint}`);
    expect(parseTlogProof(formatTlogProof(bare))).toEqual(bare);
  });

  it.each([
    ["nothing", ""],
    ["another version", text.replace("@v1", "@v2")],
    ["no header", text.slice(text.indexOf("\n") + 1)],
    ["carriage returns", text.replaceAll("\n", "\r\n")],
    ["no index", text.replace(`${indexLine}\n`, "")],
    ["index before extra", text.replace(`${extraLine}\n${indexLine}`, `${indexLine}\n${extraLine}`)],
    ["extra twice", text.replace(extraLine, `${extraLine}\n${extraLine}`)],
    ["index twice", text.replace(indexLine, `${indexLine}\n${indexLine}`)],
    ["extra that is not base64", text.replace("extra ", "extra *")],
    ["extra in base64url", text.replace(extraLine, "extra -_-_")],
    ["extra without padding", text.replace(extraLine, "extra AA")],
    ["a leading zero", text.replace("index 2", "index 02")],
    ["a sign", text.replace("index 2", "index -2")],
    ["a space at the end", text.replace("index 2", "index 2 ")],
    ["an index of 2^32", text.replace("index 2", "index 4294967296")],
    ["an index over 2^64", text.replace("index 2", "index 18446744073709551618")],
    ["a short hash", text.replace(hashLine, hashLine.slice(4))],
    ["a hash in base64url", text.replace(hashLine, `-_-_${hashLine.slice(4)}`)],
    ["64 hashes", text.replace(hashLine, Array.from({ length: 62 }, () => hashLine).join("\n"))],
    ["a line that is no hash", text.replace(hashLine, `${hashLine}\nx`)],
    ["no empty line", text.replace("\n\n", "\n").replace("\n\n", "\n")],
    ["over 1,000,000 characters", text.replace(extraLine, `extra ${"A".repeat(1_000_000)}`)],
  ])("is not one with %s", (_, candidate) => {
    expect(candidate).not.toBe(text);
    expect(parseTlogProof(candidate)).toBeNull();
  });

  it("is never read from a text that it would not be written as", () => {
    const edit = fc.record({ at: fc.nat(text.length), drop: fc.nat(3), add: fc.string({ maxLength: 3 }) });
    fc.assert(
      fc.property(edit, ({ at, drop, add }) => {
        const changed = text.slice(0, at) + add + text.slice(at + drop);
        const parsed = parseTlogProof(changed);
        if (parsed !== null) expect(formatTlogProof(parsed)).toBe(changed);
      }),
      { numRuns: 2_000 },
    );
  });
});

import { describe, expect, it } from "vitest";
import { base64url } from "../../src/chain/encoding.ts";
import { continueChain } from "../../src/ledger/continue-chain.ts";
import { edited, LOG, makeLog, OTHER_LOG, sealEvent } from "../chain/support.ts";

const log = makeLog(Array.from({ length: 6 }, () => ({})));
const lines = log.rows.map(({ line }) => line);
const start = { size: 0, prev: base64url(log.genesis), sequencedAt: 0 };
const head = continued(lines.slice(0, 3));

function continued(some: readonly string[]) {
  const continuation = continueChain(LOG, start, some);
  if (!continuation.ok) throw new Error(continuation.misfit.why);
  return continuation.head;
}

/** Where and why the last three lines do not follow the first three, when one of them is exchanged. */
function misfitWith(place: number, line: string) {
  const others = lines.slice(3).with(place, line);
  const continuation = continueChain(LOG, head, others);
  return continuation.ok ? null : continuation.misfit;
}

const rowAt = (index: number) => log.rows[index]!;

describe("continuing a chain", () => {
  it("answers each entry with its hash, and the head that follows", () => {
    const continuation = continueChain(LOG, head, lines.slice(3));
    expect(continuation).toMatchObject({ ok: true, head: { size: 6, prev: log.sealed[5]?.prev } });
    const hashes = continuation.ok ? continuation.entries.map(({ index, hash }) => [index, hash]) : [];
    expect(hashes).toEqual([3, 4, 5].map((index) => [index, log.sealed[index]?.prev]));
  });

  it("stops at the first line that does not follow, and says why", () => {
    const other = makeLog(
      Array.from({ length: 6 }, () => ({})),
      { log: OTHER_LOG },
    );
    const changed = edited(rowAt(4), ({ sections }) => {
      sections["actor"]!.text += " ";
    });
    const without = edited(rowAt(4), ({ sections }) => {
      delete sections["actor"];
    });
    const fork = sealEvent({}, { index: 4, prev: log.sealed[2]!.prev });
    const why = "its sections do not open its leaf";
    expect(misfitWith(1, changed.line)).toEqual({ index: 4, why });
    expect(misfitWith(1, without.line)).toEqual({ index: 4, why });
    expect(misfitWith(1, lines[5]!)).toEqual({ index: 4, why: "its leaf says index 5" });
    expect(misfitWith(1, other.rows[4]!.line)).toEqual({ index: 4, why: "its leaf names another log" });
    expect(misfitWith(1, fork.line)).toEqual({ index: 4, why: "it does not name the entry before it" });
    expect(misfitWith(0, "{}")).toEqual({ index: 3, why: "it holds no leaf" });
    expect(misfitWith(2, lines[5]!.replace('\\"v\\":1}', '\\"v\\":2}'))).toMatchObject({ index: 5 });
  });

  it("takes no entry sequenced before the head", () => {
    const late = { ...head, sequencedAt: head.sequencedAt + 3_600_000 };
    const why = "it was sequenced before the entry before it";
    expect(continueChain(LOG, late, lines.slice(3))).toEqual({ ok: false, misfit: { index: 3, why } });
  });

  it("takes no line in which one character of a leaf or a salt is another", () => {
    const line = lines[3]!;
    for (let at = 0; at < line.length; at++) {
      const flipped = line.slice(0, at) + (line[at] === "A" ? "B" : "A") + line.slice(at + 1);
      // The last character of a salt has bits that say nothing; any other change shows.
      if (misfitWith(0, flipped) === null) expect(JSON.parse(flipped).leaf).toBe(JSON.parse(line).leaf);
    }
    expect(misfitWith(0, line)).toBe(null);
  });
});

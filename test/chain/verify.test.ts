import { describe, expect, it } from "vitest";
import { createWalk } from "../../src/chain/verify.ts";
import { blames, LOG, makeLog, sha256, walk } from "./support.ts";
import { foreign, log, moved, row, SIZE, without } from "./ten-entries.ts";

describe("an untouched log", () => {
  it("is vouched for from the head to the genesis", () => {
    expect(walk(log, log.rows)).toEqual({
      ok: true,
      checked: SIZE,
      from: 0,
      size: SIZE,
      breaks: [],
      unvouched: [],
      absent: { erased: 0, expired: 0, withheld: 0 },
      could_not_check: [],
      stopped_at: null,
    });
  });

  it("is fine when it is empty", () => {
    expect(walk(makeLog([]), []).ok).toBe(true);
  });

  it("is checked but not vouched for without a trusted hash", () => {
    const report = walk(log, log.rows, { trusted: null });
    expect(report).toMatchObject({ ok: false, breaks: [], unvouched: [{ from: 0, to: 9 }] });
  });

  it("is checked in parts, each handing the next its trusted hash", () => {
    let trusted: string | null = log.sealed[SIZE - 1]!.prev;
    let size = SIZE;
    while (size > 0) {
      const from = Math.max(0, size - 3);
      const part = createWalk(sha256, { log: LOG, genesis: null, size, from, trusted, maxBreaks: 10 });
      for (const one of log.rows.slice(from, size).reverse()) part.row(one);
      const next = part.next();
      expect(part.report()).toMatchObject({ ok: true, checked: size - from });
      expect(next).toEqual({ index: from - 1, trusted: expect.any(String) });
      ({ trusted } = next);
      size = from;
    }
  });

  it("has a first leaf that names the genesis of this log and no other", () => {
    const report = walk(log, log.rows, { genesis: foreign.genesis });
    expect(blames(report)).toEqual(["link_broken 0"]);
  });
});

describe("a walk", () => {
  it("stops after too many breaks and says where", () => {
    const report = walk(log, [], { maxBreaks: 3 });
    expect(report).toMatchObject({ ok: false, stopped_at: 6 });
    expect(blames(report)).toEqual(["missing 7", "missing 8", "missing 9"]);
  });

  it("stops at a flood of rows at one index or beyond the head", () => {
    expect(walk(log, [...log.rows, ...Array.from({ length: 9 }, () => row(4))], { maxBreaks: 5 }).stopped_at).toBe(4);
    const beyond = Array.from({ length: 9 }, (_, n) => moved(4, 20 + n));
    expect(walk(log, [...log.rows, ...beyond], { maxBreaks: 5 })).toMatchObject({ ok: false, stopped_at: 9 });
  });

  it("gives the same report twice and takes no row after it", () => {
    const started = createWalk(sha256, { log: LOG, genesis: null, size: 1, from: 0, trusted: null, maxBreaks: 9 });
    expect(started.report()).toBe(started.report());
    expect(() => started.row(row(0))).toThrow();
  });

  it("refuses rows in the wrong order or below the range", () => {
    const range = { log: LOG, genesis: null, size: SIZE, from: 2, trusted: null, maxBreaks: 9 };
    const started = createWalk(sha256, range);
    started.row(row(5));
    expect(() => started.row(row(6))).toThrow();
    expect(() => started.row(row(1))).toThrow();
  });

  it("knows how far it is", () => {
    const started = createWalk(sha256, { log: LOG, genesis: null, size: SIZE, from: 0, trusted: null, maxBreaks: 9 });
    started.row(row(9));
    started.row(row(7));
    expect(started.progress()).toEqual({ checked: 1, breaks: 0, at: 8, from: 0, stopped: false });
    started.row(row(6));
    expect(started.progress()).toEqual({ checked: 2, breaks: 1, at: 6, from: 0, stopped: false });
  });

  it("rests above its end once it has as many causes to settle as it may, and says from where another goes on", () => {
    const bounds = { log: LOG, genesis: null, size: SIZE, from: 0, trusted: null, maxBreaks: 99, maxClaims: 0 };
    const started = createWalk(sha256, bounds);
    for (let index = SIZE - 1; index > 5; index--) started.row(row(index));
    expect(started.progress()).toMatchObject({ checked: 1, from: SIZE - 1, stopped: true });
    expect(started.report()).toMatchObject({ checked: 1, breaks: [], stopped_at: null });
  });

  it("carries the place of a row into what it says", () => {
    const report = walk(log, [...without(5), { ...moved(5, 12), place: "slot 03" }]);
    expect(report.breaks[0]?.detail).toContain("slot 03");
  });
});

import { describe, expect, it } from "vitest";
import { VERIFIER_AHEAD_TILES } from "../../src/limits.ts";
import { makeLog } from "../chain/support.ts";
import { blamed, kept, leafOf, mapSource, plainEvents, publish, published, verified, withLeaves } from "./support.ts";

const SIZES = [0, 1, 2, 255, 256, 257, 513, 1_000];

const big = publish(makeLog(plainEvents(1_000)));

let made: ReturnType<typeof published> | undefined;

const huge = () => (made ??= published(70_000));

const rich = published(Array.from({ length: 20 }, () => ({})));

describe("a whole log", () => {
  it.each(SIZES)("of %i entries is verified by its leaves", async (size) => {
    const report = await verified(publish(big.sealed, { size }));
    expect(report).toMatchObject({
      ok: true,
      size,
      entries: size,
      records: 0,
      sections_unseen: size,
      stopped_at: null,
    });
  });

  it.each(SIZES)("of %i entries is verified by its records", async (size) => {
    const log = publish(big.sealed, { size });
    const report = await verified(log, { lines: log.lines });
    expect(report).toMatchObject({ ok: true, entries: size, records: size, sections: size, sections_unseen: 0 });
  });

  it.each(SIZES)("of %i entries is verified by records alone, without tiles", async (size) => {
    const log = publish(big.sealed, { size });
    const report = await verified(log, { lines: log.lines, has: { tiles: false, entries: false } });
    expect(report).toMatchObject({ ok: true, entries: size, sections: size });
  });

  it("has every section opened", async () => {
    const report = await verified(rich, { lines: rich.lines });
    expect(report).toMatchObject({ ok: true, entries: 20, sections: 120 });
  });

  it("of 70,000 entries holds a bounded number of tiles", async () => {
    let asked = 0;
    let done = 0;
    let most = 0;
    const source = mapSource(huge().files);
    const counting = {
      read: (path: string, limit: { maxBytes: number }) => {
        if (path.startsWith("tile/entries/")) most = Math.max(most, ++asked - done);
        return source.read(path, limit);
      },
    };
    const report = await verified(huge(), { source: counting, onProgress: () => void done++ });
    expect(report).toMatchObject({ ok: true, entries: 70_000 });
    // What is asked for and not yet done is all that is in memory, beside one tile a level.
    expect(most).toBeLessThanOrEqual(VERIFIER_AHEAD_TILES + 1);
    expect(new Set(source.reads).size).toBe(source.reads.length);
  });
});

describe("an older checkpoint", () => {
  it.each([0, 1, 100, 256, 300, 512, 999, 1_000])("of size %i: the log only grew", async (size) => {
    const older = [kept(publish(big.sealed, { size }))];
    for (const has of [
      { tiles: true, entries: true },
      { tiles: false, entries: false },
    ]) {
      const report = await verified(big, { older, has, lines: big.lines });
      expect(report).toMatchObject({ ok: true, older: [{ name: "old", size, grew: true }] });
    }
  });

  it("shows that the log was cut", async () => {
    const cut = publish(big.sealed, { size: 700 });
    for (const has of [
      { tiles: true, entries: true },
      { tiles: false, entries: false },
    ]) {
      const report = await verified(cut, { older: [kept(big)], has, lines: cut.lines });
      expect(blamed(report)).toEqual(["truncated 700 to 999"]);
      expect(report.ok).toBe(false);
    }
  });

  it("shows that the log was rewritten by its owner, who made all of it fit", async () => {
    const rewritten = published(1_000, { seed: "other" });
    expect((await verified(rewritten)).ok).toBe(true);
    for (const size of [1, 255, 256, 700, 1_000]) {
      const older = [kept(publish(big.sealed, { size }))];
      for (const has of [
        { tiles: true, entries: true },
        { tiles: false, entries: false },
      ]) {
        const report = await verified(rewritten, { older, has, lines: rewritten.lines });
        expect(blamed(report)).toEqual(["diverged"]);
      }
    }
  });

  it("shows an entry that was put in later with an old date", async () => {
    const events = plainEvents(300);
    const before = published(events);
    const after = published([...events.slice(0, 120), { sections: [], action: "put.in" }, ...events.slice(120)]);
    expect((await verified(after)).ok).toBe(true);
    expect(blamed(await verified(after, { older: [kept(before)] }))).toEqual(["diverged"]);
  });
});

describe("a source that gives no answer", () => {
  it("leaves the log unchecked, never broken", async () => {
    for (const path of ["tile/0/001", "tile/entries/001", "tile/1/000.p/3", "tile/0/003.p/232"]) {
      const files = mapSource(big.files);
      const read = (asked: string, limit: { maxBytes: number }) =>
        asked === path
          ? Promise.resolve({ kind: "unread", why: "it answered 500" } as const)
          : files.read(asked, limit);
      const report = await verified(big, { source: { read } });
      expect(report, path).toMatchObject({ ok: false, breaks: [] });
      expect(report.could_not_check).toHaveLength(1);
    }
  });

  it("may be stopped", async () => {
    const stop = new AbortController();
    const report = await verified(big, { signal: stop.signal, onProgress: () => stop.abort() });
    expect(report).toMatchObject({ ok: false, stopped_at: 256, breaks: [] });
  });

  it("stops at too many breaks", async () => {
    const files = withLeaves(big, (at) => leafOf(big, at).replace("general", "login"));
    const report = await verified({ ...big, files }, { maxBreaks: 50 });
    expect(report).toMatchObject({ ok: false, stopped_at: 256 });
    expect(report.breaks).toHaveLength(50);
  });
});

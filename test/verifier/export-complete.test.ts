import { describe, expect, it } from "vitest";
import { predecessorText } from "../../src/chain/continuation.ts";
import { EXPORT_MISSING_MAX_RUNS } from "../../src/limits.ts";
import { makeLog, sha256 } from "../chain/support.ts";
import type { ExportManifest } from "../../src/chain/export-manifest.ts";
import { checkExport, type ExportCheck, type Exported, exportOf, saidOf } from "./exports.ts";
import { noteOf, publish, published } from "./support.ts";

const plain = (count: number) => Array.from({ length: count }, () => ({}));

describe("an export that is said to be complete", () => {
  it("is not believed when a log before the last is not in it", async () => {
    const log = published(plain(30));
    const predecessor = predecessorText(sha256, { origin: log.log, note: noteOf(log) });
    const later = publish(makeLog(plain(20), { log: `${log.log}/2`, predecessor }));
    expect(await checkExport(exportOf([log, later]), { logs: [log, later] })).toMatchObject({ ok: true, faults: [] });
    const report = await checkExport(exportOf([later]), { logs: [log, later] });
    expect(report).toMatchObject({ ok: false, faults: [{ kind: "manifest_wrong", part: null }] });
    expect(report.faults[0]?.detail).toMatch(/log 1 of the org is not in it/);
  });

  it("is not believed when it holds sections back", async () => {
    const log = published(plain(5));
    const lines = log.lines.map((line) => {
      const { leaf, sections } = JSON.parse(line);
      const absent = Object.keys(sections).map((section) => ({ section, cause: "withheld" }));
      return JSON.stringify({ leaf, sections: {}, absent });
    });
    const report = await checkExport(exportOf([log], { lines: [lines] }), { logs: [log] });
    expect(report).toMatchObject({ ok: false, faults: [{ kind: "manifest_wrong" }] });
    expect(report.faults[0]?.detail).toMatch(/sections are withheld/);
  });
});

describe("an export that lacks entries the service had lost", () => {
  const log = published(plain(40));
  const lost = [
    { log: log.log, first: 3, last: 5 },
    { log: log.log, first: 39, last: 39 },
  ];
  const has = (index: number) => lost.every(({ first, last }) => index < first || index > last);
  const check = (made: Exported, more: Partial<ExportCheck> = {}) => checkExport(made, { logs: [log], ...more });

  it("names them, and every other entry has to be there", async () => {
    const made = exportOf([log], { pick: has, missing: lost, complete: false });
    const report = await check(made);
    expect(report).toMatchObject({ ok: true, whole: true, faults: [], missing: { entries: 4, runs: lost } });
    const less = exportOf([log], { pick: (index) => has(index) && index !== 2 && index !== 20, missing: lost });
    expect(saidOf(await check(less))).toEqual(["missing 2", "missing 20"]);
    const two = exportOf([log], { pick: (index) => index > 6 && has(index), missing: lost, complete: false });
    expect(saidOf(await check(two))).toEqual(["missing 0 to 2", "missing 6"]);
  });

  it("contradicts itself when it has one of them, or is said to be complete", async () => {
    const one = await check(
      exportOf([log], { pick: (index) => has(index) || index === 4, missing: lost, complete: false }),
    );
    expect(one).toMatchObject({ ok: false, faults: [{ kind: "manifest_wrong", part: null }], logs: [{ breaks: [] }] });
    expect(one.faults[0]?.detail).toMatch(/has entry 4 of .*, which the manifest says is missing/);
    const filter = (said: ExportManifest) => (said.filter = { action: "some.*" });
    const some = exportOf([log], { pick: (index) => index === 5, missing: lost, complete: false, change: filter });
    expect(saidOf(await check(some))).toEqual(["manifest_wrong"]);
    const complete = await check(exportOf([log], { pick: has, missing: lost, complete: true }));
    expect(complete).toMatchObject({ ok: false, faults: [{ kind: "manifest_wrong" }] });
    expect(complete.faults[0]?.detail).toMatch(/says complete, and that 4 entries are missing/);
  });

  it("is a part where not all of them are named, or where something chose among entries", async () => {
    const more = (said: ExportManifest) => (said.missing = { entries: 5, runs: lost, more: true });
    const less = { pick: (index: number) => has(index) && index !== 20, missing: lost, complete: false };
    expect(await check(exportOf([log], { ...less, change: more }))).toMatchObject({ ok: true, whole: false });
    for (const choice of [{ filter: { q: "x" } }, { from: "2026-01-01T00:00:00Z" }, { to: "2026-01-01T00:00:00Z" }]) {
      const made = exportOf([log], { ...less, change: (said) => Object.assign(said, choice) });
      expect(await check(made), JSON.stringify(choice)).toMatchObject({ ok: true, whole: false });
    }
  });

  it("names them in order, apart, below the size of their logs, and as many as it says", async () => {
    const [a, b] = lost as [(typeof lost)[0], (typeof lost)[0]];
    const wrong: unknown[] = [
      undefined,
      4,
      { entries: 4, runs: lost },
      { entries: 5, runs: lost, more: false },
      { entries: 4, runs: lost, more: true },
      { entries: 4, runs: [b, a], more: false },
      { entries: 6, runs: [a, a], more: false },
      { entries: 4, runs: [a, { ...a, first: 6, last: 6 }], more: false },
      { entries: 4, runs: [a, { ...b, first: 40, last: 40 }], more: false },
      { entries: 4, runs: [a, { ...b, log: `${log.log}/2` }], more: false },
      { entries: 0, runs: [{ ...a, first: 5, last: 4 }], more: false },
    ];
    for (const missing of wrong) {
      const made = exportOf([log], { pick: has, missing: lost, change: (said) => Object.assign(said, { missing }) });
      await expect(check(made), JSON.stringify(missing)).rejects.toThrow(/not that of a manifest/);
    }
    const named = (count: number) => (said: ExportManifest) => {
      const runs = Array.from({ length: count }, (_, n) => ({ log: log.log, first: 2 * n, last: 2 * n }));
      Object.assign(said.logs[0] as object, { size: 5_000 });
      said.missing = { entries: 2_000, runs, more: true };
    };
    const many = (count: number) => check(exportOf([log], { pick: has, missing: lost, change: named(count) }));
    // A later service may name more than this one does.
    for (const more of [0, 1]) await expect(many(EXPORT_MISSING_MAX_RUNS + more)).rejects.toThrow(/is of another size/);
  });
});

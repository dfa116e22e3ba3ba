import { describe, expect, it } from "vitest";
import { predecessorText } from "../../src/chain/continuation.ts";
import { makeLog, sha256 } from "../chain/support.ts";
import { checkExport, exportOf } from "./exports.ts";
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

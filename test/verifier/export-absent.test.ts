import { describe, expect, it } from "vitest";
import { predecessorText } from "../../src/chain/continuation.ts";
import { edited, makeLog, sha256 } from "../chain/support.ts";
import { causeEvent, goneOf, listFile, redacted } from "./absences.ts";
import { checkExport, type ExportCheck, type Exported, exportOf, saidOf } from "./exports.ts";
import { mapSource, noteOf, publish, published } from "./support.ts";

const plain = (count: number) => Array.from({ length: count }, () => ({}));
const log = published(plain(20));
const check = (made: Exported, more: Partial<ExportCheck> = {}) => checkExport(made, { logs: [log], ...more });

describe("what is gone", () => {
  const erased = goneOf(0, 50);
  const mixed = published([...plain(60), causeEvent("erased", erased), ...plain(9)]);
  const lines = [redacted(mixed.lines, erased, { cause: "erased", by: 60 })];
  const listed = mapSource(new Map([listFile(erased)]));

  it("is explained by the cause and the list that the export's own lines name", async () => {
    const made = exportOf([mixed], { lines });
    expect(await check(made, { source: listed })).toMatchObject({ ok: true, logs: [{ absent: { erased: 50 } }] });
    const without = await check(made);
    expect(without).toMatchObject({ ok: false, faults: [], logs: [{ breaks: [] }] });
    expect(without.logs[0]?.could_not_check).toHaveLength(1);
    const more = [redacted(lines[0] as string[], goneOf(50, 51), { cause: "erased", by: 60 })];
    const unlisted = await check(exportOf([mixed], { lines: more }), { source: listed });
    expect(saidOf(unlisted)).toEqual(["unexplained_gap 0 note"]);
  });

  it("is only counted where a part of the log does not have the cause", async () => {
    const made = exportOf([mixed], { lines, pick: (index) => index < 30 });
    expect(await check(made, { source: listed })).toMatchObject({ ok: true, logs: [{ unproven: 30 }] });
    const early = exportOf([mixed], { lines: [redacted(mixed.lines, erased, { cause: "erased", by: 55 })] });
    expect(saidOf(await check(early, { source: listed }))).toEqual(["unexplained_gap 0 note"]);
  });

  it("may have its cause in a later log", async () => {
    const gone = goneOf(2, 9);
    const first = published(plain(10));
    const predecessor = predecessorText(sha256, { origin: first.log, note: noteOf(first) });
    const later = publish(
      makeLog([{}, causeEvent("erased", gone, { log: 1 })], { log: `${first.log}/2`, predecessor }),
    );
    const claim = { cause: "erased", by: 1, log: 2 } as const;
    const made = exportOf([first, later], { lines: [redacted(first.lines, gone, claim), later.lines] });
    const source = mapSource(new Map([listFile(gone)]));
    const logs = [first, later];
    expect(await check(made, { logs, source })).toMatchObject({ ok: true, logs: [{ absent: { erased: 7 } }, {}] });
    const other = publish(makeLog([{}, causeEvent("erased", gone)], { log: `${first.log}/2`, predecessor }));
    const strange = exportOf([first, other], { lines: [redacted(first.lines, gone, claim), other.lines] });
    expect(saidOf(await checkExport(strange, { logs, source }))).toEqual(["unexplained_gap 2 note"]);
    const backward = [first.lines, redacted(later.lines, goneOf(0, 1), { ...claim, by: 3 })];
    expect(saidOf(await check(exportOf([first, later], { lines: backward }), { logs, source }))).toEqual([
      "unexplained_gap 0 note",
    ]);
  });

  it("is withheld, which is a break where all was asked for", async () => {
    const hidden = edited({ index: 4, line: log.lines[4] as string }, (one: any) => {
      delete one.sections.note;
      one.absent = [{ section: "note", cause: "withheld" }];
    }).line;
    const made = exportOf([log], { lines: [log.lines.with(4, hidden)], complete: false });
    expect(await check(made)).toMatchObject({ ok: true, logs: [{ absent: { withheld: 1 } }] });
    expect(saidOf(await check(made, { complete: true }))).toEqual(["unexplained_gap 4 note"]);
  });
});

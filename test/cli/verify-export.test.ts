import { rmSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { edited, makeLog } from "../chain/support.ts";
import { causeEvent, goneOf, listFile, redacted } from "../verifier/absences.ts";
import { type Exported, exportOf, textOf } from "../verifier/exports.ts";
import { plainEvents, publish, published } from "../verifier/support.ts";
import { writeLog } from "./support/log-server.ts";
import { workplace } from "./support/run-cli.ts";

const END = (code: number) => ({ ok: true, value: code });
const log = published(Array.from({ length: 300 }, () => ({})));
const whole = exportOf([log]);

/** An export in a folder of its own, as it was downloaded. */
async function place(made: Exported, text: string | Uint8Array = textOf(made), name = "acme.ndjson") {
  const { run, path } = await workplace();
  writeFileSync(path(name), text);
  writeFileSync(path("acme-manifest.json"), made.manifest);
  const verify = (...args: string[]) => run("verify", [name, ...args]);
  return { run, path, verify, trusted: (...args: string[]) => verify("--key", log.vkey, ...args) };
}

it("proves every line of an export, with nobody to be asked", async () => {
  const { trusted, verify } = await place(whole);
  const { outcome, out } = await trusted("--complete");
  expect(outcome, out).toEqual(END(0));
  expect(out).toContain("all 300 lines verified, no entry is missing");
  expect(out).toMatch(/lines +300 are of entries of the signed tree, all there are/);
  const json = JSON.parse((await verify("--json")).out);
  expect(json).toMatchObject({ ok: true, id: "exp_1", org: "acme", rows: 300, logs: [{ proven: 300 }] });
  expect(json.keys).toEqual([{ origin: log.log, how: "remembered", vkeys: [log.vkey] }]);
});

it("takes what was filtered for a part, and a packed file for what is in it", async () => {
  const some = exportOf([log], { pick: (index) => index % 9 === 0 });
  const { trusted } = await place(some, gzipSync(textOf(some)), "acme.ndjson.gz");
  const { outcome, out } = await trusted();
  expect(outcome, out).toEqual(END(0));
  expect(out).toContain("all 34 lines verified\n");
  expect(out).toContain("that nothing else would have matched");
});

describe("an export that is not as it was signed", () => {
  it("is broken by a line that is changed, dropped or moved", async () => {
    const lines = textOf(whole).split("\n");
    const cases: [string[], RegExp][] = [
      [lines.with(40, (lines[40] as string).replace("inv-40", "inv-41")), /entry 40 +content_changed · section note/],
      [lines.toSpliced(40, 1), /entry 40 +missing/],
      [lines.with(40, lines[41] as string).with(41, lines[40] as string), /entry 40 +reordered/],
    ];
    for (const [changed, blame] of cases) {
      const { trusted } = await place(whole, changed.join("\n"));
      const { outcome, out } = await trusted();
      expect(outcome).toEqual(END(1));
      expect(out).toMatch(blame);
      expect(out).toMatch(/00000\.ndjson +part_changed/);
    }
  });

  it("is broken by a part that is missing, and by another's manifest", async () => {
    const [first = ""] = whole.parts.values();
    const cut = await (await place(whole, first)).trusted();
    expect(cut.outcome).toEqual(END(1));
    expect(cut.out).toMatch(/00001\.ndjson +part_missing/);
    const forged = { ...whole, manifest: exportOf([log], { by: 2 }).manifest };
    const { outcome, out } = await (await place(forged)).trusted();
    expect(outcome).toEqual(END(1));
    expect(out).toMatch(/the log +bad_signature/);
    expect(out).toContain("this export does not hold");
  });

  it("contradicts a checkpoint that is remembered", async () => {
    const { run, trusted, path } = await place(whole);
    const other = publish(makeLog(plainEvents(300), { seed: "x" }));
    writeLog(path("seen"), other);
    expect((await run("verify", ["seen", "--key", log.vkey])).outcome).toEqual(END(0));
    const { outcome, out } = await trusted();
    expect(outcome).toEqual(END(1));
    expect(out.replaceAll(/\s+/g, " ")).toContain("there are two histories");
  });

  it("cannot be checked without a key, a manifest, or the whole file", async () => {
    const { verify, trusted, path } = await place(whole);
    expect((await verify()).outcome).toMatchObject({ failure: { what: expect.stringContaining("no key is known") } });
    expect((await trusted("--since", "x")).outcome).toMatchObject({ ok: false });
    rmSync(path("acme-manifest.json"));
    expect((await trusted()).outcome).toMatchObject({ failure: { what: "acme.ndjson has no manifest beside it" } });
    writeFileSync(path("other"), "{}");
    const none = await trusted("--manifest", "other");
    expect(none.outcome).toMatchObject({ failure: { what: "other is not the manifest of an export" } });
    const gzip = gzipSync(textOf(whole));
    const cut = await place(whole, gzip.subarray(0, gzip.length / 2), "acme.ndjson.gz");
    expect((await cut.trusted()).outcome).toMatchObject({
      failure: { what: expect.stringContaining("damaged or cut") },
    });
  });
});

it("explains what is gone by the list beside it", async () => {
  const gone = goneOf(0, 20);
  const mixed = published([...Array.from({ length: 30 }, () => ({})), causeEvent("erased", gone)]);
  const made = exportOf([mixed], { lines: [redacted(mixed.lines, gone, { cause: "erased", by: 30 })] });
  const { trusted, path } = await place(made);
  const open = await trusted();
  expect(open.outcome).toEqual(END(2));
  expect(open.out.replaceAll(/\s+/g, " ")).toContain("its list, is not there");
  writeLog(path("."), { files: new Map([listFile(gone)]) });
  const { outcome, out } = await trusted("--complete");
  expect(outcome, out).toEqual(END(0));
  expect(out).toMatch(/erased +20 sections, by an entry of this export that lists them/);

  const part = exportOf([mixed], {
    lines: [redacted(mixed.lines, gone, { cause: "erased", by: 30 })],
    pick: (n) => n < 9,
  });
  const some = await place(part);
  expect((await some.trusted()).outcome).toEqual(END(0));
  expect((await some.trusted("--complete")).outcome).toEqual(END(2));
  expect((await some.trusted()).out).toMatch(/not there +9 sections are said to be erased/);
});

it("says what is withheld", async () => {
  const line = edited({ index: 4, line: log.lines[4] as string }, (one: any) => {
    delete one.sections.note;
    one.absent = [{ section: "note", cause: "withheld" }];
  }).line;
  const { trusted } = await place(exportOf([log], { lines: [log.lines.with(4, line)], complete: false }));
  const seen = await trusted();
  expect(seen.outcome).toEqual(END(0));
  expect(seen.out).toContain("some sections withheld");
  expect((await trusted("--complete")).outcome).toEqual(END(1));
});

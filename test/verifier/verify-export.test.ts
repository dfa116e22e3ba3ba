import { describe, expect, it } from "vitest";
import { predecessorText } from "../../src/chain/continuation.ts";
import { openExport, verifyExport } from "../../src/verifier/index.ts";
import { keyOf, signer } from "../chain/note/support.ts";
import { makeLog, record, sealEvent, sha256 } from "../chain/support.ts";
import {
  checkExport,
  chunksOf,
  type ExportCheck,
  type Exported,
  exportOf,
  partOf,
  saidOf,
  signManifest,
  textOf,
} from "./exports.ts";
import { noteOf, publish, type Published, published } from "./support.ts";

const plain = (count: number) => Array.from({ length: count }, () => ({}));
const log = published(plain(300));
const check = (made: Exported, more: Partial<ExportCheck> = {}) => checkExport(made, { logs: [log], ...more });
const keysOf = (logs: readonly Published[], by = 1) => logs.map((one) => keyOf(signer(by), one.log));

/** The lines of an export, changed; the manifest is made anew for them where `honest`. */
function changedLines(made: Exported, change: (lines: string[]) => void, { honest = true } = {}) {
  const lines = textOf(made).split("\n").slice(0, -1);
  change(lines);
  const text = lines.map((line) => `${line}\n`).join("");
  const manifest = { ...made.said, rows: lines.length, parts: [partOf("00000.ndjson", text)] };
  return { ...made, text, ...(honest ? { manifest: signManifest(manifest, { name: log.log, by: 1 }) } : {}) };
}

const whole = exportOf([log]);
const some = exportOf([log], { pick: (index) => index % 7 === 0 || (index > 100 && index < 120) });

describe("an export that is whole", () => {
  it("is proven line by line, and none is missing", async () => {
    const report = await check(whole);
    expect(report).toMatchObject({ ok: true, complete: true, rows: 300, faults: [], stopped_at: null });
    expect(report.logs).toMatchObject([{ origin: log.log, size: 300, rows: 300, proven: 300, first: 0, last: 299 }]);
    expect(textOf(whole).match(/"proof":/g)).toHaveLength(1);
  });

  it("is proven whatever pieces its bytes come in, and from a library without help", async () => {
    for (const bytes of [1, 7, 1_000_000]) {
      const report = await check(whole, { bytes: chunksOf(textOf(whole), bytes), sha256 });
      expect(report.ok).toBe(true);
    }
    const small = exportOf([publish(log.sealed, { size: 3 })]);
    const opened = await openExport({ manifest: small.manifest, keys: keysOf([log]) });
    if (!opened.ok) throw new Error(opened.why);
    expect(await verifyExport({ opened: opened.export, bytes: chunksOf(textOf(small)) })).toMatchObject({ ok: true });
  });

  it("may be a part of a log, and of several", async () => {
    const range = exportOf([log], { pick: (index) => index >= 40 && index < 90 });
    expect((await check(range)).logs).toMatchObject([{ proven: 50, first: 40, last: 89 }]);
    expect((await check(some)).logs).toMatchObject([{ proven: 59 }]);
    expect((await check(some)).ok).toBe(true);

    const predecessor = predecessorText(sha256, { origin: log.log, note: noteOf(log) });
    const later = publish(makeLog(plain(20), { log: `${log.log}/2`, predecessor }));
    const both = exportOf([log, later]);
    expect(await check(both, { logs: [log, later] })).toMatchObject({
      ok: true,
      logs: [{ proven: 300 }, { proven: 20 }],
    });
    const other = publish(makeLog(plain(20), { log: `${log.log}/2`, predecessor: "another\n1\nx\n" }));
    const report = await check(exportOf([log, other]), { logs: [log, other] });
    expect(saidOf(report)).toEqual(["link_broken 0"]);
  });

  it("may be empty, or CSV, whose bytes alone are compared", async () => {
    expect(await check(exportOf([log], { pick: () => false }))).toMatchObject({ ok: true, rows: 0 });
    const csv = exportOf([log], { change: (manifest) => (manifest.format = "csv") });
    expect(await check(csv)).toMatchObject({ ok: true, format: "csv" });
    expect(saidOf(await check(csv, { text: `${textOf(csv)}x` }))).toEqual(["part_changed"]);
  });
});

describe("a file that is not the one the manifest names", () => {
  it("names a part that is changed, missing, cut or too much", async () => {
    const text = textOf(whole);
    const ends = [...whole.parts.values()].map(({ length }) => Buffer.byteLength(String(length)) && length);
    const [a = 0, b = 0] = ends;
    const cases: [string, string[]][] = [
      [text.slice(0, a + b), ["part_missing 00002.ndjson"]],
      [text.slice(0, a), ["part_missing 00001.ndjson"]],
      [`${text}{}\n`, ["part_changed", "leaf_malformed 300"]],
    ];
    for (const [given, expected] of cases) {
      const found = saidOf(await check(whole, { text: given }));
      for (const one of expected) expect(found).toContain(one);
    }
  });

  it("names the line that is not as it was sealed, too", async () => {
    const cases: [(lines: string[]) => void, string[]][] = [
      [(lines) => (lines[150] = (lines[150] as string).replace("inv-150", "inv-151")), ["content_changed 150 note"]],
      [
        (lines) => (lines[150] = (lines[150] as string).replace("2027-11-21", "2026-11-21")),
        ["leaf_changed 150", "unvouched 0 to 149"],
      ],
      [(lines) => lines.splice(150, 1), ["missing 150", "unvouched 0 to 149"]],
      [(lines) => lines.splice(298, 2), ["missing 298 to 299", "unvouched 0 to 297"]],
      [(lines) => lines.splice(0, 10), ["missing 0 to 9"]],
      [(lines) => lines.splice(150, 0, lines[20] as string), ["extra 20"]],
      [
        (lines) => lines.splice(150, 2, lines[151] as string, lines[150] as string),
        ["reordered 150", "unvouched 0 to 149"],
      ],
      [(lines) => (lines[150] = "{"), ["leaf_malformed 150", "unvouched 0 to 149"]],
      [(lines) => (lines[150] = (lines[150] as string).replace("{", '{"more":1,')), ["content_changed 150"]],
    ];
    for (const [change, expected] of cases) {
      const dishonest = changedLines(whole, change, { honest: false });
      const found = saidOf(await check(dishonest, { text: dishonest.text }));
      expect(found.some((one) => one.startsWith("part_"))).toBe(true);
      expect(found.filter((one) => !one.startsWith("part_"))).toEqual(expected);
      // Nor does it help to have signed it so.
      const signed = changedLines(whole, change);
      const again = saidOf(await check(signed, { text: signed.text }));
      expect(again.filter((one) => one !== "manifest_wrong")).toEqual(expected);
    }
  });

  it("wants the proof of the very line, and nothing after it", async () => {
    const at = (index: number) =>
      textOf(some)
        .split("\n")
        .findIndex((line) => line.includes(`\\"index\\":${index},`));
    const proofIn = (line: string) => /"proof":(\[.*?\])/.exec(line)?.[1] as string;
    const cases: [(lines: string[]) => void, string[]][] = [
      [
        (lines) => (lines[3] = (lines[3] as string).replace(proofIn(lines[3] as string), proofIn(lines[4] as string))),
        ["leaf_changed 21"],
      ],
      [(lines) => (lines[3] = (lines[3] as string).replace(proofIn(lines[3] as string), "[]")), ["leaf_changed 21"]],
      [
        (lines) => (lines[3] = (lines[3] as string).replace(/,"proof":\[.*?\]/, "")),
        ["missing 22", "unvouched 21 to 21"],
      ],
      [
        (lines) => (lines[3] = (lines[3] as string).replace(/"proof":\["./, '"proof":["?')),
        ["content_changed 21", "missing 22", "unvouched 21 to 21"],
      ],
      [(lines) => lines.splice(at(110), 1), ["missing 110", "unvouched 101 to 109"]],
      [(lines) => lines.splice(at(112) + 1, 0, lines[at(112)] as string), ["extra 112"]],
      [(lines) => lines.splice(4, 0, log.lines[22] as string), ["extra 22", "missing 23", "unvouched 22 to 22"]],
    ];
    for (const [change, expected] of cases) {
      const signed = changedLines(some, change);
      const found = saidOf(await check(signed, { text: signed.text }));
      expect(found.filter((one) => one !== "manifest_wrong")).toEqual(expected);
    }
  });

  it("does not take another's entry, nor one that was never in the tree", async () => {
    const foreign = makeLog([{}], { log: "audit.example.com/v1/orgs/initech" }).sealed[0]?.line as string;
    const signed = changedLines(some, (lines) => lines.splice(3, 0, foreign));
    expect(saidOf(await check(signed, { text: signed.text }))).toContain("misrouted 0");
    const prev = record({ line: log.lines[21] as string }).leaf.match(/"prev":"(.{43})"/)?.[1] as string;
    const forged = sealEvent({ action: "forged" }, { index: 21, prev }).line;
    const made = changedLines(some, (lines) => {
      lines[3] = `${forged.slice(0, -1)},${(lines[3] as string).slice((lines[3] as string).indexOf('"proof"'))}`;
    });
    expect(saidOf(await check(made, { text: made.text }))).toEqual(["leaf_changed 21"]);
  });
});

describe("a manifest", () => {
  it("is not opened by another key, nor when it was changed, nor with a checkpoint that is not the log's", async () => {
    const open = async (manifest: string, keys = keysOf([log])) => {
      const opened = await openExport({ manifest, keys });
      return opened.ok ? "opened" : opened.kind;
    };
    expect(await open(whole.manifest)).toBe("opened");
    expect(await open(whole.manifest, keysOf([log], 2))).toBe("unknown_key");
    expect(await open(whole.manifest.replace('"rows":300', '"rows":301'))).toBe("bad_signature");
    expect(await open(exportOf([log], { by: 2 }).manifest)).toBe("unknown_key");
    const initech = publish(makeLog(plain(3), { log: "audit.example.com/v1/orgs/initech" }));
    const theirs = exportOf([log], { change: (manifest) => ((manifest.logs[0] as any).checkpoint = noteOf(initech)) });
    expect(await open(theirs.manifest)).not.toBe("opened");
    expect(await open(noteOf(log))).toBe("malformed");
    const sizes = exportOf([log], { change: (manifest) => ((manifest.logs[0] as any).size = 299) });
    expect(await open(sizes.manifest)).toBe("malformed");
    const huge = exportOf([log], { change: (manifest) => ((manifest.parts[0] as any).bytes = 16_000_001) });
    expect(await open(huge.manifest)).toBe("malformed");
    const foreign = signManifest(whole.said, { name: initech.log, by: 1 });
    expect(await open(foreign, [...keysOf([log]), ...keysOf([initech])])).toBe("unknown_key");
  });

  it("must be right about a file that is its own", async () => {
    const changes: ((manifest: any) => void)[] = [
      (manifest) => (manifest.rows = 299),
      (manifest) => (manifest.logs[0].rows = 299),
      (manifest) => (manifest.parts[1].rows = 99),
      (manifest) => (manifest.logs[0].first = 1),
    ];
    for (const change of changes) {
      const report = await check(exportOf([log], { change }));
      expect(report.ok).toBe(false);
      expect(saidOf(report).join()).toContain("manifest_wrong");
    }
    // That nothing was left out is not for a manifest to say.
    const cut = exportOf([log], { pick: (index) => index !== 200, complete: true });
    expect(saidOf(await check(cut))).toEqual(["missing 200"]);
    const ends = exportOf([log], { pick: (index) => index >= 40 && index < 90, complete: true });
    expect(saidOf(await check(ends))).toEqual(["missing 0 to 39", "missing 90 to 299"]);
    expect(saidOf(await check(exportOf([log], { pick: () => false, complete: true })))).toEqual(["missing 0 to 299"]);
  });
});

it("ends where there is too much wrong, and where it is stopped", async () => {
  const broken = exportOf([log], { lines: [log.lines.map((line) => line.replace("inv-", "inw-"))] });
  expect(await check(broken, { maxBreaks: 10 })).toMatchObject({ ok: false, stopped_at: 256 });
  expect(await check(whole, { signal: AbortSignal.abort() })).toMatchObject({ ok: false, stopped_at: 256 });
});

it("has no line above its checkpoint", async () => {
  const cut = publish(log.sealed, { size: 200 });
  const change = (manifest: any) => Object.assign(manifest.logs[0], { size: 200, checkpoint: noteOf(cut) });
  const beyond = exportOf([log], { pick: (index) => index === 250, change });
  expect(saidOf(await check(beyond))).toContain("extra 250");
});

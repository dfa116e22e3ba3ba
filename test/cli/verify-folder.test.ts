import { execFileSync } from "node:child_process";
import { rmSync, symlinkSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { edited, makeLog } from "../chain/support.ts";
import { leafOf, noteOf, plainEvents, publish, published, withLeaves } from "../verifier/support.ts";
import { writeLog } from "./support/log-server.ts";
import { workplace } from "./support/run-cli.ts";

const END = (code: number) => ({ ok: true, value: code });
const plain = published(1_000);
const rich = published(Array.from({ length: 20 }, () => ({})));
const body = (lines: readonly string[]) => `${lines.join("\n")}\n`;
const segment = (from: number, to: number, hash = "0") => `${pad(from)}-${pad(to)}-${hash.repeat(64)}.ndjson.gz`;
const pad = (index: number) => String(index).padStart(10, "0");

async function folder(log: Parameters<typeof writeLog>[1], records: Record<string, string | Uint8Array> = {}) {
  const { run, path } = await workplace();
  writeLog(path("copy"), log, records);
  return { run, path, verify: (...args: string[]) => run("verify", ["copy", "--key", plain.vkey, ...args]) };
}

it("verifies tiles and entries, as a mirror has them", async () => {
  const { verify } = await folder(plain);
  const { outcome, out } = await verify();
  expect(outcome).toEqual(END(0));
  expect(out).toContain("1,000 entries as signed, contents not seen");
});

it("verifies records in files of any name and order, gzipped or not", async () => {
  const { lines } = plain;
  const { verify, run } = await folder(plain, {
    "b.ndjson": body(lines.slice(0, 300)),
    "a.jsonl.gz": gzipSync(body(lines.slice(300, 700))),
    [`seg/${segment(700, 999)}`]: gzipSync(body(lines.slice(700))),
  });
  const { outcome, out } = await verify("--complete");
  expect(outcome).toEqual(END(0));
  expect(out).toContain("all 1,000 entries verified");
  expect((await run("verify", ["copy"])).out).toContain("remembered from an earlier run");
});

it("verifies records alone, with the log's checkpoint beside them", async () => {
  const files = new Map([["checkpoint", plain.files.get("checkpoint") as Uint8Array]]);
  const { verify, run, path } = await folder({ files }, { "all.ndjson": body(plain.lines) });
  expect((await verify()).out).toContain("all 1,000 entries verified");
  writeFileSync(path("old"), noteOf(publish(plain.sealed, { size: 256 })));
  expect((await verify("--since", "old")).outcome).toEqual(END(0));
  const unknown = await run("verify", ["copy", "--state", "fresh"]);
  expect(unknown.outcome).toMatchObject({ ok: false, failure: { what: expect.stringContaining("no key is known") } });
});

it("takes an entry that two segments hold alike for one", async () => {
  const { lines } = plain;
  const part = (from: number, to: number, hash?: string) => ({
    [`seg/${segment(from, to, hash)}`]: gzipSync(body(lines.slice(from, to + 1))),
  });
  // As the archive has them after a crash, copied with `checkpoint` and `tile`, and without.
  const segments = { ...part(0, 299), ...part(300, 999, "1"), ...part(300, 599), ...part(500, 999) };
  const checkpoint = new Map([["checkpoint", plain.files.get("checkpoint") as Uint8Array]]);
  for (const files of [plain.files, checkpoint]) {
    const { verify } = await folder({ files }, segments);
    const { outcome, out } = await verify("--complete");
    expect(outcome, out).toEqual(END(0));
    expect(out).toContain("all 1,000 entries verified");
  }
  const twice = await folder(plain, { ...segments, "x.ndjson": body([...lines.slice(5, 8), lines[7] as string]) });
  const within = await twice.verify();
  expect(within.out).toMatch(/entry 7 +extra/);
  expect(within.out).toContain(": 1 break");
});

it("neither waits for a pipe nor reads a device", async () => {
  const { verify, path } = await folder(plain);
  for (const make of [() => symlinkSync("/dev/zero", path("copy/checkpoint")), () => mkfifo(path("copy/checkpoint"))]) {
    rmSync(path("copy/checkpoint"));
    make();
    expect((await verify()).outcome).toMatchObject({ failure: { what: "copy gives no checkpoint: it is no file" } });
  }
  rmSync(path("copy/checkpoint"));
  writeLog(path("copy"), plain);
  mkfifo(path("copy/records.ndjson"));
  expect((await verify()).outcome).toEqual(END(0));
});

function mkfifo(path: string): void {
  execFileSync("mkfifo", [path]);
}

it("names what was tampered with, where it lies, and that sections are withheld", async () => {
  const tampered = (edit: (record: any) => void) =>
    body(rich.lines.map((line, index) => (index === 7 ? edited({ index, line }, edit).line : line)));
  const text = tampered((record) => (record.sections.metadata.text = "1"));
  const { verify } = await folder(rich, { "a.ndjson": text });
  const { outcome, out } = await verify();
  expect(outcome).toEqual(END(1));
  expect(out).toMatch(/entry 7 +content_changed · section metadata/);

  const absent = (record: any) => {
    delete record.sections.note;
    record.absent = [{ section: "note", cause: "withheld" }];
  };
  const second = await folder(rich, { "a.ndjson": tampered(absent) });
  const withheld = await second.verify();
  expect(withheld.outcome).toEqual(END(0));
  expect(withheld.out).toContain("some sections withheld");
  expect(withheld.out).toMatch(/withheld +1 section: not all is verified/);
  expect(withheld.out).not.toContain("all 20");
  const complete = await second.verify("--complete");
  expect(complete.outcome).toEqual(END(1));
  expect(complete.out).toMatch(/entry 7 +unexplained_gap · section note/);
});

it("does not blame a log for a file that cannot be read to its end", async () => {
  const gzip = gzipSync(body(plain.lines));
  const { verify } = await folder(plain, { "all.ndjson.gz": gzip.subarray(0, gzip.length / 2) });
  expect((await verify()).outcome).toMatchObject({
    ok: false,
    failure: { what: expect.stringContaining("damaged or cut off") },
  });
});

it("names lines that are no records, and passes over empty ones", async () => {
  const lines = rich.lines.toSpliced(5, 1, "\u0000\ufffd{".repeat(10));
  const { verify } = await folder(rich, { "a.ndjson": `\n${body(lines)}\n\n` });
  const { outcome, out } = await verify();
  expect(outcome).toEqual(END(1));
  expect(out).toMatch(/entry 5 +leaf_changed/);
  expect(out).toContain("a.ndjson line 7");
  const long = await folder(rich, { "a.ndjson": body([...rich.lines, "x".repeat(500_000)]) });
  expect((await long.verify()).out).toMatch(/entry 20 +extra/);
});

it("compares a copy with what was seen before, when it is not older", async () => {
  const { verify, path, run } = await folder(plain);
  await verify();
  const older = publish(plain.sealed, { size: 700 });
  writeLog(path("older"), older);
  const old = await run("verify", ["older"]);
  expect(old.outcome).toEqual(END(0));
  expect(old.out).toContain("a newer checkpoint is remembered (1,000 entries");
  writeLog(path("rewritten"), publish(makeLog(plainEvents(1_000), { seed: "x" })));
  const rewritten = await run("verify", ["rewritten"]);
  expect(rewritten.outcome).toEqual(END(1));
  expect(rewritten.out).toMatch(/there are two\s+histories/);
});

it("says how many records are newer than the checkpoint", async () => {
  for (const files of [new Map(publish(rich.sealed, { size: 12 }).files), null]) {
    const cut = publish(rich.sealed, { size: 12 });
    const checkpoint = new Map([["checkpoint", cut.files.get("checkpoint") as Uint8Array]]);
    const { verify } = await folder({ files: files ?? checkpoint }, { "a.ndjson": body(rich.lines) });
    const { outcome, out } = await verify();
    expect(outcome).toEqual(END(0));
    expect(out).toMatch(/newer +8 records are of entries above this checkpoint: not verified/);
  }
});

it("says what a folder lacks", async () => {
  const { path, run } = await folder({ files: new Map([["checkpoint", new Uint8Array(0)]]) });
  expect((await run("verify", ["copy"])).outcome).toMatchObject({
    failure: { what: expect.stringContaining("holds neither") },
  });
  const files = new Map(plain.files);
  files.delete("checkpoint");
  writeLog(path("bare"), { files });
  expect((await run("verify", ["bare"])).outcome).toMatchObject({ failure: { what: "bare has no checkpoint" } });
  expect((await run("verify", ["nowhere"])).outcome).toMatchObject({
    failure: { what: "there is no file or folder nowhere" },
  });
  writeFileSync(path("file"), "hello");
  expect((await run("verify", ["file"])).outcome).toMatchObject({
    failure: { what: "file is not the proof of an event" },
  });
});

it.each([60, 120])("fits a terminal of %i columns", async (columns) => {
  const { path, run } = await workplace();
  const swap = (index: number) => leafOf(plain, index === 3 ? 9 : index === 9 ? 3 : index);
  writeLog(path("copy"), { files: withLeaves(plain, swap) });
  const args = ["verify", ["copy", "--key", plain.vkey]] as const;
  const { out } = await run(args[0], [...args[1]], { columns });
  expect(steady(out)).toMatchSnapshot();
  const live = await run(args[0], [...args[1]], { columns, live: true });
  expect(out).not.toContain("\u001b");
  expect(live.out).toContain("\u001b[31m");
  const widest = Math.max(
    ...out
      .split("\n")
      .filter((line) => line.includes(" "))
      .map((line) => line.length),
  );
  expect(widest).toBeLessThan(columns);
});

/** Without what differs from run to run. */
function steady(text: string): string {
  return text.replaceAll(/^ {2}[\d.]+ m?s · .*$/gm, "  (time)").replaceAll(/\d{4}-\d\d-\d\d(?=:)/g, "(day)");
}

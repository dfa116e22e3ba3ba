import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { predecessorText } from "../../src/chain/continuation.ts";
import type { ExportedLog } from "../../src/chain/export-manifest.ts";
import { makeLog, sha256 } from "../chain/support.ts";
import { causeEvent, goneOf, listFile, redacted } from "../verifier/absences.ts";
import { type Exported, exportOf, signManifest, textOf } from "../verifier/exports.ts";
import { noteOf, publish, type Published } from "../verifier/support.ts";
import { exportService, KEY } from "./support/export-service.ts";
import { workplace } from "./support/run-cli.ts";
import { filesOf } from "./support/served-logs.ts";

const MAIN = new URL("../../src/cli/main.ts", import.meta.url).pathname;
const END = (code: number) => ({ ok: true, value: code });
const REASON = ["--reason", "moving out"];
const plain = (count: number) => Array.from({ length: count }, () => ({}));

type Place = { later?: boolean; change?: (exported: Exported) => Exported };

/** An org of two logs, 20 sections of the first one erased by an entry of it or (`later`) of the next, and a place to get it from. */
async function place({ later = false, change = (exported) => exported }: Place = {}) {
  const service = await exportService();
  const origin = `${service.host}/v1/orgs/acme`;
  const gone = goneOf(10, 30);
  const cause = later ? {} : causeEvent("erased", gone);
  const first = publish(makeLog([...plain(299), cause], { log: origin }));
  const predecessor = predecessorText(sha256, { origin, note: noteOf(first) });
  const ends = later ? [causeEvent("erased", gone, { log: 1 })] : [];
  const second = publish(makeLog([...plain(20), ...ends], { log: `${origin}/2`, predecessor }));
  const logs: Published[] = [first, second];
  const [path, list] = listFile(gone);
  service.files = new Map([...filesOf(logs), [later ? `2/${path}` : path, list]]);
  const claim = later ? ({ cause: "erased", by: 20, log: 2 } as const) : ({ cause: "erased", by: 299 } as const);
  const lines = [redacted(first.lines, gone, claim), second.lines];
  const made = (id: string) => change(exportOf(logs, { lines, id }));
  service.make = made;
  const at = await workplace();
  const env = { INDELIBLE_URL: service.url, INDELIBLE_KEY: KEY };
  const keys = logs.flatMap(({ vkey }) => ["--key", vkey]);
  const exported = (args: string[], more: { signal?: AbortSignal } = {}) =>
    at.run("export", ["--org", "acme", ...REASON, ...args], { env, ...more });
  return { service, made: made("exp_1"), exported, run: at.run, path: at.path, keys };
}

const files = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name).slice(folder.length + 1))
    .sort();

describe("export --all", () => {
  it("copies an org so that it is verified with the service off", async () => {
    const { service, exported, run, path, keys } = await place();
    service.steps = 1;
    const { outcome, out } = await exported(["--all", service.url, "--to", "copy"]);
    expect(outcome, out).toEqual(END(0));
    expect(out).toContain("320 entries of acme, in copy");
    await service.stop();
    const { outcome: verified, out: said } = await run("verify", ["copy", "--complete", ...keys]);
    expect(verified, said).toEqual(END(0));
    expect(said).toContain("all 300 entries verified");
    expect(said).toContain("all 20 entries verified");
    expect(said).toMatch(/erased +20 sections/);
    expect(files(path("copy"))).toContain("2/tile/entries/000.p/20");
    expect(files(path("copy")).some((name) => /state|\.new$/.test(name))).toBe(false);
    writeFileSync(
      path("copy/records/00002.ndjson"),
      readFileSync(path("copy/records/00002.ndjson"), "utf8").replace("inv-150", "inv-151"),
    );
    expect((await run("verify", ["copy", ...keys])).outcome).toEqual(END(1));
  });

  it("explains what is gone from a log by an entry of the next one", async () => {
    const { exported, run, path, keys } = await place({ later: true });
    const { outcome, out } = await exported(["--all", "--to", "copy"]);
    expect(outcome, out).toEqual(END(0));
    const verified = await run("verify", ["copy", "--complete", ...keys]);
    expect(verified.outcome, verified.out).toEqual(END(0));
    expect(verified.out).toMatch(/all 300 entries verified[^]*erased +20 sections[^]*all 21 entries verified/);
    const alone = await run("verify", ["copy", "--complete", "--json", ...keys]);
    expect(JSON.parse(alone.out)).toMatchObject({ ok: true, absent: { erased: 20 }, later: [{ ok: true }] });
    rmSync(path("copy/2/absences"), { recursive: true });
    const open = await run("verify", ["copy", ...keys]);
    expect(open.outcome).toEqual(END(2));
    expect(open.out.indexOf("could not be checked to the end")).toBeLessThan(
      open.out.indexOf("all 21 entries verified"),
    );
  });

  it("goes on where it was, whichever request was its last", { timeout: 120_000 }, async () => {
    const { service, exported, run, path, keys } = await place();
    await exported(["--all", service.url, "--to", "whole"]);
    const requests = service.requests.length;
    const wanted = files(path("whole"));
    for (let last = 0; last < requests; last++) {
      const stop = new AbortController();
      let seen = 0;
      service.trouble = () => {
        if (seen++ === last) stop.abort();
        return false;
      };
      const cut = await exported(["--all", service.url, "--to", `copy-${last}`], { signal: stop.signal });
      service.trouble = () => false;
      const before = service.asked.length;
      if (cut.outcome.ok) continue;
      const { outcome, err } = await exported(["--all", service.url, "--to", `copy-${last}`]);
      expect(outcome, `${last}: ${err}`).toEqual(END(0));
      // What was begun is gone on with, once it is known here.
      expect(service.asked.length - before, String(last)).toBe(last === 0 ? 1 : 0);
      expect(files(path(`copy-${last}`))).toEqual(wanted);
    }
    const { outcome, out } = await run("verify", [`copy-${Math.floor(requests / 2)}`, "--complete", ...keys]);
    expect(outcome, out).toEqual(END(0));
  });

  it("goes on after it was killed, again and again", { timeout: 180_000 }, async () => {
    const { service, run, path, keys } = await place();
    const args = ["export", "--all", service.url, "--org", "acme", "--to", path("copy"), "--key", KEY, ...REASON];
    let runs = 0;
    for (let code: number | null = null; code !== 0; runs++) {
      expect(runs).toBeLessThan(30);
      const child = spawn(process.execPath, [MAIN, ...args], { cwd: path("."), stdio: "ignore" });
      let left = 3 + runs;
      service.trouble = () => {
        if (left-- === 0) child.kill("SIGKILL");
        return false;
      };
      [code] = (await once(child, "close")) as [number | null];
    }
    expect(runs).toBeGreaterThan(3);
    expect(service.asked).toHaveLength(1);
    service.trouble = () => false;
    const { outcome, out } = await run("verify", ["copy", "--complete", ...keys]);
    expect(outcome, out).toEqual(END(0));
    expect(files(path("copy")).filter((name) => /state|\.new$/.test(name))).toEqual([]);
  });

  it("copies what there is of a log whose top was lost", async () => {
    const change = (one: Exported): Exported => {
      const [first, second] = one.said.logs as [ExportedLog, ExportedLog];
      const said = { ...one.said, complete: false, logs: [{ ...first, checkpoint: null }, second] };
      return { ...one, said, manifest: signManifest(said, { name: second.log, by: 1 }) };
    };
    const { exported, path } = await place({ change });
    expect((await exported(["--all", "--to", "copy"])).outcome).toEqual(END(0));
    const there = files(path("copy"));
    expect(there).toEqual(expect.arrayContaining(["records/00001.ndjson", "2/checkpoint", "log-key"]));
    expect(there).not.toContain("checkpoint");
  });

  it("begins anew when what was begun is not there any more", async () => {
    const { service, exported, run, path, keys } = await place();
    const stop = new AbortController();
    service.trouble = (name) => {
      if (name.includes("/tile/")) stop.abort();
      return false;
    };
    await exported(["--all", service.url, "--to", "copy"], { signal: stop.signal });
    expect(existsSync(path("copy/mirror.state"))).toBe(true);
    service.trouble = () => false;
    service.end("withdrawn");
    // What the first one left is not mixed with what the second one has.
    writeFileSync(path("copy/records/00009.ndjson"), "{}\n");
    expect((await exported(["--all", service.url, "--to", "copy"])).outcome).toEqual(END(0));
    expect(service.asked).toHaveLength(2);
    expect((await run("verify", ["copy", "--complete", ...keys])).outcome).toEqual(END(0));
    const other = await place();
    other.service.make = () => other.made;
    await other.exported(["--all", "--to", "first"]);
    expect((await other.exported(["--all", "--to", "second"])).outcome).toMatchObject({
      failure: { what: "what came as the manifest is not one" },
    });
  });

  it("does not take less than everything for everything", async () => {
    const { service, exported, path } = await place();
    const log = publish(makeLog(plain(3), { log: `${service.host}/v1/orgs/acme` }));
    service.make = () => exportOf([log], { complete: false });
    expect((await exported(["--all", "--to", "copy"])).outcome).toMatchObject({
      failure: { what: "the service left something out of what this key may have" },
    });
    const { service: other, exported: get } = await place();
    other.files = new Map([...other.files].filter(([name]) => !name.startsWith("absences/")));
    expect((await get(["--all", "--to", "copy"])).outcome).toMatchObject({
      failure: { what: expect.stringContaining("is not there") },
    });
    expect(existsSync(path("copy/checkpoint"))).toBe(false);
    const whole = await place();
    await whole.exported(["--all", "--to", "copy"]);
    expect((await whole.exported(["--all", "--to", "copy"])).outcome).toMatchObject({
      failure: { what: "copy holds a whole copy already" },
    });
  });
});

describe("export to a file", () => {
  it("asks for what was said, and leaves a file that proves itself", async () => {
    const { service, made, exported, run, path, keys } = await place();
    const args = [
      "--to",
      "july.ndjson",
      "--filter",
      "action=user.*",
      "--filter",
      "action=order.*",
      "--filter=-category=login",
    ];
    const { outcome, out } = await exported([...args, "--from", "2026-07-01T00:00:00Z", "--sections", "event,actor"]);
    expect(outcome, out).toEqual(END(0));
    expect(service.asked[0]?.body).toEqual({
      format: "ndjson",
      reason: "moving out",
      filter: { action: ["user.*", "order.*"], "-category": ["login"] },
      from: "2026-07-01T00:00:00Z",
      sections: ["event", "actor"],
    });
    expect(files(path(".")).filter((name) => name.startsWith("july"))).toEqual(["july-manifest.json", "july.ndjson"]);
    expect(readFileSync(path("july.ndjson"), "utf8")).toBe(textOf(made));
    // The list of what is gone is beside it.
    expect(readdirSync(path("absences"))).toHaveLength(1);
    const verified = await run("verify", ["july.ndjson", "--complete", ...keys]);
    expect(verified.outcome, verified.out).toEqual(END(0));
    expect(verified.out).toContain("no entry is missing");
  });

  it("goes on after the last part it has, over links that expire", async () => {
    const { service, made, exported, path } = await place();
    const stop = new AbortController();
    let parts = 0;
    service.trouble = (name) => {
      if (name.includes("/data-") && ++parts === 3) stop.abort();
      return false;
    };
    expect((await exported(["--to", "all.ndjson"], { signal: stop.signal })).outcome).toMatchObject({ ok: false });
    expect(existsSync(path("all.ndjson"))).toBe(false);
    service.trouble = () => false;
    // What a crash left of a part is not taken for it.
    expect(readFileSync(path("all.ndjson.part"), "utf8").length).toBeGreaterThan(1_000);
    writeFileSync(path("all.ndjson.part"), "x", { flag: "a" });
    service.requests.length = 0;
    const { outcome } = await exported(["--to", "all.ndjson"]);
    expect(outcome).toEqual(END(0));
    expect(service.requests.filter((one) => one.includes("/data-"))).toHaveLength(2);
    expect(readFileSync(path("all.ndjson"), "utf8")).toBe(textOf(made));
    expect((await exported(["--to", "all.ndjson"])).outcome).toMatchObject({
      failure: { what: "all.ndjson is there already" },
    });
    rmSync(path("all.ndjson"));
    service.linkSeconds = 1;
    expect((await exported(["--to", "all.ndjson"])).outcome).toMatchObject({
      failure: { what: "the service gives out no file of this export" },
    });
  });

  it("keeps no part that is not the manifest's", async () => {
    const { exported, path } = await place({
      change: (made) => ({
        ...made,
        parts: new Map([...made.parts].map(([name, text]) => [name, text.replace("inv-150", "inv-151")])),
      }),
    });
    const { outcome } = await exported(["--to", "all.ndjson"]);
    expect(outcome).toMatchObject({ failure: { what: "00001.ndjson is not the part that the manifest names" } });
    expect(existsSync(path("all.ndjson"))).toBe(false);
  });

  it("says what it cannot do", async () => {
    const { service, exported, run, path } = await place();
    service.make = null;
    expect((await exported(["--to", "a.ndjson"])).outcome).toMatchObject({
      failure: { what: expect.stringContaining("exports:write") },
    });
    const cases: [string[], string][] = [
      [["--to", "a.csv"], "a.csv does not end in .ndjson"],
      [["--to", "a.ndjson", "--filter", "x"], "--filter x is not NAME=VALUE"],
      [["--to", "a.xml", "--format", "xml"], "there is no format xml"],
      [["--all", "--to", "a", "--from", "x"], "--from does not go with --all"],
      [[], "nobody said where to"],
    ];
    for (const [args, what] of cases) expect((await exported(args)).outcome).toMatchObject({ failure: { what } });
    expect((await run("export", ["--org", "acme", "--to", "a.ndjson"])).outcome).toMatchObject({
      failure: { what: "no reason was given" },
    });
    expect((await run("export", ["--help"])).out).toContain("--all");
    writeFileSync(path("file"), "");
    for (const args of [
      ["--all", "--to", "file"],
      ["--to", "file/a.ndjson"],
    ]) {
      const { outcome } = await exported(args);
      expect(outcome).toMatchObject({ failure: { what: expect.stringContaining("the copy cannot be kept: E") } });
    }
  });
});

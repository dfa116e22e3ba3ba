import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { predecessorText } from "../../src/chain/continuation.ts";
import { makeLog, sha256 } from "../chain/support.ts";
import { causeEvent, goneOf, listFile, redacted } from "../verifier/absences.ts";
import { type Exported, exportOf, textOf } from "../verifier/exports.ts";
import { noteOf, publish, type Published } from "../verifier/support.ts";
import { exportService, KEY } from "./support/export-service.ts";
import { workplace } from "./support/run-cli.ts";
import { filesOf } from "./support/served-logs.ts";

const END = (code: number) => ({ ok: true, value: code });
const REASON = ["--reason", "moving out"];
const plain = (count: number) => Array.from({ length: count }, () => ({}));

/** An org of two logs, 20 sections of the first one erased by an entry of it, and a place to get it from. */
async function place(change: (exported: Exported) => Exported = (exported) => exported) {
  const service = await exportService();
  const origin = `${service.host}/v1/orgs/acme`;
  const gone = goneOf(10, 30);
  const first = publish(makeLog([...plain(299), causeEvent("erased", gone)], { log: origin }));
  const predecessor = predecessorText(sha256, { origin, note: noteOf(first) });
  const second = publish(makeLog(plain(20), { log: `${origin}/2`, predecessor }));
  const logs: Published[] = [first, second];
  service.files = new Map([...filesOf(logs), listFile(gone)]);
  const lines = [redacted(first.lines, gone, { cause: "erased", by: 299 }), second.lines];
  const made = (id: string) => change(exportOf(logs, { lines, id }));
  service.make = made;
  const { run, path } = await workplace();
  const env = { INDELIBLE_URL: service.url, INDELIBLE_KEY: KEY };
  const keys = logs.flatMap(({ vkey }) => ["--key", vkey]);
  const exported = (args: string[], more: { signal?: AbortSignal } = {}) =>
    run("export", ["--org", "acme", ...REASON, ...args], { env, ...more });
  return { service, made: made("exp_1"), exported, run, path, keys };
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
      path("copy/records/00001.ndjson"),
      readFileSync(path("copy/records/00001.ndjson"), "utf8").replace("inv-150", "inv-151"),
    );
    expect((await run("verify", ["copy", ...keys])).outcome).toEqual(END(1));
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

  it("begins anew when what was begun is not there any more", async () => {
    const { service, exported, path } = await place();
    const stop = new AbortController();
    service.trouble = (name) => {
      if (name.includes("/tile/")) stop.abort();
      return false;
    };
    await exported(["--all", service.url, "--to", "copy"], { signal: stop.signal });
    expect(existsSync(path("copy/mirror.state"))).toBe(true);
    service.trouble = () => false;
    service.end("withdrawn");
    expect((await exported(["--all", service.url, "--to", "copy"])).outcome).toEqual(END(0));
    expect(service.asked).toHaveLength(2);
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
    const verified = await run("verify", ["july.ndjson", ...keys]);
    expect(verified.outcome).toEqual(END(2));
    expect(verified.out.replaceAll(/\s+/g, " ")).toContain("its list, is not there");
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
    const { exported, path } = await place((made) => ({
      ...made,
      parts: new Map([...made.parts].map(([name, text]) => [name, text.replace("inv-150", "inv-151")])),
    }));
    const { outcome } = await exported(["--to", "all.ndjson"]);
    expect(outcome).toMatchObject({ failure: { what: "00001.ndjson is not the part that the manifest names" } });
    expect(existsSync(path("all.ndjson"))).toBe(false);
  });

  it("says what it cannot do", async () => {
    const { service, exported, run } = await place();
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
  });
});

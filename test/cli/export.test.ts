import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { ExportedLog } from "../../src/chain/export-manifest.ts";
import { makeLog } from "../chain/support.ts";
import { type Exported, exportOf, signManifest } from "../verifier/exports.ts";
import { publish } from "../verifier/support.ts";
import { exportPlace, filesIn, plain, REASON } from "./support/export-place.ts";
import { KEY } from "./support/export-service.ts";

const MAIN = new URL("../../src/cli/main.ts", import.meta.url).pathname;
const END = (code: number) => ({ ok: true, value: code });

describe("export --all", () => {
  it("copies an org so that it is verified with the service off", async () => {
    const { service, exported, run, path, keys } = await exportPlace();
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
    expect(filesIn(path("copy"))).toContain("2/tile/entries/000.p/20");
    expect(filesIn(path("copy")).some((name) => /state|\.new$/.test(name))).toBe(false);
    writeFileSync(
      path("copy/records/00002.ndjson"),
      readFileSync(path("copy/records/00002.ndjson"), "utf8").replace("inv-150", "inv-151"),
    );
    expect((await run("verify", ["copy", ...keys])).outcome).toEqual(END(1));
  });

  it("explains what is gone from a log by an entry of the next one", async () => {
    const { exported, run, path, keys } = await exportPlace({ later: true });
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
    const { service, exported, run, path, keys } = await exportPlace();
    await exported(["--all", service.url, "--to", "whole"]);
    const requests = service.requests.length;
    const wanted = filesIn(path("whole"));
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
      expect(filesIn(path(`copy-${last}`))).toEqual(wanted);
    }
    const { outcome, out } = await run("verify", [`copy-${Math.floor(requests / 2)}`, "--complete", ...keys]);
    expect(outcome, out).toEqual(END(0));
  });

  it("goes on after it was killed, again and again", { timeout: 180_000 }, async () => {
    const { service, run, path, keys } = await exportPlace();
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
    expect(filesIn(path("copy")).filter((name) => /state|\.new$/.test(name))).toEqual([]);
  });

  it("copies what there is of a log whose top was lost", async () => {
    const change = (one: Exported): Exported => {
      const [first, second] = one.said.logs as [ExportedLog, ExportedLog];
      const said = { ...one.said, complete: false, logs: [{ ...first, checkpoint: null }, second] };
      return { ...one, said, manifest: signManifest(said, { name: second.log, by: 1 }) };
    };
    const { exported, path } = await exportPlace({ change });
    expect((await exported(["--all", "--to", "copy"])).outcome).toEqual(END(0));
    const there = filesIn(path("copy"));
    expect(there).toEqual(expect.arrayContaining(["records/00001.ndjson", "2/checkpoint", "log-key"]));
    expect(there).not.toContain("checkpoint");
  });

  it("copies what there is where the service has lost entries, and says how many it has not", async () => {
    const { exported, run, keys } = await exportPlace({ lost: { first: 40, last: 42 } });
    const { outcome, out } = await exported(["--all", "--to", "copy"]);
    expect([outcome, out]).toEqual([END(0), expect.stringContaining("not in it: 3 entries that the service has lost")]);
    const file = await exported(["--to", "all.ndjson"]);
    expect(file.out).toContain("not in it: 3 entries that the service has lost");
    const verified = await run("verify", ["all.ndjson", ...keys]);
    expect(verified.outcome, verified.out).toEqual(END(0));
    expect(verified.out).toMatch(/all 317 lines verified, and 3 entries not in it: the service had lost them/);
    expect(verified.out).toMatch(/missing +entries 40–42: lost by the service, as the manifest says/);
    expect(verified.out).not.toContain("that nothing else would have matched");
    expect((await run("verify", ["all.ndjson", ...keys, "--complete"])).outcome).toEqual(END(2));
    const json = await exported(["--to", "again.ndjson", "--json"]);
    expect(JSON.parse(json.out)).toMatchObject({ complete: false, missing: { entries: 3, more: false } });
    const change = (one: Exported): Exported => {
      const said = { ...one.said, complete: false };
      return { ...one, said, manifest: signManifest(said, { name: said.logs.at(-1)?.log ?? "", by: 1 }) };
    };
    const withheld = await exportPlace({ change });
    expect((await withheld.exported(["--all", "--to", "other"])).outcome).toMatchObject({ ok: false });
  });

  it("says what the export waits for", async () => {
    const { service, exported } = await exportPlace();
    service.steps = 1;
    service.error = "Entries it needs are not in the archive";
    const { outcome, err } = await exported(["--to", "all.ndjson"], { live: true, columns: 200 });
    expect(outcome).toEqual(END(0));
    expect(err).toContain("waiting · Entries it needs are not in the archive");
  });

  it("begins anew when what was begun is not there any more", async () => {
    const { service, exported, run, path, keys } = await exportPlace();
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
    const other = await exportPlace();
    other.service.make = () => other.made;
    await other.exported(["--all", "--to", "first"]);
    expect((await other.exported(["--all", "--to", "second"])).outcome).toMatchObject({
      failure: { what: "what came as the manifest is not one" },
    });
  });

  it("does not take less than everything for everything", async () => {
    const { service, exported, path } = await exportPlace();
    const log = publish(makeLog(plain(3), { log: `${service.host}/v1/orgs/acme` }));
    service.make = () => exportOf([log], { complete: false });
    expect((await exported(["--all", "--to", "copy"])).outcome).toMatchObject({
      failure: { what: "the service left something out of what this key may have" },
    });
    const { service: other, exported: get } = await exportPlace();
    other.files = new Map([...other.files].filter(([name]) => !name.startsWith("absences/")));
    expect((await get(["--all", "--to", "copy"])).outcome).toMatchObject({
      failure: { what: expect.stringContaining("is not there") },
    });
    expect(existsSync(path("copy/checkpoint"))).toBe(false);
    const whole = await exportPlace();
    await whole.exported(["--all", "--to", "copy"]);
    expect((await whole.exported(["--all", "--to", "copy"])).outcome).toMatchObject({
      failure: { what: "copy holds a whole copy already" },
    });
  });
});

import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { textOf } from "../verifier/exports.ts";
import { exportPlace, filesIn } from "./support/export-place.ts";

const END = (code: number) => ({ ok: true, value: code });

describe("export to a file", () => {
  it("asks for what was said, and leaves a file that proves itself", async () => {
    const { service, made, exported, run, path, keys } = await exportPlace();
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
    expect(filesIn(path(".")).filter((name) => name.startsWith("july"))).toEqual(["july-manifest.json", "july.ndjson"]);
    expect(readFileSync(path("july.ndjson"), "utf8")).toBe(textOf(made));
    // The list of what is gone is beside it.
    expect(readdirSync(path("absences"))).toHaveLength(1);
    const verified = await run("verify", ["july.ndjson", "--complete", ...keys]);
    expect(verified.outcome, verified.out).toEqual(END(0));
    expect(verified.out).toContain("no entry is missing");
  });

  it("goes on after the last part it has, over links that expire", async () => {
    const { service, made, exported, path } = await exportPlace();
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
    // The manifest of one export is not written over by another's.
    rmSync(path("all.ndjson"));
    expect((await exported(["--to", "all.ndjson"])).outcome).toMatchObject({
      failure: { what: "all-manifest.json is there already" },
    });
    rmSync(path("all-manifest.json"));
    service.linkSeconds = 1;
    expect((await exported(["--to", "all.ndjson"])).outcome).toMatchObject({
      failure: { what: "the service gives out no file of this export" },
    });
  });

  it("keeps no part that is not the manifest's", async () => {
    const { exported, path } = await exportPlace({
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
    const { service, exported, run, path } = await exportPlace();
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

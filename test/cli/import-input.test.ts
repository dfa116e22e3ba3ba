import { existsSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { workplace } from "./support/run-cli.ts";
import { CLOUDTRAIL, lines, rejectsOf, trail } from "./support/trail.ts";

describe("what an import reads", () => {
  it("keeps the line breaks of records written over several lines", async () => {
    const { server, run, path } = await workplace();
    const pretty = JSON.stringify(trail(1), null, 2).replaceAll("\n", "\r\n");
    writeFileSync(path("t.json"), `{"Records": [\n${pretty},\n${JSON.stringify(trail(2))}]}`);
    expect((await run("import", [...CLOUDTRAIL, "t.json"])).outcome).toEqual({ ok: true, value: 0 });
    expect(server.requests[0]?.headers["content-type"]).toBe("application/json");
    expect(server.log.get("e-1")?.text).toContain(`"metadata":${pretty}}`);
  });

  it("rejects an event that is too large, bytes that are not UTF-8, and a time that is none", async () => {
    const { server, run, path } = await workplace();
    const big = JSON.stringify(trail(1, { pad: "é".repeat(60_000) }));
    const broken = Buffer.concat([Buffer.from('{"eventSource":"'), Buffer.from([0xff]), Buffer.from('"}\n')]);
    const rest = `${JSON.stringify(trail(3, { eventTime: "21/Nov/2026" }))}\n${JSON.stringify(trail(4, { note: "\ufffd" }))}\n{"eventName":"x"}\n`;
    writeFileSync(path("t.ndjson"), Buffer.concat([Buffer.from(`${big}\n`), broken, Buffer.from(rest)]));
    await run("import", [...CLOUDTRAIL, "t.ndjson"]);
    expect(server.order).toEqual(["e-4"]);
    expect(rejectsOf(path("t.ndjson.rejects.ndjson")).map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/^the event is 12\d{4} bytes of JSON; an event may be at most 100000/),
      "the record is not valid UTF-8",
      'occurred_at: "21/Nov/2026" is not an RFC 3339 time',
      "it has no eventSource: is it a CloudTrail record?",
    ]);
  });

  it("reads standard input, and several files in one go", async () => {
    const { server, run, path } = await workplace();
    expect((await run("import", [...CLOUDTRAIL, "-"], { stdin: lines(0, 3) })).out).toMatch(/appended\s+3/);
    writeFileSync(path("a.ndjson"), lines(3, 5));
    writeFileSync(path("b.json.gz"), gzipSync(JSON.stringify({ Records: [trail(5)] })));
    expect((await run("import", [...CLOUDTRAIL, "a.ndjson", "b.json.gz"])).out).toContain("2 files");
    expect(server.requests).toHaveLength(2);
    expect(server.log.size).toBe(6);
  });

  it("takes a changed file as another import, and keeps its progress private", async () => {
    const { server, run, path, directory } = await workplace();
    writeFileSync(path("t.ndjson"), lines(0, 5));
    await run("import", [...CLOUDTRAIL, "t.ndjson"]);
    writeFileSync(path("t.ndjson"), lines(0, 6));
    utimesSync(path("t.ndjson"), 1, 1);
    await run("import", [...CLOUDTRAIL, "t.ndjson"]);
    expect(server.log.size).toBe(6);
    expect(readdirSync(`${directory}/.indelible`)).toHaveLength(2);
    expect(existsSync(path("t.ndjson.rejects.ndjson"))).toBe(false);
  });

  it("sends what came before a damaged end of gzip, and says that it could not be done", async () => {
    const { server, run, path } = await workplace();
    const whole = gzipSync(lines(0, 4000));
    writeFileSync(path("t.gz"), whole.subarray(0, whole.length - 200));
    const { outcome } = await run("import", [...CLOUDTRAIL, "t.gz"]);
    expect(outcome).toMatchObject({
      ok: false,
      failure: { what: expect.stringMatching(/gzip data is damaged or cut off/) },
    });
    expect(server.log.size).toBeGreaterThan(0);
    writeFileSync(path("t.zst"), Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0]));
    expect((await run("import", [...CLOUDTRAIL, "t.zst"])).outcome).toMatchObject({
      failure: { what: expect.stringMatching(/zstd/) },
    });
  });

  it("names what is wrong and the remedy before it sends anything", async () => {
    const { server, run, path } = await workplace();
    writeFileSync(path("t.ndjson"), lines(0, 5));
    const cases: [string[], RegExp][] = [
      [["--preset", "cloudtrail", "t.ndjson"], /no org/],
      [["--org", "a!", "--preset", "cloudtrail", "t.ndjson"], /is not an org/],
      [["--org", "acme", "t.ndjson"], /how records become events/],
      [["--org", "acme", "--preset", "azure", "t.ndjson"], /no preset azure/],
      [[...CLOUDTRAIL], /no file/],
      [[...CLOUDTRAIL, "t.ndjson", "absent.json"], /absent\.json cannot be read/],
      [[...CLOUDTRAIL, "."], /is a directory/],
      [[...CLOUDTRAIL, "--url", "localhost", "t.ndjson"], /not an http or https address/],
      [[...CLOUDTRAIL, "--rejects", "t.ndjson", "t.ndjson"], /would overwrite the input/],
      [[...CLOUDTRAIL, "--nonsense", "t.ndjson"], /nonsense/],
    ];
    for (const [args, what] of cases) {
      expect((await run("import", args)).outcome).toMatchObject({
        ok: false,
        failure: { what: expect.stringMatching(what) },
      });
    }
    expect(server.requests).toHaveLength(0);
    for (const [args, what] of [
      [[...CLOUDTRAIL, "--key", "ind_wrong", "t.ndjson"], /does not know this key/],
      [["--org", "nowhere", "--preset", "cloudtrail", "t.ndjson"], /there is no org nowhere/],
    ] as const) {
      expect((await run("import", [...args])).outcome).toMatchObject({
        ok: false,
        failure: { what: expect.stringMatching(what) },
      });
    }
  });
});

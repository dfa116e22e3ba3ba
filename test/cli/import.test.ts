import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { problem } from "./support/contract-server.ts";
import { workplace } from "./support/run-cli.ts";
import { CLOUDTRAIL, lines, rejectsOf, trail } from "./support/trail.ts";

describe("import", () => {
  it("brings in every record once, keeping its source text, and adds nothing the second time", async () => {
    const { server, run, path } = await workplace();
    const source = `{"eventSource":"s3.amazonaws.com","eventName":"GetObject","eventTime":"2026-11-21T17:59:58Z","eventID":"e-1","n":12345678901234567890,"d":1.10,"d":1.20,"u":"\\u00fc\\/"}`;
    writeFileSync(path("t.json.gz"), gzipSync(`\ufeff{"Records":[${source},${JSON.stringify(trail(2))}]}\r\n`));
    const first = await run("import", [...CLOUDTRAIL, "t.json.gz"]);
    expect(first.outcome).toEqual({ ok: true, value: 0 });
    expect(server.log.get("e-1")?.text).toContain(`"metadata":${source}}`);
    expect(server.requests[0]?.headers).toMatchObject({
      "audit-delivery": "import",
      "content-type": "application/x-ndjson",
    });
    const second = await run("import", [...CLOUDTRAIL, "--restart", "t.json.gz"]);
    expect(second.out).toMatch(/appended\s+0\n\s+duplicates\s+2/);
    expect(second.outcome).toEqual({ ok: true, value: 0 });
    expect(server.order).toEqual(["e-1", "e-2"]);
  });

  it("skips what an earlier run settled", async () => {
    const { server, run, path } = await workplace();
    writeFileSync(path("t.ndjson"), lines(0, 1200));
    await run("import", [...CLOUDTRAIL, "t.ndjson"]);
    const requests = server.requests.length;
    const again = await run("import", [...CLOUDTRAIL, "t.ndjson"]);
    expect(again.out).toMatch(/skipped\s+1,200/);
    // One event goes again, to see that the log is still the same.
    expect(server.requests.length).toBe(requests + 1);
    expect(server.log.size).toBe(1200);
  });

  it("starts over when the log behind the address is another one", async () => {
    const { server, run, path } = await workplace();
    writeFileSync(path("t.ndjson"), lines(0, 700));
    await run("import", [...CLOUDTRAIL, "t.ndjson"]);
    server.wipe();
    const again = await run("import", [...CLOUDTRAIL, "t.ndjson"]);
    expect(again.outcome).toEqual({ ok: true, value: 0 });
    expect(server.log.size).toBe(700);
  });

  it("goes on where a run was stopped, without repeating a reject", async () => {
    const { server, run, path } = await workplace();
    const bad = "{nonsense\n";
    writeFileSync(path("t.ndjson"), bad + lines(0, 3000) + bad + lines(3000, 9000) + bad);
    const stop = new AbortController();
    server.fault = ({ count }) => {
      if (count === 5) stop.abort();
      return false;
    };
    const first = await run("import", [...CLOUDTRAIL, "t.ndjson"], { signal: stop.signal });
    expect(first.outcome).toMatchObject({ ok: false, failure: { what: "the import was stopped" } });
    const sentBefore = server.log.size;
    expect(sentBefore).toBeLessThan(9000);
    server.fault = () => false;
    const second = await run("import", [...CLOUDTRAIL, "t.ndjson"]);
    expect(second.outcome).toEqual({ ok: true, value: 1 });
    expect(second.out).toMatch(/skipped/);
    expect(server.log.size).toBe(9000);
    expect(rejectsOf(path("t.ndjson.rejects.ndjson")).map(({ line }) => line)).toEqual([1, 3002, 9003]);
  });

  it("writes no reject twice after a crash between the rejects and the progress", async () => {
    const { server, run, path, directory } = await workplace();
    writeFileSync(path("t.ndjson"), `${lines(0, 2)}{nonsense\n${lines(2, 4)}`);
    await run("import", [...CLOUDTRAIL, "t.ndjson"]);
    const progress = join(directory, ".indelible", readdirSync(join(directory, ".indelible"))[0] ?? "");
    const kept = JSON.parse(readFileSync(progress, "utf8")) as Record<string, unknown>;
    const before = { records: 1, appended: 1, duplicates: 0, rejected: 0 };
    writeFileSync(progress, JSON.stringify({ ...kept, finished: false, done: before }));
    const { outcome } = await run("import", [...CLOUDTRAIL, "t.ndjson"]);
    expect(outcome).toEqual({ ok: true, value: 1 });
    expect(rejectsOf(path("t.ndjson.rejects.ndjson"))).toHaveLength(1);
    expect(server.log.size).toBe(4);
  });

  it("puts what is refused into the rejects, with its place, and takes the rest", async () => {
    const { server, run, path } = await workplace();
    server.refuse = (event) =>
      String(event["id"]).endsWith("7") ? { pointer: "/actor/id", message: "must not be 7" } : null;
    writeFileSync(path("t.ndjson"), `${lines(0, 600)}not json\n[1]\n${lines(600, 610)}`);
    const { outcome, out } = await run("import", [...CLOUDTRAIL, "--rejects", "bad.ndjson", "t.ndjson"]);
    expect(outcome).toEqual({ ok: true, value: 1 });
    expect(out).toContain("bad.ndjson");
    const rejects = rejectsOf(path("bad.ndjson"));
    expect(server.log.size + rejects.length).toBe(612);
    expect(rejects[0]).toMatchObject({
      file: "t.ndjson",
      number: 8,
      line: 8,
      reason: "/actor/id must not be 7",
      pointer: "/actor/id",
    });
    expect(JSON.parse(rejects[0]?.record ?? "")).toEqual(trail(7));
    expect(readFileSync(path("t.ndjson")).subarray(rejects[1]?.offset).toString()).toMatch(
      /^\{"eventVersion":"1.08".*"e-17"/,
    );
    expect(rejects.find((one) => one.line === 601)).toMatchObject({
      record: "not json",
      reason: expect.stringMatching(/^not JSON/),
    });
    expect(rejects.at(-1)).toMatchObject({ line: 610 });
    expect(rejects.map((one) => one.number)).toEqual(rejects.map((one) => one.number).toSorted((a, b) => a - b));
  });

  it("finds the one event whose id stands for other content", async () => {
    const { server, run, path } = await workplace();
    writeFileSync(
      path("t.ndjson"),
      lines(0, 300) + JSON.stringify(trail(150, { extra: true })) + "\n" + lines(300, 400) + lines(10, 20),
    );
    const { outcome } = await run("import", [...CLOUDTRAIL, "t.ndjson"]);
    expect(outcome).toEqual({ ok: true, value: 1 });
    const rejects = rejectsOf(path("t.ndjson.rejects.ndjson"));
    expect(rejects).toHaveLength(1);
    expect(rejects[0]).toMatchObject({ line: 301, reason: expect.stringMatching(/this id and other content/) });
    expect(server.log.size).toBe(400);
  });

  it("halves a batch that is too large, and rejects an event that is by itself", async () => {
    const { server, run, path } = await workplace();
    server.fault = ({ events }, response) => {
      if (events.length <= 3 && !events.some((event) => event.includes('"e-5"'))) return false;
      problem(response, 413, "too_large", "The body is too large.");
      return true;
    };
    writeFileSync(path("t.ndjson"), lines(0, 10));
    await run("import", [...CLOUDTRAIL, "t.ndjson"]);
    expect(server.order).toEqual([0, 1, 2, 3, 4, 6, 7, 8, 9].map((n) => `e-${n}`));
    expect(rejectsOf(path("t.ndjson.rejects.ndjson"))[0]).toMatchObject({ line: 6, reason: "The body is too large." });
  });

  it("waits out 503, 429 and broken connections, with the same request each time", async () => {
    const { server, run, path } = await workplace();
    server.fault = ({ count }, response) => {
      if (count % 3 === 1 && count < 8)
        problem(response.setHeader("retry-after", "0"), count === 1 ? 503 : 429, "overloaded", "The backlog is full.");
      else if (count % 3 === 2 && count < 8) response.destroy();
      else return false;
      return true;
    };
    writeFileSync(path("t.ndjson"), lines(0, 900));
    const { outcome, err } = await run("import", [...CLOUDTRAIL, "t.ndjson"], { live: true });
    expect(outcome).toEqual({ ok: true, value: 0 });
    expect(err).toContain("waiting");
    expect(server.log.size).toBe(900);
    const keys = new Map<string, string>();
    for (const { headers, events } of server.requests) {
      const key = String(headers["idempotency-key"]);
      expect(keys.get(key) ?? events.join()).toBe(events.join());
      keys.set(key, events.join());
    }
    expect(keys.size).toBe(2);
  });

  it("counts an event as appended when the answer to it was lost", async () => {
    const { server, run, path } = await workplace();
    let cut = false;
    server.fault = (_request, response) => {
      if (cut) return false;
      cut = true;
      // The batch is stored, its answer never arrives.
      const end = response.end.bind(response);
      response.end = ((..._args: unknown[]) => (response.destroy(), end())) as typeof response.end;
      return false;
    };
    writeFileSync(path("t.ndjson"), lines(0, 50));
    const { out } = await run("import", [...CLOUDTRAIL, "t.ndjson"]);
    expect(out).toMatch(/appended\s+50\n/);
    expect(server.log.size).toBe(50);
  });

  it("gives up after the time given, naming why", async () => {
    const { server, run, path } = await workplace();
    server.fault = (_request, response) => (problem(response, 503, "overloaded", "The backlog is full."), true);
    writeFileSync(path("t.ndjson"), lines(0, 5));
    const { outcome } = await run("import", [...CLOUDTRAIL, "--give-up", "0.01", "t.ndjson"]);
    expect(outcome).toMatchObject({
      ok: false,
      failure: { what: expect.stringContaining("503: The backlog is full.") },
    });
  });

  it("keeps at most 500 events and 2 MB in a request", async () => {
    const { server, run, path } = await workplace();
    const pad = "x".repeat(60_000);
    writeFileSync(
      path("t.ndjson"),
      Array.from({ length: 90 }, (_, n) => JSON.stringify(trail(n, { pad }))).join("\n") + "\n" + lines(90, 1500),
    );
    await run("import", [...CLOUDTRAIL, "t.ndjson"]);
    expect(server.log.size).toBe(1500);
    for (const { events, bytes } of server.requests) {
      expect(events.length).toBeLessThanOrEqual(500);
      expect(bytes).toBeLessThanOrEqual(2_000_000);
    }
  });
});

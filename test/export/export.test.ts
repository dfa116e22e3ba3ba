import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { append, batchOf } from "../support/append.ts";
import { checkLedger, later, wake } from "../support/check-ledger.ts";
import { call, createOrg, event } from "../support/client.ts";
import { restoreFaults } from "../support/faults.ts";
import { finishJob } from "../support/jobs.ts";
import { strand } from "../support/strand.ts";
import { ALL, asked, download, fileOf, keyOf, made, manifestOf, orgOf, proveFile, told, verified } from "./support.ts";

afterEach(restoreFaults);

describe("an export of all of a log", () => {
  it("is every entry, proven line by line, under the checkpoint that its manifest signs", async () => {
    const org = await orgOf(700);
    const answer = await made(org);
    expect(answer).toMatchObject({ state: "done", complete: true, error: null, progress: { percent: 100 } });
    const manifest = await manifestOf(org, answer);
    const lines = proveFile(await fileOf(answer), manifest);
    const [log] = manifest.logs;
    expect(lines.map(({ leaf }) => leaf.index)).toEqual(Array.from({ length: log?.size ?? 0 }, (_, n) => n));
    expect(log).toMatchObject({ first: 0, last: (log?.size ?? 0) - 1, rows: log?.size });
    expect(manifest).toMatchObject({ org, id: answer.id, complete: true, rows: answer.rows, filter: null });
    expect(answer.rows).toBeGreaterThan(700);
    expect(await verified(org, answer)).toMatchObject({ ok: true, faults: [] });
    await checkLedger(org);
    const [requested, completed] = await told(org);
    expect(requested).toMatchObject({ action: "indelible.export.requested", reason: "an audit" });
    expect(completed).toMatchObject({
      action: "indelible.export.completed",
      metadata: { rows: answer.rows, bytes: answer.bytes, manifest_sha256: answer.manifest_sha256, complete: true },
    });
  });

  it("is listed; a cursor that is not one of this list is refused", async () => {
    const org = await orgOf(1);
    const { id } = await made(org);
    expect((await call("GET", `/v1/orgs/${org}/exports`)).json.data).toMatchObject([{ id }]);
    expect((await call("GET", `/v1/orgs/${org}/exports?cursor=${id}`)).json).toEqual({ data: [], next_cursor: null });
    for (const [list, cursor] of [
      ["exports", "exp_nosuch"],
      ["erasures", id],
      ["retention/runs", id],
    ]) {
      const page = await call("GET", `/v1/orgs/${org}/${list}?cursor=${cursor}`);
      expect([list, page.status, page.json.errors?.[0]?.pointer]).toEqual([list, 400, "/cursor"]);
    }
  });

  it("answers any range of its bytes, under one read session for each link", async () => {
    const org = await orgOf(300);
    const answer = await made(org);
    const whole = await fileOf(answer);
    const size = Buffer.byteLength(whole);
    const link = (await call("GET", `/v1/orgs/${org}/exports/${answer.id}`)).json.links.data;
    for (const [range, from, to] of [
      ["bytes=0-0", 0, 1],
      ["bytes=10-99", 10, 100],
      ["bytes=-7", size - 7, size],
      [`bytes=${size - 3}-`, size - 3, size],
      [`bytes=5-${size + 100}`, 5, size],
    ] as const) {
      const part = await download(link, { range });
      expect(part.status, part.text).toBe(206);
      expect(part.headers.get("content-range")).toBe(`bytes ${from}-${to - 1}/${size}`);
      expect(part.text).toBe(Buffer.from(whole).subarray(from, to).toString());
    }
    const beyond = await download(link, { range: `bytes=${size}-` });
    expect([beyond.status, beyond.headers.get("content-range")]).toEqual([416, `bytes */${size}`]);
    expect((await download(link, { range: "bytes=3-1" })).status).toBe(200);
    const etag = (await download(link)).headers.get("etag") ?? "";
    expect((await download(link, { range: "bytes=0-4", "if-range": etag })).status).toBe(206);
    expect((await download(link, { range: "bytes=0-4", "if-range": '"other"' })).status).toBe(200);
    const reads = await call("GET", `/v1/orgs/${org}/events?action=indelible.read&q=export.download`);
    const named = reads.json.data.filter((read: any) => read.metadata.route === "export.download");
    expect(new Set(named.map((read: any) => read.metadata.token)).size).toBe(named.length);
  });
});

describe("an export of some entries", () => {
  it("has what the filter chooses, each line alone proven by itself", async () => {
    const org = await orgOf(400, (n) => ({ action: n % 5 === 0 ? "login.failed" : "document.share" }));
    const filter = { action: ["login.failed"], "-actor": "u_0" };
    const answer = await made(org, { ...ALL, filter });
    const manifest = await manifestOf(org, answer);
    const lines = proveFile(await fileOf(answer), manifest);
    const expected = Array.from({ length: 400 }, (_, n) => n).filter((n) => n % 5 === 0 && n % 7 !== 0);
    expect(lines.map(({ line }) => JSON.parse(line.sections["metadata"]?.text ?? "{}").n)).toEqual(expected);
    expect(lines.every(({ line }) => line.proof !== undefined)).toBe(true);
    expect(manifest).toMatchObject({ filter, complete: false, rows: expected.length });
    expect(await verified(org, answer)).toMatchObject({ ok: true, faults: [] });
  });

  it("holds no section that was not asked for, nor one its key may not see", async () => {
    const org = await orgOf(5, (n) => ({ context: { ip: `192.0.2.${n}` }, reason: "why not" }));
    const reader = await keyOf(org, ["exports:write", "events:read"]);
    const shy = await made(org, ALL, reader.key);
    const text = await fileOf(shy);
    expect(text).not.toContain("192.0.2.");
    expect(proveFile(text, await manifestOf(org, shy)).some(({ line }) => line.sections["note"] !== undefined)).toBe(
      true,
    );
    expect(shy.complete).toBe(false);
    const narrow = await made(org, { ...ALL, sections: ["event", "context"] });
    const lines = proveFile(await fileOf(narrow), await manifestOf(org, narrow));
    expect(new Set(lines.flatMap(({ line }) => Object.keys(line.sections)))).toEqual(new Set(["event", "context"]));
    // What holds personal sections is for no key that may not see them.
    const whole = await made(org);
    const seen = await call("GET", `/v1/orgs/${org}/exports/${whole.id}`, { key: reader.key });
    expect(seen.json).toMatchObject({ state: "done", links: null });
  });

  it("of nothing is an empty file with a manifest", async () => {
    const org = await orgOf(3);
    const answer = await made(org, { ...ALL, filter: { action: "no.such" } });
    expect(answer).toMatchObject({ state: "done", rows: 0, bytes: 0, parts: [] });
    expect(proveFile(await fileOf(answer), await manifestOf(org, answer))).toEqual([]);
  });

  it.each([
    [{ filter: { limit: "5" } }, "/filter/limit"],
    [{ filter: { nothing: "x" } }, "/filter/nothing"],
    [{ from: "yesterday" }, "/from"],
    [{ filter: { q: 'actor:"u_1' } }, "/filter/q"],
    [{ format: "xml" }, "/format"],
    [{ reason: " " }, "/reason"],
    [{ sections: ["salary"] }, "/sections/0"],
  ])("is refused where %j is not understood, by name", async (more, pointer) => {
    const org = await createOrg();
    const refused = await call("POST", `/v1/orgs/${org}/exports`, { body: { ...ALL, ...more } });
    expect(refused.status).toBe(400);
    expect(JSON.stringify(refused.json.errors), refused.text).toContain(pointer);
  });
});

describe("a large export", () => {
  it("is flagged for review, by the number that the org set", async () => {
    const org = await orgOf(30);
    const set = await call("PUT", `/v1/orgs/${org}`, { body: { large_export_rows: 20 } });
    expect(set.json).toMatchObject({ large_export_rows: 20 });
    const answer = await made(org);
    const acts = await told(org);
    expect(acts.map(({ action }) => action.replace("indelible.export.", ""))).toEqual([
      "requested",
      "completed",
      "flagged",
    ]);
    expect(acts[1].metadata).toMatchObject({ review: true });
    expect(acts[2].metadata).toMatchObject({ rows: answer.rows, large_export_rows: 20, by: "root" });
  });
});

describe("an export sent again", () => {
  it("with its Idempotency-Key is the same one; another under it is refused", async () => {
    const org = await orgOf(3);
    const headers = { "idempotency-key": "mine" };
    const [first, second] = await Promise.all(
      [1, 2].map(() => call("POST", `/v1/orgs/${org}/exports`, { body: ALL, headers })),
    );
    expect(first?.json.id).toBe(second?.json.id);
    const other = await call("POST", `/v1/orgs/${org}/exports`, { body: { ...ALL, format: "csv" }, headers });
    expect(other.status).toBe(409);
    await finishJob(org, "export", first?.json.id);
    expect((await asked(org)).id).not.toBe(first?.json.id);
    expect((await told(org)).filter(({ action }) => action.endsWith("requested"))).toHaveLength(2);
  });
});

describe("an export of an org with several logs", () => {
  it("holds all of them, oldest first, and counts what the old one lost", async () => {
    const org = await orgOf(6);
    await later(61_000, () => wake(org));
    const { log } = await strand(org);
    const proceeded = await call("POST", `/v1/orgs/${org}/continue`, { body: { reason: "entries are gone" } });
    expect(proceeded.status, proceeded.text).toBe(201);
    await append(org, batchOf([event(7), event(8)]));
    const whole = await made(org);
    expect(whole).toMatchObject({ state: "done", missing: { entries: 0, runs: [], more: false }, complete: false });
    const manifest = await manifestOf(org, whole);
    expect(manifest.logs).toMatchObject([
      { log, checkpoint: null, first: 0, last: 6, rows: 7 },
      { log: `${log}/2`, first: 0 },
    ]);
    const lines = (await fileOf(whole))
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line));
    const leaves = lines.map(({ leaf }) => JSON.parse(leaf));
    expect(leaves.map((leaf) => leaf.log).slice(5, 9)).toEqual([log, log, `${log}/2`, `${log}/2`]);
    expect(lines[6]?.proof).toBeUndefined();
    expect(lines.at(-1)?.proof).toBeDefined();
    const { objects } = await env.ARCHIVE.list({ prefix: `seg/${log}/0` });
    await env.ARCHIVE.delete(objects.map(({ key }) => key));
    const less = await made(org);
    expect(less).toMatchObject({
      state: "done",
      missing: { entries: 7, runs: [{ log: 1, first: 0, last: 6 }] },
      complete: false,
    });
    expect((await manifestOf(org, less)).logs[0]).toMatchObject({ log, size: 7, first: null, last: null, rows: 0 });
  });
});

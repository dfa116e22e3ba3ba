import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { exportLinkText, parseExportLink } from "../../src/auth/viewer-token.ts";
import { configOf } from "../../src/env.ts";
import { withdrawExports } from "../../src/export/withdraw.ts";
import { DOWNLOAD_MAX_PARTS } from "../../src/limits.ts";
import { bytesOf } from "../http/support.ts";
import { actsOf, saysOf } from "../query/support.ts";
import { later } from "../support/check-ledger.ts";
import { call, createOrg } from "../support/client.ts";
import { finishJob, jobOf, stepJobs } from "../support/jobs.ts";
import { ALL, asked, download, fileOf, keyOf, made, orgOf, standing } from "./support.ts";

afterEach(() => vi.useRealTimers());

const same = { "x-request-id": "the-same" };
const config = configOf(env);

describe("a download link", () => {
  it("that is forged, changed or of another kind is told what an unknown path is", async () => {
    const answer = await made(await orgOf(3));
    const link = answer.links?.data.url ?? "";
    const nothing = await call("GET", "/v1/exports/nothing", { key: null, headers: same });
    expect(nothing.status).toBe(404);
    const claims = parseExportLink(config, link.replace("/v1/exports/", ""));
    expect(claims).toMatchObject({ id: answer.id, file: "data", scopes: ["events:read", "personal:read"] });
    const forged = exportLinkText({ keyPepper: "another", rootKey: env.ROOT_KEY }, claims as never);
    const token = await call("POST", `/v1/orgs/${claims?.org}/viewer-tokens`, {
      body: { actor: { type: "user", id: "u_1" }, scopes: ["events:read"] },
    });
    const wrongs = [`${link.slice(0, -1)}${link.endsWith("A") ? "B" : "A"}`, `${link.slice(0, 20)}x${link.slice(21)}`];
    for (const wrong of [...wrongs, `/v1/exports/${forged}`, `/v1/exports/${token.json.token}`, "/v1/exports/."]) {
      const refused = await call("GET", wrong, { key: null, headers: same });
      expect(refused.status, wrong).toBe(404);
      if (wrong !== "/v1/exports/.") expect(bytesOf(refused)).toEqual(bytesOf(nothing));
    }
  });

  it("ends after 15 minutes, and with the key it was made for", async () => {
    const org = await orgOf(3);
    const { id, key } = await keyOf(org, ["exports:write", "events:read", "personal:read"]);
    const answer = await made(org);
    const mine = (await call("GET", `/v1/orgs/${org}/exports/${answer.id}`, { key })).json.links;
    expect((await download(mine.data)).status).toBe(200);
    const late = await later(15 * 60_000 + 1, () => download(mine.data));
    expect([late.status, late.json.detail]).toEqual([401, expect.stringMatching(/expired/)]);
    await call("DELETE", `/v1/orgs/${org}/keys/${id}`);
    expect((await download(mine.data)).status).toBe(401);
    expect((await download(answer.links?.data)).status).toBe(200);
  });

  it("opens nothing while reads are closed, nor what was put under quarantine since", async () => {
    const org = await orgOf(10);
    const answer = await made(org);
    const placed = await call("POST", `/v1/orgs/${org}/quarantines`, { body: { from: 2, to: 4, reason: "a doubt" } });
    expect(placed.status, placed.text).toBe(201);
    expect((await download(answer.links?.data)).json).toMatchObject({ code: "unprocessable" });
    const again = await made(org);
    const text = await fileOf(again);
    expect(again.complete).toBe(false);
    expect(JSON.parse(text.split("\n")[2] ?? "").sections).toEqual({});
    await call("PUT", `/v1/orgs/${org}/reads`, { body: { enabled: false, reason: "a test" } });
    expect((await download(again.links?.data)).json).toMatchObject({ code: "reads_disabled" });
  });

  it("is traced with the rows of every part that it touches, from whichever byte; a manifest has none", async () => {
    const org = await orgOf(20);
    const whole = await made(org);
    const count = async (file: "data" | "manifest", headers = {}): Promise<number | null> => {
      const { links } = await standing(org, whole.id);
      expect((await download(links?.[file], headers)).status).toBeLessThan(300);
      const read = (await actsOf(org, "indelible.read")).map(saysOf).at(-1);
      return read?.["results_count"];
    };
    expect(await count("data")).toBe(whole.rows);
    expect(await count("data", { range: "bytes=1-" })).toBe(whole.rows);
    expect(await count("manifest")).toBe(0);
  });

  it("answers so many parts at once as a request has calls for", async () => {
    const org = await orgOf(3);
    const whole = await made(org);
    const more = Array.from({ length: DOWNLOAD_MAX_PARTS }, (_, n) => ({
      ...whole.parts[0],
      name: `more-${n}`,
      bytes: 1,
    }));
    await runInDurableObject(env.ORG_JOBS.getByName(org), (_, { storage }) => {
      const { result } = storage.sql.exec<{ result: string }>("select result from job where id = ?", whole.id).one();
      const held = JSON.parse(result);
      const longer = { ...held, bytes: held.bytes + more.length, parts: [...held.parts, ...more] };
      storage.sql.exec("update job set result = ? where id = ?", JSON.stringify(longer), whole.id);
    });
    const { links } = await standing(org, whole.id);
    const all = await download(links?.data);
    expect([all.status, all.json.detail]).toEqual([422, expect.stringContaining("Range")]);
    const first = await download(links?.data, { range: `bytes=0-${whole.bytes - 1}` });
    expect([first.status, first.text.length]).toEqual([206, whole.bytes]);
  });
});

describe("an export of another org", () => {
  it("is not found, byte for byte like one that never was", async () => {
    const [org, other] = [await orgOf(3), await createOrg("other")];
    const { id } = await asked(org);
    const { key } = await keyOf(other, ["exports:write", "events:read"]);
    for (const [method, end] of [
      ["GET", ""],
      ["POST", "/cancel"],
    ] as const) {
      const foreign = await call(method, `/v1/orgs/${other}/exports/${id}${end}`, { key, headers: same });
      const unknown = await call(method, `/v1/orgs/${other}/exports/exp_nothing${end}`, { key, headers: same });
      expect(foreign.status).toBe(404);
      expect(bytesOf(foreign)).toEqual(bytesOf(unknown));
      expect(bytesOf(await call(method, `/v1/orgs/${org}/exports/${id}${end}`, { key, headers: same }))).toEqual(
        bytesOf(unknown),
      );
    }
    expect(await finishJob(org, "export", id)).toMatchObject({ state: "done" });
  });
});

describe("withdrawing", () => {
  it("takes back what may hold one of these entries, and nothing else", async () => {
    const org = await orgOf(10);
    const whole = await made(org);
    const few = await made(org, { ...ALL, filter: { action: "indelible.org.created" } });
    const removed = {
      runs: [{ log: 1, first: 5, last: 5 }],
      quoting: [],
      because: "An erasure removed entries of it.",
    };
    expect(await withdrawExports(config, org, removed)).toMatchObject({ ok: true, value: 1 });
    expect(await standing(org, whole.id)).toMatchObject({ state: "withdrawn", error: removed.because, links: null });
    expect(await standing(org, few.id)).toMatchObject({ state: "done" });
    expect((await download(whole.links?.data)).status).toBe(404);
    expect((await env.ARCHIVE.list({ prefix: `export/${org}/${whole.id}/` })).objects).toEqual([]);
    expect(await withdrawExports(config, org, removed)).toMatchObject({ ok: true, value: 0 });
    expect(await withdrawExports(config, org, { ...removed, runs: [{ log: 2, first: 5, last: 5 }] })).toMatchObject({
      ok: true,
      value: 0,
    });
  });

  it("takes back what quotes somebody in its question, and keeps neither question nor manifest", async () => {
    const org = await orgOf(10);
    const asking = { ...ALL, reason: "what did u_3x do", filter: { actor: "u_3x" } };
    const { id } = await made(org, asking);
    const other = await made(org, { ...ALL, filter: { actor: "u_4" } });
    const removed = { runs: [], quoting: ["u_3x"], because: "An erasure." };
    expect(await withdrawExports(config, org, removed)).toMatchObject({ ok: true, value: 1 });
    expect(await standing(org, id)).toMatchObject({ state: "withdrawn", filter: null, reason: "(erased)" });
    expect(await standing(org, other.id)).toMatchObject({ state: "done" });
    const held = await runInDurableObject(env.ORG_JOBS.getByName(org), (_, { storage }) =>
      JSON.stringify(storage.sql.exec("select * from job").toArray()),
    );
    expect(held).not.toContain("u_3x");
    expect((await env.ARCHIVE.list({ prefix: `export/${org}/${id}/` })).objects).toEqual([]);
    expect(await withdrawExports(config, org, removed)).toMatchObject({ ok: true, value: 0 });
  });

  it("ends one that is under way if it quotes somebody, and keeps nothing of it", async () => {
    const org = await orgOf(10);
    const { id } = await asked(org, { ...ALL, filter: { actor: "u_5x" } });
    const removed = { runs: [], quoting: ["u_5x"], because: "An erasure." };
    expect(await withdrawExports(config, org, removed)).toMatchObject({ ok: true, value: 1 });
    await finishJob(org, "export", id);
    await expect.poll(async () => (await stepJobs(org), jobOf(org, "export", id))).toMatchObject({ progress: null });
    expect(await standing(org, id)).toMatchObject({ filter: null, reason: "(erased)", links: null });
    expect((await env.ARCHIVE.list({ prefix: `export/${org}/${id}/` })).objects).toEqual([]);
  });

  it("makes one that is under way begin anew", async () => {
    const org = await orgOf(10);
    const { id } = await asked(org);
    const jobs = env.ORG_JOBS.getByName(org);
    expect(await jobs.restart(org, "export", id)).toMatchObject({ ok: true, value: { progress: null } });
    expect(await finishJob(org, "export", id)).toMatchObject({ state: "done" });
  });
});

import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { configOf } from "../../src/env.ts";
import { LineReader } from "../../src/export/read-lines.ts";
import { EXPORT_LOST_LOOK_MS, EXPORT_LOST_WAIT_MS } from "../../src/limits.ts";
import { erased, person } from "../keep/erasure-support.ts";
import { append, batchOf } from "../support/append.ts";
import { archiveDue, statusOf, untilProjected } from "../support/check-ledger.ts";
import { createOrg, event } from "../support/client.ts";
import { replaceMethod, restoreFaults } from "../support/faults.ts";
import { finishJob, jobOf, stepJobs } from "../support/jobs.ts";
import { asked, fileOf, manifestOf, proveFile, standing, told, verified } from "./support.ts";

afterEach(() => {
  restoreFaults();
  vi.useRealTimers();
});

type Kept = { key: string; first: number; last: number; take: () => Promise<void>; bringBack: () => Promise<void> };

/** The segments of an org's log, in order, each of which can be taken away and brought back. */
async function segmentsOf(org: string): Promise<Kept[]> {
  const { objects } = await env.ARCHIVE.list({ prefix: `seg/${(await statusOf(org)).log}/` });
  return Promise.all(
    objects.map(async ({ key }) => {
      const [first = 0, last = 0] = (/(\d{10})-(\d{10})/.exec(key) ?? []).slice(1).map(Number);
      const object = (await env.ARCHIVE.get(key)) as R2ObjectBody;
      const { customMetadata = {} } = object;
      const bytes = await object.arrayBuffer();
      const bringBack = async () => void (await env.ARCHIVE.put(key, bytes, { customMetadata }));
      return { key, first, last, take: () => env.ARCHIVE.delete(key), bringBack };
    }),
  );
}

/** An org with a segment for each of these numbers of events; the first has two entries of the org's own as well. */
async function segmented(sizes: readonly number[], more: (n: number) => object = () => ({})): Promise<string> {
  const org = await createOrg("lost");
  let n = 0;
  for (const size of sizes) {
    await append(org, batchOf(Array.from({ length: size }, () => event(n, more(n++) as Record<string, unknown>))));
    await untilProjected(org);
    await archiveDue(org);
  }
  return org;
}

const WAITS = { state: "running", error: expect.stringMatching(/not in the archive as they were stored.*operator/) };

describe("an export that needs what the archive has lost", () => {
  it("says so while it waits, keeps what it has, and has all of it once it is back", async () => {
    const org = await segmented([20, 5]);
    const [first, second] = await segmentsOf(org);
    await env.ARCHIVE.put(second?.key ?? "", "other bytes");
    const { id } = await asked(org);
    await expect.poll(async () => (await stepJobs(org), await standing(org, id))).toMatchObject(WAITS);
    const waiting = await standing(org, id);
    expect(waiting).toMatchObject({ rows: (first?.last ?? 0) + 1, missing: { entries: 0 } });
    expect(waiting.bytes).toBeGreaterThan(0);
    for (let n = 0; n < 3; n++) await stepJobs(org);
    expect(await standing(org, id)).toMatchObject({ ...WAITS, rows: waiting.rows, bytes: waiting.bytes });
    await second?.bringBack();
    await stepJobs(org);
    expect((await standing(org, id)).error).toBe(null);
    expect(await finishJob(org, "export", id)).toMatchObject({ state: "done", error: null });
    const answer = await standing(org, id);
    const lines = proveFile(await fileOf(answer), await manifestOf(org, answer));
    expect(lines.map(({ leaf }) => leaf.index)).toEqual(lines.map((_, n) => n));
    expect(answer).toMatchObject({ complete: true, missing: { entries: 0 } });
  });

  it("waits an hour from when it misses them, whenever it began, and is not complete then", async () => {
    const org = await segmented([20, 5]);
    const [first, second] = await segmentsOf(org);
    const { id } = await asked(org);
    await stepJobs(org);
    // Whatever held it up, it is three hours old when it meets the loss.
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 3 * EXPORT_LOST_WAIT_MS });
    await first?.take();
    await expect.poll(async () => (await stepJobs(org), await standing(org, id))).toMatchObject(WAITS);
    const waits: number[] = [];
    for (let waited = 0; waited < EXPORT_LOST_WAIT_MS; ) {
      const { progress } = await jobOf(org, "export", id);
      const { waited_ms } = JSON.parse(progress ?? "{}");
      waits.push(waited_ms - waited);
      waited = waited_ms;
      if (waited < EXPORT_LOST_WAIT_MS) await stepJobs(org);
    }
    expect(waits[0]).toBe(EXPORT_LOST_LOOK_MS);
    expect(waits.reduce((sum, one) => sum + one, 0)).toBe(EXPORT_LOST_WAIT_MS);
    expect(waits.length).toBeLessThan(12);
    expect(await standing(org, id)).toMatchObject({ ...WAITS, missing: { entries: 0 } });
    // An hour in all: what is lost after it is not waited for any more.
    await second?.take();
    expect(await finishJob(org, "export", id)).toMatchObject({ state: "done", error: null });
    const answer = await standing(org, id);
    const last = second?.last ?? 0;
    const missing = { entries: last + 1, runs: [{ log: 1, first: 0, last }], more: false };
    expect(answer).toMatchObject({ complete: false, missing });
    const manifest = await manifestOf(org, answer);
    const runs = [{ log: manifest.logs[0]?.log, first: 0, last }];
    expect(manifest.missing).toEqual({ ...missing, runs });
    const lines = proveFile(await fileOf(answer), manifest);
    expect(lines[0]?.leaf.index).toBe(last + 1);
    expect(await verified(org, answer)).toMatchObject({ ok: true, whole: true, faults: [], missing: { runs } });
    expect((await told(org)).at(-1).metadata).toMatchObject({ complete: false, missing: { ...missing, runs } });
  });
});

describe("what is read of a log for an export", () => {
  it("asks for the names of many small segments that are lost together, and for each once", async () => {
    const org = await segmented(Array.from({ length: 17 }, () => 1));
    const segments = await segmentsOf(org);
    for (const { take } of segments) await take();
    const config = configOf(env);
    let names = 0;
    const counting = new Proxy(config.ledgers, {
      get: (target, name) => {
        if (name === "getByName") names++;
        const value = Reflect.get(target, name) as unknown;
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const reads = replaceMethod(env.ARCHIVE, "get", (original, args) => original(...args));
    const { log } = await statusOf(org);
    const reader = new LineReader({ ...config, ledgers: counting }, org, { number: 1, log, newest: true });
    const lost: number[] = [];
    for (let index = 0; index <= (segments.at(-1)?.last ?? 0); ) {
      const read = await reader.from(index);
      if (read.kind !== "lost") throw new Error(`entry ${index} is ${read.kind}`);
      lost.push(index);
      index = read.next;
    }
    expect(lost).toEqual(segments.map(({ first }) => first));
    expect(reads.hits).toBe(segments.length);
    // Once at first, and once for the eight that are read at a time.
    expect(names).toBeLessThanOrEqual(1 + Math.ceil(segments.length / 8));
  });

  it("finds what was written anew after it was named, and never takes it for lost", async () => {
    const jane = person();
    const org = await segmented([70, 3, 1], (n) => (n > 70 ? { actor: jane } : {}));
    const { log } = await statusOf(org);
    const reader = new LineReader(configOf(env), org, { number: 1, log, newest: true });
    expect((await reader.from(0)).kind).toBe("lines");
    const [, second, third] = await segmentsOf(org);
    await erased(org, { subject: { type: jane.type, id: jane.id } });
    for (const segment of [second, third]) {
      const read = await reader.from(segment?.first ?? 0);
      if (read.kind !== "lines") throw new Error(`it is ${read.kind}`);
      expect(read.lines.join()).not.toContain(jane.id);
    }
  });
});

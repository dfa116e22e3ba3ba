import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { configOf } from "../../src/env.ts";
import type { Kind } from "../../src/jobs/kind.ts";
import { type AnyKind, KINDS } from "../../src/jobs/kinds.ts";
import type { NewJob } from "../../src/schema/job.ts";
import { watch } from "../../src/watch/watchdog.ts";
import { ROOT } from "../support/append.ts";
import { must } from "../support/check/check-entry.ts";
import { freshOrg } from "../support/client.ts";
import { breakD1, replaceMethod, restoreFaults } from "../support/faults.ts";
import { finishJob, jobOf, stepJobs } from "../support/jobs.ts";

type Counting = Kind<{ to: number }, { at: number }, { counted: number }>;

const known = { ...KINDS };
afterEach(() => {
  restoreFaults();
  Object.assign(KINDS, known);
});

/** Puts a kind of the test's own in place of one, which counts to a number, for one org; answers what its steps were told. */
function countingKind(mine: string, more: Partial<Counting> = {}) {
  const steps: { org: string; id: string; at: number | null }[] = [];
  const settled: unknown[] = [];
  const kind: Counting = {
    step: async ({ org, id }, { to }, progress) => {
      steps.push({ org, id, at: progress?.at ?? null });
      const at = (progress?.at ?? 0) + 1;
      return { progress: { at }, result: at >= to ? { counted: at } : null };
    },
    settle: async ({ id }, _, ended) => {
      settled.push({ id, ...ended });
    },
    ...more,
  };
  // What a test before this one left goes on in the same workerd.
  const step: Counting["step"] = async (context, request, progress) =>
    context.org === mine ? kind.step(context, request, progress) : { progress: { at: 0 }, result: { counted: 0 } };
  KINDS.cooling = { ...kind, step } as unknown as AnyKind;
  return { steps, settled };
}

const stub = (org: string) => env.ORG_JOBS.getByName(org);

async function created(org: string, id: string, request: unknown = { to: 3 }) {
  const job: NewJob = { id, kind: "cooling", request, by: ROOT };
  const made = await stub(org).create(org, job);
  must(made.ok, `not created: ${JSON.stringify(made)}`);
  return made.value;
}

async function listed(org: string): Promise<string[]> {
  const rows = await env.DIRECTORY.prepare("select id from unfinished_job where org = ?").bind(org).all();
  return rows.results.map(({ id }) => String(id));
}

describe("a job", () => {
  it("goes on from where it is, step by step, and ends with its result", async () => {
    const org = freshOrg();
    const { steps } = countingKind(org);
    expect(await created(org, "a")).toMatchObject({ state: "queued", progress: null, result: null, ended_at: null });
    expect(await listed(org)).toEqual(["a"]);
    const job = await finishJob(org, "cooling", "a");
    expect(job).toMatchObject({ state: "done", result: '{"counted":3}', progress: null, attempts: 0, error: null });
    expect(steps).toEqual([null, 1, 2].map((at) => ({ org, id: "a", at })));
    await stepJobs(org);
    expect(await listed(org)).toEqual([]);
    expect(steps).toHaveLength(3);
  });

  it("created again is the one there is; another under its name is refused, and so are too many", async () => {
    const org = freshOrg();
    countingKind(org);
    await finishJob(org, "cooling", (await created(org, "a")).id);
    expect(await created(org, "a")).toMatchObject({ state: "done" });
    const other = await stub(org).create(org, { id: "a", kind: "cooling", request: { to: 4 }, by: ROOT });
    expect(other).toMatchObject({ ok: false, refusal: { code: "conflict" } });
    countingKind(org, { step: async () => ({ progress: { at: 0 }, result: null, wait_ms: 3_600_000 }) });
    for (let n = 0; n < 10; n++) await created(org, `b${n}`);
    const tooMany = await stub(org).create(org, { id: "c", kind: "cooling", request: {}, by: ROOT });
    expect(tooMany).toMatchObject({ ok: false, refusal: { code: "rate_limited" } });
    expect((await stub(org).list(org, "cooling", null)) as unknown).toMatchObject({ ok: true });
  });

  it("takes turns with the others of its org, and no two steps of an org run at once", async () => {
    const org = freshOrg();
    let running = 0;
    const order: string[] = [];
    countingKind(org, {
      step: async ({ id }, { to }, progress) => {
        expect(++running).toBe(1);
        await new Promise((resolve) => setTimeout(resolve, 1));
        running--;
        order.push(id);
        const at = (progress?.at ?? 0) + 1;
        return { progress: { at }, result: at >= to ? { counted: at } : null, wait_ms: 1 };
      },
    });
    await Promise.all([created(org, "a", { to: 4 }), created(org, "b", { to: 4 })]);
    await Promise.all([1, 2, 3, 4].map(() => stepJobs(org)));
    await finishJob(org, "cooling", "a");
    await finishJob(org, "cooling", "b");
    expect(order.toSorted()).toEqual([..."aaaabbbb"]);
    expect(order.slice(0, 2).toSorted()).toEqual(["a", "b"]);
  });

  it("whose step throws is tried again, later each time, and says so without the cause", async () => {
    const org = freshOrg();
    let fails = 3;
    countingKind(org, {
      step: async (_, __, progress) => {
        if (fails-- > 0) throw new Error("secret of the store");
        return { progress: progress ?? { at: 1 }, result: { counted: 1 } };
      },
    });
    await created(org, "a");
    await stepJobs(org);
    const failed = await jobOf(org, "cooling", "a");
    expect(failed.attempts).toBeGreaterThanOrEqual(1);
    expect(failed.error).toMatch(/tried again/);
    expect(failed.error).not.toMatch(/secret/);
    expect(await finishJob(org, "cooling", "a")).toMatchObject({ state: "done", attempts: 0, error: null });
  });

  it("that is refused for good fails with why, and is settled until that is done; one refused for now waits", async () => {
    const org = freshOrg();
    const refusals = [
      { code: "overloaded", detail: "busy", retry_after_s: 1 },
      { code: "forbidden", detail: "This key is gone." },
    ] as const;
    let asked = 0;
    let settles = 0;
    countingKind(org, {
      step: async () => ({ ok: false, refusal: refusals[asked++] ?? refusals[1] }),
      settle: async () => {
        if (settles++ === 0) throw new Error("not yet");
      },
    });
    await created(org, "a");
    await stepJobs(org);
    expect(await jobOf(org, "cooling", "a")).toMatchObject({ state: "running", error: "busy" });
    expect(await finishJob(org, "cooling", "a")).toMatchObject({ state: "failed", error: "This key is gone." });
    await stepJobs(org);
    await stepJobs(org);
    await stepJobs(org);
    expect([asked, settles]).toEqual([2, 2]);
    await expect.poll(() => listed(org)).toEqual([]);
    expect(await jobOf(org, "cooling", "a")).toMatchObject({ state: "failed", error: "This key is gone." });
  });

  it("cancelled during a step stays cancelled, is settled once, and what the step found is dropped", async () => {
    const org = freshOrg();
    const { settled } = countingKind(org, {
      step: async (_, __, progress) => {
        await stub(org).cancel(org, "cooling", { id: "a", by: "key-1" });
        return { progress: progress ?? { at: 1 }, result: { counted: 1 } };
      },
    });
    await created(org, "a");
    expect(await finishJob(org, "cooling", "a")).toMatchObject({ state: "cancelled", result: null });
    await stepJobs(org);
    await stepJobs(org);
    expect(settled).toEqual([{ id: "a", state: "cancelled", by: "key-1", error: null }]);
    const again = await stub(org).cancel(org, "cooling", { id: "a", by: "key-2" });
    expect(again).toMatchObject({ ok: true, value: { state: "cancelled", ended_by: "key-1" } });
  });

  it("forgets of its request what its kind says, when it has ended", async () => {
    const org = freshOrg();
    countingKind(org, { kept: () => ({}) });
    await created(org, "a", { to: 1, subject: "u_1" });
    expect(await finishJob(org, "cooling", "a")).toMatchObject({ state: "done", request: "{}" });
    const held = await runInDurableObject(stub(org), (_, { storage }) =>
      storage.sql.exec("select * from job").toArray(),
    );
    expect(JSON.stringify(held)).not.toContain("u_1");
  });
});

describe("a crash", () => {
  it("during a step repeats that step, from what was saved", async () => {
    const org = freshOrg();
    const { steps } = countingKind(org);
    await created(org, "a");
    const crash = Promise.withResolvers<void>();
    let crashed = false;
    replaceMethod(KINDS.cooling as AnyKind, "step", async (original, args) => {
      const taken = await original(...args);
      if (!crashed && steps.length === 2) {
        crashed = true;
        await crash.promise;
      }
      return taken;
    });
    await stepJobs(org);
    const hung = stepJobs(org);
    const abort = () => runInDurableObject(stub(org), (_, state) => state.abort("killed by the test"));
    await expect.poll(() => crashed).toBe(true);
    await Promise.allSettled([abort(), hung]);
    // Nobody hears of it any more: the object it belonged to is gone.
    crash.resolve();
    expect(await finishJob(org, "cooling", "a")).toMatchObject({ state: "done", result: '{"counted":3}' });
    expect(steps.map(({ at }) => at)).toEqual([null, 1, 1, 2]);
  });

  it("that was none: a step that was given up and ends after all says nothing about where its job is by then", async () => {
    const org = freshOrg();
    const { steps } = countingKind(org);
    const goOn = (storage: DurableObjectStorage) =>
      storage.sql.exec(`update job set updated_at = updated_at + 1, progress = '{"at":2}', due_at = 1`);
    replaceMethod(KINDS.cooling as AnyKind, "step", async (original, args) => {
      const taken = await original(...args);
      // As if it had taken so long that the next steps were made without it.
      if (steps.length === 1) await runInDurableObject(stub(org), (_, { storage }) => void goOn(storage));
      return taken;
    });
    await created(org, "a");
    expect(await finishJob(org, "cooling", "a")).toMatchObject({ state: "done", result: '{"counted":3}' });
    expect(steps.map(({ at }) => at)).toEqual([null, 2]);
  });

  it("that takes the alarm with it is made up for by the watchdog, and a row of no job is removed", async () => {
    const org = freshOrg();
    countingKind(org);
    await created(org, "a", { to: 100 });
    await runInDurableObject(stub(org), (_, { storage }) => storage.deleteAlarm());
    await evictDurableObject(stub(org));
    await env.DIRECTORY.prepare("insert into unfinished_job values (?, 'gone', 'cooling', 1)").bind(org).run();
    await watch(configOf(env), Date.now());
    expect(await listed(org)).toEqual(["a"]);
    const alarm = () => runInDurableObject(stub(org), (_, { storage }) => storage.getAlarm());
    expect((await alarm()) !== null || (await jobOf(org, "cooling", "a")).state !== "queued").toBe(true);
    await stub(org).cancel(org, "cooling", { id: "a", by: "root" });
  });

  it("of the directory lets no job begin that nobody would find again", async () => {
    const org = freshOrg();
    countingKind(org);
    breakD1();
    await expect(created(org, "a")).rejects.toThrow(/overloaded/);
    restoreFaults();
    expect(await stub(org).get(org, "cooling", "a")).toMatchObject({ ok: false, refusal: { code: "not_found" } });
    await created(org, "a");
  });
});

describe("another org's jobs", () => {
  it("are not found, and a call that reached the wrong object does nothing", async () => {
    const [org, other] = [freshOrg(), freshOrg()];
    countingKind(org);
    await created(org, "a");
    expect(await stub(other).get(other, "cooling", "a")).toMatchObject({ ok: false, refusal: { code: "not_found" } });
    expect(await stub(org).get(other, "cooling", "a")).toMatchObject({ ok: false, refusal: { code: "not_found" } });
    expect(await stub(org).get(org, "export", "a")).toMatchObject({ ok: false, refusal: { code: "not_found" } });
    const wrong = await stub(org).create(other, { id: "b", kind: "cooling", request: {}, by: ROOT });
    expect(wrong).toMatchObject({ ok: false });
    expect(await stub(org).list(org, "cooling", null)).toMatchObject({ ok: true, value: [{ id: "a" }] });
    await finishJob(org, "cooling", "a");
  });
});

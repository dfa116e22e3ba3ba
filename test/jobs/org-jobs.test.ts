import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { saveUnfinished } from "../../src/store/unfinished-job.ts";
import { ROOT } from "../support/append.ts";
import { countingKind, created, listed, restoreKinds, stub } from "./support.ts";
import { freshOrg } from "../support/client.ts";
import { finishJob, jobOf, stepJobs } from "../support/jobs.ts";

afterEach(restoreKinds);

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

  it("is knocked for beside any number whose results lapse one day, which are written down once", async () => {
    const org = freshOrg();
    countingKind(org, { step: async () => ({ progress: { at: 0 }, result: null, wait_ms: 3_600_000 }) });
    await created(org, "a");
    const due = Date.now() + 86_400_000;
    await runInDurableObject(stub(org), (_, { storage: { sql } }) => {
      for (let n = 0; n < 250; n++) {
        sql.exec(
          `insert into job (id, kind, state, caller, request, created_at, updated_at, ended_at, due_at, attempts)
           values (?, 'export', 'done', '{}', '{}', 1, 1, 1, ?, 0)`,
          `done-${n}`,
          due,
        );
      }
    });
    await saveUnfinished(env.DIRECTORY, { org, id: "gone", kind: "cooling", at: 1 });
    for (let n = 0; n < 2; n++) expect(await stub(org).wake(org)).toEqual({ ok: true, value: 251 });
    const rows = env.DIRECTORY.prepare("select id, at from unfinished_job where org = ?").bind(org);
    const { results } = await rows.all<{ id: string; at: number }>();
    expect(results).toHaveLength(251);
    expect(results.filter(({ at }) => at === due)).toHaveLength(250);
    expect(results.map(({ id }) => id)).not.toContain("gone");
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

  it("cancelled during a step stays cancelled, is settled once from where the step came to, and what it found is dropped", async () => {
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
    expect(settled).toEqual([{ id: "a", state: "cancelled", by: "key-1", error: null, progress: { at: 1 } }]);
    const again = await stub(org).cancel(org, "cooling", { id: "a", by: "key-2" });
    expect(again).toMatchObject({ ok: true, value: { state: "cancelled", ended_by: "key-1" } });
  });

  it("cancelled between two steps is settled in steps from where it was, and may have a result", async () => {
    const org = freshOrg();
    const seen: unknown[] = [];
    countingKind(org, {
      step: async () => ({ progress: { at: 5 }, result: null, wait_ms: 3_600_000 }),
      settle: async (_, __, { progress }) => {
        seen.push(progress);
        const at = (progress?.at ?? 0) + 1;
        return { progress: { at }, result: at === 7 ? { counted: at } : null };
      },
    });
    await created(org, "a");
    await expect.poll(async () => (await jobOf(org, "cooling", "a")).progress).toBe('{"at":5}');
    await stub(org).cancel(org, "cooling", { id: "a", by: "key-1" });
    await stepJobs(org);
    await stepJobs(org);
    await stepJobs(org);
    expect(seen).toEqual([{ at: 5 }, { at: 6 }]);
    const over = { state: "cancelled", ended_by: "key-1", progress: null, result: '{"counted":7}' };
    expect(await jobOf(org, "cooling", "a")).toMatchObject(over);
    await expect.poll(() => listed(org)).toEqual([]);
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

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { configOf } from "../../src/env.ts";
import { type AnyKind, KINDS } from "../../src/jobs/kinds.ts";
import { watch } from "../../src/watch/watchdog.ts";
import { countingKind, created, listed, restoreKinds, stub } from "./support.ts";
import { freshOrg } from "../support/client.ts";
import { breakD1, replaceMethod, restoreFaults } from "../support/faults.ts";
import { finishJob, jobOf, stepJobs } from "../support/jobs.ts";

afterEach(restoreKinds);

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

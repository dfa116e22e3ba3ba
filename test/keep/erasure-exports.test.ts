import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { configOf } from "../../src/env.ts";
import { withdrawExports } from "../../src/export/withdraw.ts";
import { type AnyKind, KINDS } from "../../src/jobs/kinds.ts";
import type { JobKind } from "../../src/schema/job.ts";
import { ALL, asked as askedExport, made as madeExport, standing as exportNow } from "../export/support.ts";
import { append, batchOf } from "../support/append.ts";
import { statusOf } from "../support/check-ledger.ts";
import { call, createOrg, event } from "../support/client.ts";
import { replaceMethod, restoreFaults } from "../support/faults.ts";
import { finishJob, jobOf, stepJobs } from "../support/jobs.ts";
import { archived, erased, person } from "./erasure-support.ts";
import { daysPass, kept, keptOrg, stopClock } from "./retention-support.ts";

afterEach(() => {
  restoreFaults();
  vi.useRealTimers();
});

const HOUR_MS = 3_600_000;
/** More than a run that waits for others, whose waits are not waited for here, says that it took. */
const anHourPasses = () => void vi.setSystemTime(Date.now() + HOUR_MS);
const subjectOf = ({ type, id }: { type: string; id: string }) => ({ subject: { type, id } });

async function beginRun(org: string, body: object = {}): Promise<string> {
  return (await call("POST", `/v1/orgs/${org}/retention/runs`, { body })).json.id;
}

async function finishedRun(org: string, body: object = {}): Promise<void> {
  const id = await beginRun(org, body);
  expect((await finishJob(org, "retention", id)).state).toBe("done");
  await archived(org);
}

/** Holds back steps of an org's jobs of a kind from where their progress is as said, until it is told to go on. */
function holdSteps(mine: string, kind: JobKind, when: (progress: any) => boolean): { goOn: () => void } {
  let held = true;
  replaceMethod(KINDS[kind] as AnyKind, "step", (original, [context, request, progress]) => {
    const waits = { ok: false, refusal: { code: "overloaded", detail: "held by the test" } };
    const holds = held && context.org === mine && progress !== null && when(progress);
    return holds ? Promise.resolve(waits) : original(context, request, progress);
  });
  return { goOn: () => (held = false) };
}

const progressOf = async (org: string, kind: JobKind, id: string) =>
  JSON.parse((await jobOf(org, kind, id)).progress ?? "null");

/** An org whose login is kept three days, whose general entry five. */
function orgOfJane(jane: ReturnType<typeof person>): Promise<string> {
  stopClock();
  return keptOrg([kept("login", 1, { actor: jane }), kept("general", 2), kept("telemetry", 3)]);
}

/** An export that has read every entry, and goes no further before it is told to. */
async function exportThatHasRead(org: string) {
  const isRead = (progress: any) => progress.log === progress.logs.length;
  const steps = holdSteps(org, "export", isRead);
  const running = await askedExport(org);
  await expect.poll(async () => (await stepJobs(org), isRead(await progressOf(org, "export", running.id)))).toBe(true);
  const { began_at } = await progressOf(org, "export", running.id);
  return { running, began_at, steps };
}

describe("an erasure where entries have expired", () => {
  it("spares exports begun after they had gone, however often somebody is erased", async () => {
    const jane = person();
    const org = await orgOfJane(jane);
    const before = await madeExport(org);
    daysPass(4);
    await finishedRun(org);
    anHourPasses();
    const after = await madeExport(org);
    const { running, began_at, steps } = await exportThatHasRead(org);
    // Neither is a run that takes nothing: not one that only looks, nor one that finds nothing more.
    anHourPasses();
    await finishedRun(org);
    await finishedRun(org, { dry_run: true, as_of: "2030-01-01" });
    const first = await erased(org, subjectOf(jane));
    expect(first.certificate.elsewhere.exports).toBe(1);
    const second = await erased(org, subjectOf(person()));
    expect(second.certificate.elsewhere.exports).toBe(0);
    expect((await exportNow(org, before.id)).state).toBe("withdrawn");
    expect((await exportNow(org, after.id)).state).toBe("done");
    expect(await progressOf(org, "export", running.id)).toMatchObject({ began_at });
    steps.goOn();
    expect((await finishJob(org, "export", running.id)).state).toBe("done");
  });

  it("takes back one that began at the very end of the run, and begins anew one that began before", async () => {
    const jane = person();
    const org = await orgOfJane(jane);
    const { running, began_at, steps } = await exportThatHasRead(org);
    daysPass(4);
    await finishedRun(org);
    steps.goOn();
    const at = (await madeExport(org, { ...ALL, reason: "at the end" })).id;
    const { certificate } = await erased(org, subjectOf(jane));
    expect(certificate.elsewhere.exports).toBe(2);
    expect((await exportNow(org, at)).state).toBe("withdrawn");
    expect((await finishJob(org, "export", running.id)).state).toBe("done");
    const { result } = await jobOf(org, "export", running.id);
    expect(JSON.parse(result ?? "").began_at).toBeGreaterThan(began_at);
  });

  it("spares none while a run may be at it, nor after one that did not end until another went through", async () => {
    const jane = person();
    const org = await orgOfJane(jane);
    daysPass(4);
    await finishedRun(org);
    anHourPasses();
    const exports = [await madeExport(org), await madeExport(org), await madeExport(org)];
    const standing = async () => Promise.all(exports.map(async ({ id }) => (await exportNow(org, id)).state));
    // It has not sealed a cause, so nothing went by it.
    const looking = holdSteps(org, "retention", () => true);
    const early = await beginRun(org);
    await stepJobs(org);
    expect((await erased(org, subjectOf(jane))).certificate.elsewhere.exports).toBe(0);
    looking.goOn();
    await finishJob(org, "retention", early);
    expect(await standing()).toEqual(["done", "done", "done"]);

    daysPass(2);
    const steps = holdSteps(org, "retention", (progress) => progress.removal !== null);
    const run = await beginRun(org);
    await expect
      .poll(async () => (await stepJobs(org), (await progressOf(org, "retention", run)).removal))
      .not.toBe(null);
    anHourPasses();
    exports.push(await madeExport(org));
    expect((await erased(org, subjectOf(jane))).certificate.elsewhere.exports).toBe(4);
    await env.ORG_JOBS.getByName(org).cancel(org, "retention", { id: run, by: "root" });
    steps.goOn();
    anHourPasses();
    exports.splice(0, 9, await madeExport(org));
    expect((await erased(org, subjectOf(jane))).certificate.elsewhere.exports).toBe(1);
    await finishedRun(org);
    anHourPasses();
    exports.splice(0, 9, await madeExport(org));
    expect((await erased(org, subjectOf(jane))).certificate.elsewhere.exports).toBe(0);
    expect(await standing()).toEqual(["done"]);
    // One that ended too early had taken nothing, which nobody knows before another went through.
    const none = await beginRun(org);
    await env.ORG_JOBS.getByName(org).cancel(org, "retention", { id: none, by: "root" });
    anHourPasses();
    await finishedRun(org);
    expect((await erased(org, subjectOf(jane))).certificate.elsewhere.exports).toBe(1);
    anHourPasses();
    exports.splice(0, 9, await madeExport(org));
    expect((await erased(org, subjectOf(jane))).certificate.elsewhere.exports).toBe(0);
  });
});

describe("an erasure where entries cannot be read", () => {
  it("spares an export that names them as missing, and no other", async () => {
    const org = await createOrg("unread");
    await append(org, batchOf([event(1), event(2)]));
    await archived(org);
    await append(org, batchOf([event(3), event(4)]));
    await archived(org);
    const whole = await madeExport(org);
    const { objects } = await env.ARCHIVE.list({ prefix: `seg/${(await statusOf(org)).log}/` });
    await env.ARCHIVE.delete(objects[1]?.key ?? "");
    const less = await madeExport(org);
    expect(less).toMatchObject({ state: "done", missing: { entries: 2 } });
    expect((await erased(org, subjectOf(person()))).certificate).toMatchObject({
      unreadable: 2,
      elsewhere: { exports: 1 },
    });
    expect([(await exportNow(org, whole.id)).state, (await exportNow(org, less.id)).state]).toEqual([
      "withdrawn",
      "done",
    ]);
    const because = "A test.";
    const [run = { log: 1, first: 0, last: 0 }] = less.missing.runs;
    const taken = (unreadable: { log: number; first: number; last: number }[]) => {
      const blind = { expired: [], expired_by: 0, unreadable };
      return withdrawExports(configOf(env), org, { runs: [], blind, quoting: [], because });
    };
    const spared = await taken([run, { ...run, first: run.first + 1 }, { ...run, log: 2 }]);
    expect(spared).toMatchObject({ ok: true, value: 0 });
    expect(await taken([{ ...run, first: run.first - 1 }])).toMatchObject({ ok: true, value: 1 });
  });
});

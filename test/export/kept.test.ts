import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { configOf } from "../../src/env.ts";
import { withdrawExports } from "../../src/export/withdraw.ts";
import { type AnyKind, KINDS } from "../../src/jobs/kinds.ts";
import { listUnfinishedOrgs } from "../../src/store/unfinished-job.ts";
import { watch } from "../../src/watch/watchdog.ts";
import { later } from "../support/check-ledger.ts";
import { call } from "../support/client.ts";
import { breakMethod, breakD1, replaceMethod, restoreFaults } from "../support/faults.ts";
import { jobOf } from "../support/jobs.ts";
import { asked, download, made, orgOf, standing } from "./support.ts";

afterEach(() => {
  restoreFaults();
  vi.useRealTimers();
});

const DAY_MS = 86_400_000;
const KEPT_MS = 30 * DAY_MS;
const jobs = (org: string) => env.ORG_JOBS.getByName(org);
const alarm = (org: string) => runInDurableObject(jobs(org), (_, { storage }) => storage.getAlarm());
const filesOf = async (org: string) => (await env.ARCHIVE.list({ prefix: `export/${org}/` })).objects.length;

/** When the watchdog is to knock at an org, by job. */
async function listed(org: string): Promise<Record<string, number>> {
  const { results } = await env.DIRECTORY.prepare("select id, at from unfinished_job where org = ?").bind(org).all();
  return Object.fromEntries(results.map(({ id, at }) => [id, Number(at)]));
}

/** The alarm comes as late as that; answers how the job stands. */
async function alarmAfter(org: string, id: string, ms: number) {
  await later(ms, () => runDurableObjectAlarm(jobs(org)));
  return jobOf(org, "export", id);
}

describe("an export that was made", () => {
  it("is kept for thirty days from its end, and says until when; then its files go, and it says why", async () => {
    const org = await orgOf(5);
    const answer = await made(org);
    const until = Date.parse(answer.ended_at ?? "") + KEPT_MS;
    expect(Date.parse(answer.expires_at ?? "")).toBe(until);
    expect(await alarm(org)).toBe(until);
    await alarmAfter(org, answer.id, KEPT_MS - DAY_MS);
    expect(await standing(org, answer.id)).toMatchObject({ state: "done", expires_at: answer.expires_at });
    expect(await filesOf(org)).toBe(2);
    expect((await alarmAfter(org, answer.id, KEPT_MS)).state).toBe("done");
    const gone = { state: "withdrawn", error: "It was kept for 30 days.", links: null, expires_at: null };
    expect(await standing(org, answer.id)).toMatchObject({ ...gone, rows: answer.rows, missing: answer.missing });
    expect((await download(answer.links?.data)).status).toBe(404);
    expect(await filesOf(org)).toBe(0);
    expect(await alarm(org)).toBe(null);
    await expect.poll(() => listed(org)).toEqual({});
    // Whoever lists exports finds it still.
    expect((await call("GET", `/v1/orgs/${org}/exports`)).json.data).toMatchObject([{ id: answer.id, ...gone }]);
  });

  it("is kept for as long as the deployment said when it was made", async () => {
    const org = await orgOf(1);
    const twoDays = replaceMethod(KINDS.export as AnyKind, "step", (original, [{ config, ...context }, ...rest]) => {
      const exportKeepDays = context.org === org ? 2 : config.exportKeepDays;
      return original({ ...context, config: { ...config, exportKeepDays } }, ...rest);
    });
    const answer = await made(org);
    twoDays.restore();
    expect(Date.parse(answer.expires_at ?? "") - Date.parse(answer.ended_at ?? "")).toBe(2 * DAY_MS);
    await alarmAfter(org, answer.id, 2 * DAY_MS);
    expect(await standing(org, answer.id)).toMatchObject({ state: "withdrawn", error: "It was kept for 2 days." });
  });

  it("opens no more while its files cannot be deleted, and they are again and again until they are", async () => {
    const org = await orgOf(3);
    const answer = await made(org);
    const ofExport = (args: any[]) => String(args[0]).includes(org);
    breakMethod(env.ARCHIVE, "delete", "failed", { times: 2, when: ([keys]) => ofExport([keys]) });
    for (let tries = 0; tries < 3; tries++) {
      const { result, error } = await alarmAfter(org, answer.id, KEPT_MS + tries * DAY_MS);
      expect([JSON.parse(result ?? "").withdrawn.because, error]).toEqual(["It was kept for 30 days.", null]);
      expect((await standing(org, answer.id)).links).toBe(null);
      expect(await filesOf(org)).toBe(tries < 2 ? 2 : 0);
      expect((await alarm(org)) === null).toBe(tries === 2);
    }
  });

  it("that asked for words that name nobody is not taken back for them", async () => {
    const org = await orgOf(1);
    const filter = { category: "telemetry", actor: "u_billing" };
    const { id } = await made(org, { format: "ndjson", reason: "a look", filter });
    const take = (text: string) => withdrawExports(configOf(env), org, { runs: [], quoting: [text], because: "" });
    expect(await take("telemetry")).toEqual({ ok: true, value: 0 });
    expect((await standing(org, id)).state).toBe("done");
    expect(await take("u_billing")).toEqual({ ok: true, value: 1 });
  });

  it("that an erasure took back, before or while its time ends, says what it said", async () => {
    const org = await orgOf(3);
    const [one, two] = [await made(org), await made(org)];
    const because = "Entries it held were erased.";
    const runs = [{ log: 1, first: 0, last: 0 }];
    const take = () => withdrawExports(configOf(env), org, { runs, quoting: [], because });
    await runInDurableObject(jobs(org), (_, { storage }) =>
      storage.sql.exec("update job set due_at = due_at + 1000 where id = ?", two.id),
    );
    let taken: Promise<unknown> | null = null;
    replaceMethod(env.ARCHIVE, "list", async (original, args) => {
      // While the files of the first are looked for.
      if (String(args[0]?.prefix).includes(one.id) && taken === null) await (taken = Promise.resolve().then(take));
      return original(...args);
    });
    await alarmAfter(org, one.id, KEPT_MS);
    expect(taken).not.toBe(null);
    expect((await standing(org, one.id)).error).toBe("It was kept for 30 days.");
    expect(await standing(org, two.id)).toMatchObject({ state: "withdrawn", error: because, expires_at: null });
    await alarmAfter(org, two.id, KEPT_MS + DAY_MS);
    expect((await standing(org, two.id)).error).toBe(because);
    expect(await take()).toMatchObject({ ok: true, value: 0 });
    expect([await filesOf(org), await alarm(org)]).toEqual([0, null]);
  });
});

describe("the watchdog", () => {
  it("knocks for an export that is kept on the day its files go, though the alarm was lost, and not before", async () => {
    const org = await orgOf(2);
    const answer = await made(org);
    const until = Date.parse(answer.expires_at ?? "");
    await expect.poll(() => listed(org)).toEqual({ [answer.id]: until });
    await runInDurableObject(jobs(org), (_, { storage }) => storage.deleteAlarm());
    const knocked = (now: number) => listUnfinishedOrgs(env.DIRECTORY, { now, limit: 1_000 });
    expect(await knocked(until - 1)).not.toContain(org);
    expect(await alarm(org)).toBe(null);
    expect(await knocked(until)).toContain(org);
    await later(KEPT_MS, () => watch(configOf(env), Date.now()));
    expect(await alarm(org)).not.toBe(null);
    await alarmAfter(org, answer.id, KEPT_MS);
    expect((await standing(org, answer.id)).state).toBe("withdrawn");
    await expect.poll(async () => Object.keys(await listed(org))).not.toContain(answer.id);
  });

  it("is told so by the next knock where the directory was down when the export was made", async () => {
    const org = await orgOf(2);
    const { id } = await asked(org);
    const at = (await listed(org))[id] ?? 0;
    breakD1();
    const done = await later(0, async () => {
      for (let n = 0; n < 40 && (await jobOf(org, "export", id)).ended_at === null; n++) {
        await runDurableObjectAlarm(jobs(org));
      }
      return jobOf(org, "export", id);
    });
    expect(done.state).toBe("done");
    restoreFaults();
    expect(await listed(org)).toEqual({ [id]: at });
    await jobs(org).wake(org);
    expect(await listed(org)).toEqual({ [id]: (done.ended_at ?? 0) + KEPT_MS });
    // Another job of the org is knocked for at once.
    await asked(org);
    await jobs(org).wake(org);
    expect(Object.values(await listed(org)).filter((when) => when <= Date.now())).toHaveLength(1);
  });
});

import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { holdingNow } from "../../src/keep/held-by.ts";
import { confirmedFaults } from "../../src/verify/confirm-faults.ts";
import { append, batchOf } from "../support/append.ts";
import { call, createOrg, event } from "../support/client.ts";
import { placesOf } from "../support/everywhere.ts";
import { breakMethod, breakSegments, CELLS, evict, replaceMethod, restoreFaults } from "../support/faults.ts";
import { finishJob, stepJobs } from "../support/jobs.ts";
import { linesOf } from "../support/owner.ts";
import { strand } from "../support/strand.ts";
import { cellOf, verified } from "../support/tamper.ts";
import { archived, asked, erased, person, standing } from "./erasure-support.ts";
import { begun, carriedOut, config } from "./support.ts";

afterEach(() => {
  restoreFaults();
  vi.useRealTimers();
});

const LIST = new Map([[2, ["actor", "actor/detail"]]]);

/** An org of which Jane's entry is to be let go, with the cause sealed. */
async function orgOfJane() {
  const org = await createOrg("beside");
  const jane = person();
  await append(org, batchOf([event(1), event(2, { actor: jane }), event(3)]));
  await archived(org);
  const removal = await begun(org, LIST);
  await archived(org);
  return { org, jane, removal };
}

describe("a removal beside a verification", () => {
  it("says what it waits for, and is the next one to go on", async () => {
    const org = await createOrg("beside");
    const jane = person();
    await append(org, batchOf([event(1, { actor: jane })]));
    await archived(org);
    const ledger = env.ORG_LEDGER.getByName(org);
    await ledger.leaseVerify(org, "slow", "take");
    const { id } = await asked(org, { subject: { type: jane.type, id: jane.id } });
    const waits =
      "A verification or a repair of this org is under way; it goes on after that, in half a minute at most.";
    for (let n = 0; (await standing(org, id)).error !== waits; n++) {
      expect(n).toBeLessThan(100);
      await stepJobs(org);
    }
    await ledger.leaseVerify(org, "slow", "release");
    expect((await ledger.leaseVerify(org, "loop", "take")).ok).toBe(false);
    await finishJob(org, "erasure", id);
    expect(await standing(org, id)).toMatchObject({ state: "done", error: null });
    expect((await ledger.leaseVerify(org, "loop", "take")).ok).toBe(true);
  });
});

describe("a removal beside a repair", () => {
  it("is not undone by one that read the entries before, though the removal is over", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const { org, jane, removal } = await orgOfJane();
    let searches = 0;
    for (const cell of CELLS) {
      replaceMethod(cell, "batch", async (original, args) => {
        const search = args[0].length === 16 && String(args[0][0]?.statement).includes("entry_");
        // The second look into the slots: the ledger's lines are read by then.
        if (search && ++searches === 2) {
          vi.setSystemTime(Date.now() + 31_000);
          await carriedOut(org, removal);
        }
        return original(...args);
      });
    }
    const repaired = await call("POST", `/v1/orgs/${org}/repair`, { body: { reason: "a look" } });
    expect(searches).toBeGreaterThanOrEqual(2);
    expect(repaired.status, repaired.text).toBe(429);
    expect(await placesOf(org, [jane.name])).toEqual([]);
    expect(await verified(org)).toMatchObject({ ok: true, breaks: [] });
  });

  it("lets go of nothing once a repair has had the lease in between", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const { org, jane, removal } = await orgOfJane();
    let repairs = 0;
    replaceMethod(env.ARCHIVE, "put", async (original, args) => {
      if (String(args[0]).startsWith("seg/") && ++repairs === 1) {
        vi.setSystemTime(Date.now() + 31_000);
        expect((await call("POST", `/v1/orgs/${org}/repair`, { body: { reason: "a look" } })).status).toBe(200);
      }
      return original(...args);
    });
    await expect(carriedOut(org, removal)).rejects.toThrow("took its turn");
    expect((await linesOf(org))[2]).toContain(jane.name);
    await carriedOut(org, removal);
    expect(await placesOf(org, [jane.name])).toEqual([]);
  });
});

/** An org whose first log, which another continues, has entries of somebody. */
async function orgOfTwoLogs() {
  const org = await createOrg("beside");
  const jane = person();
  await append(org, batchOf([event(1, { actor: jane }), event(2)]));
  await archived(org);
  const { log } = await strand(org);
  const continued = await call("POST", `/v1/orgs/${org}/continue`, { body: { reason: "an entry is gone" } });
  expect(continued.status, continued.text).toBe(201);
  await append(org, batchOf([event(3)]));
  await archived(org);
  return { org, jane, log, subject: { type: jane.type, id: jane.id } };
}

const hold = (org: string, actor: string) =>
  call("POST", `/v1/orgs/${org}/holds`, { body: { reason: "all of it", filter: { actor } } });

describe("a removal of an earlier log beside a hold", () => {
  it("has the hold wait from the ledger's word until R2 has it no more", async () => {
    const { org, jane, log, subject } = await orgOfTwoLogs();
    const answers: number[] = [];
    replaceMethod(env.ARCHIVE, "put", async (original, args) => {
      if (String(args[0]).startsWith(`seg/${log}/0`)) answers.push((await hold(org, jane.id)).status);
      return original(...args);
    });
    const { certificate } = await erased(org, { subject });
    expect(answers).toEqual([503]);
    expect(certificate.held).toMatchObject({ entries: 0 });
    expect((await hold(org, jane.id)).status).toBe(201);
    expect((await call("GET", `/v1/orgs/${org}/1/events/1`)).json.absent).not.toEqual([]);
  });

  it.each(["put", "delete"] as const)(
    "keeps what a hold covers that came after a %s failed, though the ledger died",
    async (method) => {
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
      const { org, jane, log } = await orgOfTwoLogs();
      const removal = await begun(org, new Map([[1, ["actor", "actor/detail"]]]), { log: 1 });
      const holds = () => holdingNow(config, org);
      breakMethod(env.ARCHIVE, method, "failed", { when: ([key]) => String(key).startsWith(`seg/${log}/0`) });
      await expect(carriedOut(org, removal, { holds })).rejects.toThrow("injected");
      expect((await hold(org, jane.id)).status).toBe(503);
      await evict(org);
      expect((await hold(org, jane.id)).status).toBe(503);
      vi.setSystemTime(Date.now() + 61_000);
      expect((await hold(org, jane.id)).status).toBe(201);
      restoreFaults();
      expect(await carriedOut(org, removal, { holds })).toMatchObject({ held: 1 });
      const first = (await call("GET", `/v1/orgs/${org}/1/events/1`)).json;
      expect([first.actor.id, first.absent]).toEqual([jane.id, []]);
    },
  );
});

const sampled = (org: string) => confirmedFaults(config, org, ({ size }) => ({ number: 1, from: 0, to: size }));

describe("a removal beside a sample of the stores", () => {
  it("is late, not wrong, while D1 has not taken what the ledger has let go of", async () => {
    const { org, removal } = await orgOfJane();
    const updates = ([statements]: any[]) =>
      statements.some(({ statement }: any) => String(statement).includes("update entry_"));
    for (const cell of CELLS) breakMethod(cell, "batch", "failed", { when: updates });
    await expect(carriedOut(org, removal)).rejects.toThrow("injected");
    restoreFaults();
    expect((await sampled(org)).faults).toEqual([]);
    await carriedOut(org, removal);
    expect((await sampled(org)).faults).toEqual([]);
  });

  it("is late, not wrong, while R2 has what the ledger does not name yet", async () => {
    const { org, removal } = await orgOfJane();
    breakSegments(org, "put", "failed but stored", { times: 1 });
    await expect(carriedOut(org, removal)).rejects.toThrow("injected");
    expect((await sampled(org)).faults).toEqual([]);
    await carriedOut(org, removal);
    expect((await sampled(org)).faults).toEqual([]);
  });

  it("excuses no other entry, none for longer than a day, and none once it is over", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const { org, removal } = await orgOfJane();
    const cell = await cellOf(org);
    const spoil = async (index: number) => {
      const key = cell.base + index;
      const { record } = (await cell.db
        .prepare(`select record from ${cell.table} where key = ?`)
        .bind(key)
        .first()) as any;
      const changed = String(record).replaceAll("document.share", "document.shark");
      expect(changed).not.toBe(record);
      await cell.db.prepare(`update ${cell.table} set record = ? where key = ?`).bind(changed, key).run();
    };
    await spoil(1);
    await spoil(2);
    const found = async () => (await sampled(org)).faults.map(({ kind, index }) => `${kind} ${index}`).sort();
    expect(await found()).toEqual(["content_changed 1"]);
    vi.setSystemTime(Date.now() + 86_500_000);
    expect(await found()).toEqual(["content_changed 1", "content_changed 2"]);
    await carriedOut(org, removal);
    expect(await found()).toEqual(["content_changed 1"]);
    await spoil(2);
    expect(await found()).toEqual(["content_changed 1", "content_changed 2"]);
  });
});

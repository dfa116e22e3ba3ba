import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { putEvidence } from "../../src/archive/evidence.ts";
import { storeDeadLetter } from "../../src/ingest/dead-letters.ts";
import { messageOf } from "../ingest/deliver.ts";
import { append, batchOf } from "../support/append.ts";
import { statusOf } from "../support/check-ledger.ts";
import { call, createOrg, event } from "../support/client.ts";
import { breakMethod, evict, replaceMethod, restoreFaults } from "../support/faults.ts";
import { finishJob, jobOf, stepJobs } from "../support/jobs.ts";
import { linesOf } from "../support/owner.ts";
import { archived, asked, erased, person, standing } from "./erasure-support.ts";
import { config } from "./support.ts";

afterEach(() => {
  restoreFaults();
  vi.useRealTimers();
});

/** An org with Jane in a message that was never sequenced, or in a finding of a repair; `key` is where it lies in R2. */
async function orgWith(what: "a message" | "a finding") {
  const org = await createOrg("elsewhere");
  const jane = person();
  await append(org, batchOf([event(1, { actor: jane }), event(2)]));
  await archived(org);
  const subject = { type: jane.type, id: jane.id };
  if (what === "a finding") {
    const { log } = await statusOf(org);
    const at = new Date().toISOString();
    const found = (await linesOf(org))[1];
    const { key } = await putEvidence(env.ARCHIVE, { log, at, n: 0 }, { log, index: 1, found, kind: "extra" });
    return { org, subject, key };
  }
  const { id, text } = messageOf(org, [event(1, { actor: jane })]);
  const refusal = { code: "unprocessable", detail: "no" } as const;
  await storeDeadLetter(config, { org, refusal, state: "dead", attempts: 1, id: `dl_${id}`, text });
  return { org, subject, key: `dead/dl_${id}` };
}

const hold = async (org: string) =>
  (await call("POST", `/v1/orgs/${org}/holds`, { body: { reason: "all of it" } })).status;
const isThere = async (key: string) => (await env.ARCHIVE.head(key)) !== null;
const WHAT = ["a message", "a finding"] as const;

describe("an erasure that takes something beside the log", () => {
  it.each(WHAT)("has a hold wait from the ledger's word until %s is gone", async (what) => {
    const { org, subject, key } = await orgWith(what);
    const answers: number[] = [];
    replaceMethod(env.ARCHIVE, "delete", async (original, [keys]) => {
      if (String(keys) === key) answers.push(await hold(org));
      return original(keys);
    });
    await erased(org, { subject });
    expect([answers, await isThere(key)]).toEqual([[503], false]);
    expect(await hold(org)).toBe(201);
  });

  it("takes no more of its messages once a hold may soon wait no longer, but asks again", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const { org, subject } = await orgWith("a message");
    const { id, text } = messageOf(org, [event(2, { actor: subject })]);
    const refusal = { code: "unprocessable", detail: "no" } as const;
    await storeDeadLetter(config, { org, refusal, state: "dead", attempts: 1, id: `dl_${id}`, text });
    const answers: number[] = [];
    replaceMethod(env.ARCHIVE, "delete", async (original, [keys]) => {
      if (!String(keys).startsWith("dead/")) return original(keys);
      answers.push(await hold(org));
      await original(keys);
      vi.setSystemTime(Date.now() + 61_000);
    });
    const { certificate } = await erased(org, { subject });
    expect([answers, certificate.elsewhere.dead_letters]).toEqual([[503, 503], 1]);
  });

  it.each(WHAT)("leaves %s to a hold that was placed after it was judged", async (what) => {
    const { org, subject, key } = await orgWith(what);
    const answers: number[] = [];
    replaceMethod(env.ARCHIVE, "get", async (original, args) => {
      if (args[0] === key && answers.length === 0) answers.push(0, await hold(org));
      return original(...args);
    });
    const { certificate } = await erased(org, { subject });
    expect([answers, await isThere(key)]).toEqual([[0, 201], true]);
    expect(certificate.elsewhere).toMatchObject({ dead_letters: 0, evidence: 0, held: 1 });
  });

  it.each(WHAT)("that died over %s has holds wait for a minute, then leaves it to them", async (what) => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const { org, subject, key } = await orgWith(what);
    const { id } = await asked(org, { subject });
    const down = breakMethod(env.ARCHIVE, "delete", "failed", { when: ([keys]) => String(keys) === key });
    while (down.hits === 0) await stepJobs(org);
    expect((await jobOf(org, "erasure", id)).ended_at).toBeNull();
    expect(await hold(org)).toBe(503);
    await evict(org);
    expect(await hold(org)).toBe(503);
    vi.setSystemTime(Date.now() + 61_000);
    expect(await hold(org)).toBe(201);
    restoreFaults();
    await finishJob(org, "erasure", id);
    expect((await standing(org, id)).certificate?.elsewhere).toMatchObject({ held: 1 });
    expect(await isThere(key)).toBe(true);
  });
});

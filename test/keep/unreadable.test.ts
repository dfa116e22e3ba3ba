import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { made as madeExport, standing as exportNow } from "../export/support.ts";
import { append, batchOf } from "../support/append.ts";
import { statusOf } from "../support/check-ledger.ts";
import { call, createOrg, event } from "../support/client.ts";
import { finishJob, jobOf } from "../support/jobs.ts";
import { strand } from "../support/strand.ts";
import { archived, erased, person } from "./erasure-support.ts";
import { daysPass, kept, keptOrg, ran, stopClock } from "./retention-support.ts";

afterEach(() => {
  vi.useRealTimers();
});

/** The names of a log's segments, in order. */
async function segmentsOf(log: string): Promise<string[]> {
  const { objects } = await env.ARCHIVE.list({ prefix: `seg/${log}/` });
  return objects.map(({ key }) => key);
}

/** What each entry of a log says is absent, as its owner's list has it. */
async function goneOf(org: string, log: number, indexes: number[]): Promise<string[][]> {
  const entries = await Promise.all(indexes.map((index) => call("GET", `/v1/orgs/${org}/${log}/events/${index}`)));
  return entries.map(({ json }) => (json.absent ?? []).map(({ section }: { section: string }) => section));
}

describe("a segment that is not in R2 as it was stored", () => {
  it("stops no erasure: it is passed over, counted, and what was exported of it is taken back", async () => {
    const org = await createOrg("lost");
    const jane = person();
    await append(org, batchOf([event(1), event(2)]));
    await archived(org);
    await append(org, batchOf([event(3, { actor: jane })]));
    await archived(org);
    const whole = await madeExport(org);
    const of = await madeExport(org, { format: "ndjson", reason: "r", filter: { action: "indelible.org.created" } });
    const { log } = await statusOf(org);
    const [first = "", second = ""] = await segmentsOf(log);
    await env.ARCHIVE.delete(first);
    const subject = { type: jane.type, id: jane.id };
    const { certificate } = await erased(org, { subject });
    expect(certificate).toMatchObject({ removed: { entries: 1 }, unreadable: 3, held: { entries: 0 } });
    expect(certificate.elsewhere.exports).toBe(2);
    for (const { id } of [whole, of]) expect((await exportNow(org, id)).state).toBe("withdrawn");
    expect(await segmentsOf(log)).not.toContain(second);
    expect(await goneOf(org, 1, [3])).toEqual([["actor", "actor/detail"]]);
    await env.ARCHIVE.put((await segmentsOf(log)).at(-1) ?? "", "other bytes");
    expect((await erased(org, { subject })).certificate.unreadable).toBeGreaterThan(3);
  });

  it("stops no run of retention", async () => {
    stopClock();
    const org = await keptOrg([kept("login", 1)]);
    await append(org, batchOf([kept("login", 2)]));
    await archived(org);
    const { log } = await statusOf(org);
    const [first = "", ...rest] = await segmentsOf(log);
    const [from = 0, to = 0] = first.split("/").at(-1)?.split("-").map(Number) ?? [];
    expect(rest).toHaveLength(1);
    await env.ARCHIVE.delete(first);
    daysPass(5);
    const totals = await ran(org);
    expect(totals).toMatchObject({ entries: 1, held: 0, unreadable: to - from + 1 });
    const { json } = await call("POST", `/v1/orgs/${org}/retention/runs`, { body: {} });
    await finishJob(org, "retention", json.id);
    expect(await jobOf(org, "retention", json.id)).toMatchObject({ state: "done" });
  });

  it("of an earlier log is passed over where a copy beside it can be read, and where there is none", async () => {
    const org = await createOrg("copies");
    const jane = person();
    await append(org, batchOf([event(1, { actor: jane }), event(2)]));
    await archived(org);
    await append(org, batchOf([event(3, { actor: jane })]));
    await archived(org);
    const { log } = await strand(org);
    expect((await call("POST", `/v1/orgs/${org}/continue`, { body: { reason: "an entry is gone" } })).status).toBe(201);
    await append(org, batchOf([event(4, { actor: jane })]));
    await archived(org);
    const [first = "", second = ""] = await segmentsOf(log);
    const beside = first.replace(/-[0-9a-f]{64}\./, `-${"0".repeat(64)}.`);
    await env.ARCHIVE.put(beside, "no segment");
    await env.ARCHIVE.delete(second);
    const { certificate } = await erased(org, { subject: { type: jane.type, id: jane.id } });
    const [earlier, newest] = certificate.causes;
    expect([earlier, newest]).toMatchObject([
      { of_log: 1, entries: 1, sections: 2, held: 0 },
      { of_log: 2, entries: 1, sections: 2, held: 0 },
    ]);
    expect(certificate.unreadable).toBe(certificate.logs[0]?.size);
    expect(await goneOf(org, 1, [1])).toEqual([["actor", "actor/detail"]]);
  });
});

import { createMessageBatch, getQueueResult, createExecutionContext, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import worker from "../../src/worker.ts";
import { call, createOrg } from "../support/client.ts";
import { breakMethod, replaceMethod, restoreFaults } from "../support/faults.ts";
import { actsOf, list, saysOf } from "./support.ts";

let org = "";
beforeEach(async () => {
  org = await createOrg("queued");
  expect((await call("PUT", `/v1/orgs/${org}`, { body: { access_log: "queued" } })).status).toBe(200);
});
afterEach(() => {
  vi.useRealTimers();
  restoreFaults();
});

/** Keeps what would have gone to the queue. */
function holdQueue(): string[] {
  const held: string[] = [];
  replaceMethod(env.INGEST_QUEUE, "send", async (_, [text]) => {
    held.push(text);
  });
  return held;
}

/** Delivers messages as the platform would, and answers how many were acknowledged. */
async function deliver(texts: readonly string[], attempt: number): Promise<number> {
  const messages = texts.map((body, n) => ({ id: `${org}-${attempt}-${n}`, timestamp: new Date(), attempts: 1, body }));
  const batch = createMessageBatch("indelible-ingest", messages);
  const context = createExecutionContext();
  await worker.queue(batch, env);
  return (await getQueueResult(batch, context)).explicitAcks.length;
}

async function closed(): Promise<Record<string, any>[]> {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 16 * 60_000 });
  await runDurableObjectAlarm(env.ORG_LEDGER.getByName(org));
  vi.useRealTimers();
  return (await actsOf(org, "indelible.read.closed")).map(saysOf);
}

describe("an org whose access_log is queued", () => {
  it("has that setting in its log", async () => {
    const [updated] = await actsOf(org, "indelible.org.updated");
    expect(saysOf(updated)).toMatchObject({ settings: { access_log: "queued" } });
  });

  it("answers at once, and the trace arrives through the queue", async () => {
    const answer = await list(org, { limit: 1 });
    expect(answer.headers.get("audit-read-index")).toBe("queued");
    await expect.poll(() => actsOf(org, "indelible.read"), { timeout: 20_000 }).toHaveLength(1);
    const [trace] = await actsOf(org, "indelible.read");
    expect(trace?.actor?.id).toBe("root");
    expect(saysOf(trace)).toMatchObject({ route: "events.list", results_count: 1 });
  });

  it("counts each answer exactly once though every message is delivered twice and regrouped", async () => {
    const held = holdQueue();
    for (let n = 0; n < 3; n++) await list(org, { limit: 1 });
    await call("GET", `/v1/orgs/${org}/events/0`);
    expect(held).toHaveLength(4);
    expect(await actsOf(org, "indelible.read")).toEqual([]);
    expect(await deliver(held.slice(0, 3), 1)).toBe(3);
    expect(await deliver(held.toReversed(), 2)).toBe(4);
    expect(await actsOf(org, "indelible.read")).toHaveLength(2);
    const totals = await closed();
    expect(totals.map(({ route, answers }) => `${route} ${answers}`).sort()).toEqual(["events.get 1", "events.list 3"]);
  });

  it("is not kept from reading by a queue that is down: the trace is sealed directly", async () => {
    breakMethod(env.INGEST_QUEUE, "send", "failed");
    const answer = await list(org, { limit: 1 });
    expect(answer.status, answer.text).toBe(200);
    const [trace] = await actsOf(org, "indelible.read");
    expect(trace?.leaf.index).toBe(Number(answer.headers.get("audit-read-index")));
  });

  it("counts an answer once when the queue took its trace and said it did not", async () => {
    const held: string[] = [];
    replaceMethod(env.INGEST_QUEUE, "send", async (_, [text]) => {
      held.push(text);
      throw new Error("injected by the test");
    });
    await list(org, { limit: 1 });
    expect(await deliver(held, 1)).toBe(1);
    expect(await closed()).toMatchObject([{ answers: 1 }]);
  });
});

import { createMessageBatch } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { parseEventValues } from "../../src/ingest/parse-values.ts";
import worker from "../../src/worker.ts";
import { call, createOrg, event, freshOrg } from "../support/client.ts";
import { breakMethod, breakSequencing, restoreFaults } from "../support/faults.ts";
import { messageOf } from "./deliver.ts";

afterEach(() => {
  restoreFaults();
  vi.useRealTimers();
});

/** Gives bodies of any kind to the real consumer; answers which were acknowledged. */
async function consumed(bodies: unknown[]): Promise<boolean[]> {
  const acked = bodies.map(() => false);
  const batch = createMessageBatch<unknown>(
    "indelible-ingest",
    bodies.map((body) => ({ id: freshOrg("message"), attempts: 1, timestamp: new Date(), body })),
  );
  batch.messages.forEach((message, n) => {
    message.ack = () => {
      acked[n] = true;
    };
    message.retry = () => {};
  });
  await worker.queue(batch, env);
  return acked;
}

describe("a message that cannot be read", () => {
  it.each([
    ["a kind that is no text", '{"v":1,"kind":{"toString":0}}'],
    ["a BigInt", { v: 1, kind: 1n }],
    ["nothing", undefined],
    ["bytes", new TextEncoder().encode("junk").buffer],
  ])("becomes a dead letter, and its neighbour is sequenced: %s", async (_, body) => {
    const org = await createOrg("neighbour");
    const good = messageOf(org, [event(1, { id: "good" })]);
    expect(await consumed([body, good.text])).toEqual([true, true]);
    expect((await call("GET", `/v1/orgs/${org}/events/good`)).status).toBe(200);
  });
});

describe("values by binding that stand in themselves many times over", () => {
  it("are refused by what they would be as text, before they are written out", () => {
    let value: unknown = "x";
    for (let level = 0; level < 40; level++) value = [value, value];
    const began = performance.now();
    const parsed = parseEventValues({ action: "a.b", actor: { type: "user", id: "u" }, metadata: value });
    expect(parsed).toMatchObject({ ok: false, refusal: { code: "too_large" } });
    // Written out it would be 2^40 values: that this line is reached at all is the test.
    expect(performance.now()).toBeGreaterThan(began);
  });
});

describe("a handover that neither the queue nor the ledger takes", () => {
  it("is parked, durable, and sequenced when it is replayed", async () => {
    const org = await createOrg("parked");
    const queue = breakMethod(env.INGEST_QUEUE, "sendBatch", "failed");
    const ledger = await breakSequencing(org, "failed");
    const headers = { prefer: "respond-async" };
    const accepted = await call("POST", `/v1/orgs/${org}/events`, { body: event(1, { id: "kept" }), headers });
    expect(accepted.status, accepted.text).toBe(202);
    queue.restore();
    ledger.restore();
    const { json } = await call("GET", "/v1/dead-letters?state=parked&limit=1000");
    const letter = json.data.find((one: { org: string }) => one.org === org);
    expect(letter).toMatchObject({ state: "parked", code: "internal" });
    expect((await call("POST", `/v1/dead-letters/${letter.id}/replay`)).json).toMatchObject({ state: "replayed" });
    expect((await call("GET", `/v1/orgs/${org}/events/kept`)).json).toMatchObject({ id: "kept", delivery: "replay" });
  });
});

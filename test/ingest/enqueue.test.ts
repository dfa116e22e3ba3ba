import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { checkLedger, statusOf } from "../support/check-ledger.ts";
import { call, createOrg, event } from "../support/client.ts";
import { breakMethod, breakSequencing, restoreFaults } from "../support/faults.ts";
import { deadLetterOf, deliver } from "./deliver.ts";
import { appendNow, ASYNC, catchMessages, handOver, many } from "./hand-over.ts";

afterEach(restoreFaults);

async function untilSize(org: string, size: number): Promise<void> {
  await expect.poll(async () => (await statusOf(org)).size, { timeout: 30_000, interval: 100 }).toBe(size);
}

describe("handing over through the real queue", () => {
  it("answers 202 with the ids the entries will have, and each is sequenced once", async () => {
    const org = await createOrg("real");
    const events = [...many(200), event(900, { id: "mine" })];
    const accepted = await handOver(org, events);
    expect(accepted.status, accepted.text).toBe(202);
    const ids: string[] = accepted.json.data.map(({ id }: { id: string }) => id);
    expect(ids.length).toBe(201);
    expect(ids.at(-1)).toBe("mine");
    await untilSize(org, 202);
    const { entries } = await checkLedger(org, { archived: true });
    const mine = entries.filter(({ source }) => source === "client");
    expect(new Set(mine.map(({ id }) => id))).toEqual(new Set(ids));
    for (const { id, position, delivery } of mine) {
      expect([position, delivery]).toEqual([ids.indexOf(id ?? ""), "queued"]);
    }
    const got = await call("GET", `/v1/orgs/${org}/events/${ids[7]}`);
    expect(got.json).toMatchObject({ id: ids[7], metadata: { n: 7 } });
  });

  it("takes a request of several parts once, however often it is sent with its Idempotency-Key", async () => {
    const org = await createOrg("parts");
    const events = many(150);
    const answers = [await handOver(org, events, "the-key"), await handOver(org, events, "the-key")];
    expect(answers.map(({ status }) => status)).toEqual([202, 202]);
    expect(answers[1]?.json).toEqual(answers[0]?.json);
    await untilSize(org, 151);
    const third = await handOver(org, events, "the-key");
    expect(third.json).toEqual(answers[0]?.json);
    await call("POST", `/v1/orgs/${org}/events`, { body: event(1, { id: "after" }), headers: ASYNC });
    await untilSize(org, 152);
    expect((await checkLedger(org)).entries.length).toBe(152);
  });
});

describe("messages", () => {
  it("name one org each, hold at most 60 kB, and carry a larger event alone", async () => {
    const org = await createOrg("sizes");
    const caught = catchMessages();
    const large = event(0, { id: "large", metadata: "x".repeat(99_000) });
    expect((await handOver(org, [...many(100), large, ...many(100)])).status).toBe(202);
    const messages = caught.flat();
    expect(messages.length).toBeGreaterThan(4);
    for (const { text } of messages) {
      const message = JSON.parse(text) as { org: string; events: { id?: string }[] };
      expect(message.org).toBe(org);
      if (Buffer.byteLength(text) > 60_000) expect(message.events.map(({ id }) => id)).toEqual(["large"]);
    }
    await deliver([...messages].reverse());
    expect((await checkLedger(org)).entries.length).toBe(202);
  });
});

describe("a queue that refuses", () => {
  it("is replaced by appending directly, under the same ids", async () => {
    const org = await createOrg("refuses");
    const fault = breakMethod(env.INGEST_QUEUE, "sendBatch", "failed");
    const events = many(150);
    const accepted = await handOver(org, events, "k");
    expect(accepted.status).toBe(202);
    expect(fault.hits).toBe(1);
    const { entries } = await checkLedger(org);
    expect(entries.slice(1).map(({ id }) => id)).toEqual(accepted.json.data.map(({ id }: { id: string }) => id));
    fault.restore();
    await handOver(org, events, "k");
    await handOver(org, [event(1, { id: "after" })]);
    await untilSize(org, 152);
    expect((await checkLedger(org)).entries.length).toBe(152);
  });

  it.each(["failed", "failed but stored"] as const)(
    "for one of two groups (%s) leaves every event once",
    async (kind) => {
      const org = await createOrg("half");
      let calls = 0;
      const fault = breakMethod(env.INGEST_QUEUE, "sendBatch", kind, { when: () => ++calls === 2 });
      const accepted = await handOver(org, many(500));
      expect(accepted.status).toBe(202);
      expect(fault.hits).toBe(1);
      await untilSize(org, 501);
      await call("POST", `/v1/orgs/${org}/events`, { body: event(1, { id: "after" }), headers: ASYNC });
      await untilSize(org, 502);
      const { entries } = await checkLedger(org);
      const ids = accepted.json.data.map(({ id }: { id: string }) => id);
      expect(new Set(entries.slice(1).map(({ id }) => id))).toEqual(new Set([...ids, "after"]));
    },
  );

  it("a ledger and an archive that fail as well are never answered with 202", async () => {
    const org = await createOrg("neither");
    breakMethod(env.INGEST_QUEUE, "sendBatch", "failed");
    await breakSequencing(org, "failed");
    breakMethod(env.ARCHIVE, "put", "failed");
    const refused = await handOver(org, [event(1)]);
    expect([refused.status, refused.json.code]).toEqual([500, "internal"]);
    restoreFaults();
    expect((await checkLedger(org)).entries.length).toBe(1);
  });
});

describe("one Idempotency-Key through both doors", () => {
  it("seals a request of one message once, whichever comes first", async () => {
    const org = await createOrg("small");
    const caught = catchMessages();
    const events = [event(1), event(2, { id: "x" })];
    await handOver(org, events, "queue-first");
    const direct = await appendNow(org, events, "queue-first");
    expect(direct.status).toBe(201);
    expect([...(await deliver(caught.flat())).values()]).toEqual(["acked"]);
    const later = [event(3), event(4)];
    await handOver(org, later, "direct-later");
    await deliver(caught.flat().slice(1));
    const replay = await appendNow(org, later, "direct-later");
    expect(replay.status).toBe(201);
    expect(replay.json.data.map(({ index }: { index: number }) => index)).toEqual([3, 4]);
    expect((await checkLedger(org)).entries.length).toBe(5);
  });

  it("is a conflict for a request of several messages, never a duplicate", async () => {
    const org = await createOrg("conflict");
    const caught = catchMessages();
    const events = many(150);
    await handOver(org, events, "both");
    expect((await appendNow(org, events, "both")).status).toBe(201);
    const parts = caught.flat();
    expect(parts.length).toBeGreaterThan(1);
    await deliver(parts);
    for (const part of parts) expect((await deadLetterOf(part)).row).toMatchObject({ state: "dead", code: "conflict" });

    await handOver(org, events, "parts-first");
    await deliver(caught.flat().slice(parts.length));
    const refused = await appendNow(org, events, "parts-first");
    expect([refused.status, refused.json.code]).toEqual([409, "conflict"]);
    expect((await checkLedger(org)).entries.length).toBe(301);
  });
});

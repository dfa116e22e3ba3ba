import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { checkLedger } from "../support/check-ledger.ts";
import { type Answer, createOrg, event } from "../support/client.ts";
import { replaceMethod, restoreFaults } from "../support/faults.ts";
import { deadLetterOf, deliver } from "./deliver.ts";
import { appendNow, catchMessages, handOver, many } from "./hand-over.ts";

afterEach(restoreFaults);

describe("an Idempotency-Key that is used again with respond-async", () => {
  const conflict = [409, "conflict"];
  const codeOf = ({ status, json }: Answer) => [status, json.code];

  it("is refused at once for other events than those sequenced, and nothing is handed over", async () => {
    const org = await createOrg("reused");
    const caught = catchMessages();
    await handOver(org, [event(1), event(2)], "small");
    await handOver(org, many(150), "large");
    await deliver(caught.flat());
    caught.length = 0;
    for (const events of [[event(1)], [event(1), event(3)], [event(2), event(1)], many(150)]) {
      expect(codeOf(await handOver(org, events, "small"))).toEqual(conflict);
    }
    for (const events of [many(149), many(151), [...many(149), event(7)], [event(1)]]) {
      expect(codeOf(await handOver(org, events, "large"))).toEqual(conflict);
    }
    expect(caught).toEqual([]);
    expect((await checkLedger(org)).entries.length).toBe(1 + 2 + 150);
  });

  it("gets the same answer for the same events, and what is sequenced is not handed over again", async () => {
    const org = await createOrg("again");
    const caught = catchMessages();
    const events = many(150);
    const first = await handOver(org, events, "parts");
    const [part, ...rest] = caught.flat();
    await deliver(part === undefined ? [] : [part]);
    caught.length = 0;
    const again = await handOver(org, events, "parts");
    expect([again.status, again.json]).toEqual([202, first.json]);
    expect(caught.flat().map(({ text }) => text.length)).toEqual(rest.map(({ text }) => text.length));
    await deliver([...rest, ...caught.flat()]);
    expect((await checkLedger(org)).entries.length).toBe(151);
  });

  it("seals nothing of a request that conflicts in one part, while others are in the queue", async () => {
    const org = await createOrg("in-part");
    const caught = catchMessages();
    const events = many(150);
    await handOver(org, events, "parts");
    const [first, ...rest] = caught.flat();
    await deliver(first === undefined ? [] : [first]);
    const other = [event(0, { metadata: "other" }), ...events.slice(1, -1), event(9, { metadata: "other" })];
    expect(codeOf(await handOver(org, other, "parts"))).toEqual(conflict);
    expect([...(await deliver(rest)).values()]).toEqual(rest.map(() => "acked"));
    for (const part of rest) expect((await deadLetterOf(part)).row).toBeNull();
    expect((await checkLedger(org)).entries.length).toBe(151);
  });

  it("becomes a dead letter while the first request is still in the queue", async () => {
    const org = await createOrg("queued");
    const caught = catchMessages();
    await handOver(org, [event(1)], "key");
    expect((await handOver(org, [event(2)], "key")).status).toBe(202);
    const [first, second] = caught.flat();
    await deliver(caught.flat());
    expect((await deadLetterOf(first ?? { id: "" })).row).toBeNull();
    expect((await deadLetterOf(second ?? { id: "" })).row).toMatchObject({ state: "dead", code: "conflict" });
    expect((await checkLedger(org)).entries.length).toBe(2);
  });

  it("is handed over when the ledger cannot say whether it is the same", async () => {
    const org = await createOrg("unsure");
    const caught = catchMessages();
    await appendNow(org, [event(1)], "key");
    replaceMethod(env.ORG_LEDGER, "getByName", (original, args) => {
      const stub = original(...args);
      const append = () => Promise.reject(new Error("the ledger failed: injected by the test"));
      return new Proxy(stub, { get: (target, name) => (name === "append" ? append : Reflect.get(target, name)) });
    });
    expect((await handOver(org, [event(1)], "key")).status).toBe(202);
    restoreFaults();
    expect([...(await deliver(caught.flat())).values()]).toEqual(["acked"]);
    expect((await checkLedger(org)).entries.length).toBe(2);
  });
});

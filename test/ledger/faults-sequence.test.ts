import { afterEach, describe, expect, it } from "vitest";
import { append, appendBatches, batchOf } from "../support/append.ts";
import { checkLedger } from "../support/check-ledger.ts";
import { call, createOrg, event } from "../support/client.ts";
import { breakSequencing, evict, FAULT_KINDS, restoreFaults } from "../support/faults.ts";

afterEach(restoreFaults);

/** What is sent after the fault: the same batch, or another one, which begins at another size if the first is there. */
const RETRIES = ["the same batch", "a larger batch"] as const;
const CASES = FAULT_KINDS.flatMap((kind) => RETRIES.map((retry) => ({ kind, retry })));

describe("a transaction that fails", () => {
  it.each(CASES)("($kind) is not acknowledged, and $retry goes on from what is stored", async ({ kind, retry }) => {
    const org = await createOrg("seq");
    await append(org, batchOf([event(1), event(2)]));
    const lost = batchOf([event(3, { id: "three" }), event(4)]);
    const fault = await breakSequencing(org, kind, { times: 1 });
    await expect(append(org, lost)).rejects.toThrow("injected by the test");
    expect(fault.hits).toBe(1);

    const stored = kind === "failed but stored";
    const next = retry === "the same batch" ? lost : batchOf([event(5), event(6), event(7)]);
    const { receipts } = await append(org, next);
    const first = stored && next !== lost ? 5 : 3;
    expect(receipts.map(({ index }) => index)).toEqual(next.events.map((_, n) => first + n));
    const replayed = await append(org, lost);
    expect(await append(org, lost)).toEqual(replayed);
    const { entries } = await checkLedger(org, { archived: true });
    expect(entries.filter(({ batch }) => batch === lost.batch).length).toBe(2);
  });

  it.each(FAULT_KINDS)("(%s) fails every caller of the gather, and each may ask again", async (kind) => {
    const org = await createOrg("gather");
    const batches = [1, 2, 3, 4].map((n) => batchOf([event(n, { id: `g-${n}` })]));
    await breakSequencing(org, kind, { times: 1 });
    const first = await Promise.allSettled(batches.map((batch) => append(org, batch)));
    expect(first.some(({ status }) => status === "rejected")).toBe(true);
    const receipts = (await Promise.all(batches.map((batch) => append(org, batch)))).flatMap((one) => one.receipts);
    expect(new Set(receipts.map(({ index }) => index))).toEqual(new Set([1, 2, 3, 4]));
    await evict(org);
    const { entries } = await checkLedger(org);
    expect(entries.length).toBe(5);
  });

  it("answers 500 over HTTP and never 201", async () => {
    const org = await createOrg("http");
    await breakSequencing(org, "failed", { times: 1 });
    const answer = await call("POST", `/v1/orgs/${org}/events`, {
      body: event(1),
      headers: { "idempotency-key": "k" },
    });
    expect(answer.status).toBe(500);
    expect(answer.json.code).toBe("internal");
    const again = await call("POST", `/v1/orgs/${org}/events`, { body: event(1), headers: { "idempotency-key": "k" } });
    expect(again.status).toBe(201);
    expect((await checkLedger(org)).entries.length).toBe(2);
  });

  it("counts an event as logged only when it is stored, and once", async () => {
    const org = await createOrg("count");
    const logged = async () => {
      const { text } = await call("GET", "/metrics");
      return Number(/audit_events_logged_total\{delivery="import"\} (\d+)/.exec(text)?.[1] ?? 0);
    };
    const before = await logged();
    const imported = batchOf([event(1), event(2)], { delivery: "import" });
    // A plan that throws makes its neighbours be planned again.
    const broken = batchOf([event(3)]);
    broken.events[0]?.sections.push({ name: "actor", text: "{}" });
    await Promise.allSettled([appendBatches(org, [imported]), appendBatches(org, [broken])]);
    await breakSequencing(org, "failed", { times: 1 });
    await expect(append(org, batchOf([event(9)], { delivery: "import" }))).rejects.toThrow();
    expect((await logged()) - before).toBe(2);
    await checkLedger(org);
  });
});

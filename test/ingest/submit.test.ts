import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { configOf } from "../../src/env.ts";
import { ledgerOf } from "../../src/ledger/client.ts";
import { submit } from "../../src/ingest/submit.ts";
import { batchOf, ROOT } from "../support/append.ts";
import { checkLedger, statusOf } from "../support/check-ledger.ts";
import { createOrg, event } from "../support/client.ts";

/** A way to the ledgers on which the answers to the first calls of `append` are lost, as when a deploy resets an object. */
function losing(answers: number) {
  const config = configOf(env);
  const lost = { count: 0 };
  const getByName = (org: string) => ({
    append: async (...call: Parameters<ReturnType<typeof ledgerOf>["append"]>) => {
      const answer = await ledgerOf(config, org).append(...call);
      if (lost.count === answers) return answer;
      lost.count++;
      throw Object.assign(new Error("the object was reset"), { retryable: true });
    },
  });
  return { lost, config: { ...config, ledgers: { getByName } as unknown as typeof config.ledgers } };
}

describe("a submission whose answer is lost on its way from the ledger", () => {
  it.for([null, "a-key-of-the-client"])("is appended once, Idempotency-Key %s", async (idempotencyKey) => {
    const org = await createOrg("lost");
    const { lost, config } = losing(2);
    const { events } = batchOf([event(1), event(2)]);
    const rest = { idempotencyKey, delivery: "direct", received_at: Date.now() } as const;
    const answer = await submit(config, { org, caller: ROOT, events, ...rest }, createExecutionContext());
    expect(lost.count).toBe(2);
    expect(answer).toMatchObject({ ok: true, value: { size: 3, receipts: [{ index: 1 }, { index: 2 }] } });
    expect((await statusOf(org)).size).toBe(3);
    await checkLedger(org);
  });
});

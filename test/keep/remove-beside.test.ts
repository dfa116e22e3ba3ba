import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { append, batchOf } from "../support/append.ts";
import { call, createOrg, event } from "../support/client.ts";
import { placesOf } from "../support/everywhere.ts";
import { CELLS, replaceMethod, restoreFaults } from "../support/faults.ts";
import { linesOf } from "../support/owner.ts";
import { verified } from "../support/tamper.ts";
import { archived } from "./erasure-support.ts";
import { begun, byJane, carriedOut, JANE } from "./support.ts";

afterEach(() => {
  restoreFaults();
  vi.useRealTimers();
});

const LIST = new Map([[2, ["actor", "actor/detail"]]]);

/** An org of which Jane's entry is to be let go, with the cause sealed. */
async function orgOfJane() {
  const org = await createOrg("beside");
  await append(org, batchOf([event(1), byJane(2), event(3)]));
  await archived(org);
  const removal = await begun(org, LIST);
  await archived(org);
  return { org, removal };
}

describe("a removal beside a repair", () => {
  it("is not undone by one that read the entries before, though the removal is over", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const { org, removal } = await orgOfJane();
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
    expect(await placesOf(org, [JANE.name])).toEqual([]);
    expect(await verified(org)).toMatchObject({ ok: true, breaks: [] });
  });

  it("lets go of nothing once a repair has had the lease in between", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const { org, removal } = await orgOfJane();
    let repairs = 0;
    replaceMethod(env.ARCHIVE, "put", async (original, args) => {
      if (String(args[0]).startsWith("seg/") && ++repairs === 1) {
        vi.setSystemTime(Date.now() + 31_000);
        expect((await call("POST", `/v1/orgs/${org}/repair`, { body: { reason: "a look" } })).status).toBe(200);
      }
      return original(...args);
    });
    await expect(carriedOut(org, removal)).rejects.toThrow("took its turn");
    expect((await linesOf(org))[2]).toContain(JANE.name);
    await carriedOut(org, removal);
    expect(await placesOf(org, [JANE.name])).toEqual([]);
  });
});

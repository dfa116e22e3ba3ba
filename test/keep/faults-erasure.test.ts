import { afterEach, describe, expect, it } from "vitest";
import { ERASURE } from "../../src/keep/erase.ts";
import type { Certificate, ErasureRequest } from "../../src/schema/erasure.ts";
import { append, batchOf } from "../support/append.ts";
import { archiveDue, checkLedger, later, untilProjected, wake } from "../support/check-ledger.ts";
import { createOrg, event, freshOrg } from "../support/client.ts";
import { placesOf } from "../support/everywhere.ts";
import { abort, breakD1, breakR2, restoreFaults } from "../support/faults.ts";
import { verified } from "../support/tamper.ts";
import { must } from "../support/check/check-entry.ts";
import { ERASER } from "./erasure-support.ts";
import { config } from "./support.ts";

afterEach(restoreFaults);

type Progress = Parameters<typeof ERASURE.step>[2];

/** An org with entries of somebody, and the request to forget them. */
async function janes(): Promise<{ org: string; request: ErasureRequest }> {
  const org = await createOrg("erase-fault");
  const jane = { type: "user", id: freshOrg("u_jane") };
  await append(org, batchOf([event(1, { actor: jane }), event(2), event(3, { targets: [jane], reason: "hers" })]));
  await untilProjected(org);
  await archiveDue(org);
  return { org, request: { subject: jane, reason: "she asked for it", sections: ["note"] } };
}

/** Takes steps to the end; `before` each of them something happens, `twice`: nobody hears that it was made, so it is made again. */
async function runToEnd(
  { org, request }: { org: string; request: ErasureRequest },
  { twice = false, before = async () => {} }: { twice?: boolean; before?: (step: number) => Promise<void> } = {},
): Promise<{ certificate: Certificate; steps: number }> {
  const context = { config, org, id: freshOrg("era"), by: ERASER };
  let progress: Progress = null;
  for (let steps = 0; steps < 60; steps++) {
    await before(steps);
    const take = () => ERASURE.step(context, request, progress === null ? null : structuredClone(progress));
    if (twice) await take();
    const taken = await take();
    if ("ok" in taken) continue;
    if (taken.result !== null) return { certificate: taken.result, steps: steps + 1 };
    progress = JSON.parse(JSON.stringify(taken.progress)) as Progress;
  }
  throw new Error("an erasure ends");
}

async function expectForgotten({ org, request }: { org: string; request: ErasureRequest }, certificate: Certificate) {
  must(request.subject !== null, "a subject");
  const { entries } = await later(60_000, () => checkLedger(org, { archived: true }));
  expect(entries.slice(0, 4).map(({ gone }) => gone)).toEqual([[], ["actor"], [], ["note", "target/0"]]);
  expect(await placesOf(org, [request.subject.id])).toEqual([]);
  expect(await verified(org)).toMatchObject({ ok: true, breaks: [] });
  expect(certificate.removed).toEqual({ entries: 2, sections: 3, quoting: 0 });
  const ended = entries.filter(({ action }) => action === "indelible.erasure.ended");
  const begun = entries.filter(({ action }) => action === "indelible.erasure.begun");
  expect([begun.length, ended.length]).toEqual([1, 1]);
}

describe("an erasure that is interrupted", () => {
  it("after every step, before anybody heard of it, is made once", async () => {
    const jane = await janes();
    const { certificate } = await runToEnd(jane, { twice: true });
    await expectForgotten(jane, certificate);
  });

  it("because the ledger dies before every step, goes on", async () => {
    const jane = await janes();
    const { certificate } = await runToEnd(jane, { before: () => abort(jane.org) });
    await expectForgotten(jane, certificate);
  });

  it.each([
    ["D1", breakD1],
    ["R2", breakR2],
  ])("because %s is down at any step, goes on", async (_store, down) => {
    const jane = await janes();
    const context = { config, org: jane.org, id: freshOrg("era"), by: ERASER };
    let progress: Progress = null;
    for (let steps = 0; steps < 60; steps++) {
      const fault = down();
      try {
        await ERASURE.step(context, jane.request, progress);
      } catch {
        // It is taken again once the store answers.
      }
      fault.restore();
      await later(60_000, () => wake(jane.org));
      const taken = await ERASURE.step(context, jane.request, progress);
      if ("ok" in taken) continue;
      if (taken.result !== null) return expectForgotten(jane, taken.result);
      progress = JSON.parse(JSON.stringify(taken.progress)) as Progress;
    }
    throw new Error("an erasure ends");
  });
});

import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import { ERASURE } from "../../src/keep/erase.ts";
import type { Certificate, ErasureRequest } from "../../src/schema/erasure.ts";
import { append, batchOf } from "../support/append.ts";
import { actsOf } from "../query/support.ts";
import { later, wake } from "../support/check-ledger.ts";
import { must } from "../support/check/check-entry.ts";
import { call, createOrg, event, freshOrg } from "../support/client.ts";
import { placesOf } from "../support/everywhere.ts";
import { abort, breakD1, breakR2, replaceMethod, restoreFaults } from "../support/faults.ts";
import { strand } from "../support/strand.ts";
import { archived, ERASER, erased, person } from "./erasure-support.ts";
import { ENTRIES, expectEven, janes, partWay, type Progress } from "./part-erased.ts";
import { config } from "./support.ts";

afterEach(restoreFaults);

/** Takes steps until part of a cause has gone, and a `last` one, then those that end it; `before` each of these something happens. */
async function endedPartWay(
  { org, subject }: { org: string; subject: ErasureRequest["subject"] },
  {
    twice = false,
    until = partWay,
    last = async () => {},
    before = async () => {},
  }: {
    twice?: boolean;
    until?: (progress: Progress) => boolean;
    last?: (step: () => Promise<unknown>) => Promise<void>;
    before?: (settle: Settle) => Promise<void>;
  } = {},
): Promise<Certificate> {
  const context = { config, org, id: freshOrg("era"), by: ERASER };
  const request: ErasureRequest = { subject, reason: "she asked for it", sections: [] };
  let progress: Progress | null = null;
  for (let steps = 0; progress === null || !until(progress); steps++) {
    must(steps < 60, "a cause is carried out");
    const taken = await ERASURE.step(context, request, progress);
    if (!("ok" in taken)) progress = JSON.parse(JSON.stringify(taken.progress)) as Progress;
  }
  await last(async () => ERASURE.step(context, request, progress));
  for (let steps = 0; steps < 60; steps++) {
    const ended = { state: "cancelled", by: "root", error: null, progress } as const;
    const settle: Settle = async () => ERASURE.settle?.(context, request, structuredClone(ended));
    await before(settle);
    if (twice) await settle();
    const taken = await settle();
    must(taken !== undefined, "an erasure is certified");
    if (taken.result !== null) return taken.result;
    progress = JSON.parse(JSON.stringify(taken.progress)) as Progress;
  }
  throw new Error("an erasure ends");
}
/** An org with two entries of somebody in the one segment of a log that was continued. */
async function continuedOrg() {
  const org = await createOrg("ended-earlier");
  const { type, id } = person();
  await append(org, batchOf([event(1, { actor: { type, id } }), event(2, { actor: { type, id } })]));
  await archived(org);
  const { log } = await strand(org);
  const continued = await call("POST", `/v1/orgs/${org}/continue`, { body: { reason: "an entry is gone" } });
  expect(continued.status).toBe(201);
  await archived(org);
  const segments = async () => (await env.ARCHIVE.list({ prefix: `seg/${log}/0` })).objects.map(({ key }) => key);
  return { org, subject: { type, id }, segments };
}

type Settle = () => ReturnType<NonNullable<typeof ERASURE.settle>>;

describe("the end of an erasure that was cancelled, when it is interrupted", () => {
  it("after every step, before anybody heard of it, is made once", async () => {
    const one = await janes();
    const certificate = await endedPartWay(one, { twice: true });
    await later(60_000, () => expectEven(one.org, certificate));
    expect(await actsOf(one.org, "indelible.erasure.ended")).toHaveLength(1);
  });

  it("because the ledger dies before every step, goes on", async () => {
    const one = await janes();
    const certificate = await endedPartWay(one, { before: () => abort(one.org) });
    await later(60_000, () => expectEven(one.org, certificate));
  });

  it("with entries that have gone from R2 and not from D1, takes them from there as well, and no others", async () => {
    const one = await janes();
    const certificate = await endedPartWay(one, {
      until: ({ phase }) => phase === "remove",
      last: async (step) => {
        const fault = breakD1();
        await expect(step()).rejects.toThrow();
        fault.restore();
      },
    });
    expect(certificate.removed.entries).toBe(1);
    await expectEven(one.org, certificate);
  });

  it("with entries of an earlier log of which both segments are there, leaves the whole one, and another erasure takes it", async () => {
    const {
      org,
      subject: { type, id },
    } = await continuedOrg();
    const certificate = await endedPartWay(
      { org, subject: { type, id } },
      {
        until: ({ phase }) => phase === "remove",
        last: async (step) => {
          const fault = replaceMethod(env.ARCHIVE, "delete", async () => Promise.reject(new Error("R2 is down")));
          await expect(step()).rejects.toThrow();
          fault.restore();
        },
      },
    );
    const [cause] = certificate.causes;
    expect((cause?.entries ?? 0) + (cause?.left ?? 0)).toBe(2);
    const report = async () => {
      const { text } = await call("GET", `/v1/orgs/${org}/1/verify`);
      return JSON.parse(text.trim().split("\n").at(-1) ?? "");
    };
    expect(await report()).toMatchObject({ breaks: [] });
    expect(cause).toMatchObject({ entries: 0, left: 2 });
    expect((await erased(org, { subject: { type, id } })).certificate.removed.entries).toBeGreaterThanOrEqual(2);
    expect(await placesOf(org, [id])).toEqual([]);
    expect(await report()).toMatchObject({ breaks: [] });
  });

  it("with a segment of an earlier log that came back beside the one it was erased from, leaves both", async () => {
    const { org, subject, segments } = await continuedOrg();
    const [key = "", ...none] = await segments();
    expect(none).toEqual([]);
    const bytes = await (await env.ARCHIVE.get(key))?.arrayBuffer();
    await erased(org, { subject });
    const [written = ""] = await segments();
    await env.ARCHIVE.put(key, bytes ?? "");
    const certificate = await endedPartWay({ org, subject }, { until: ({ phase }) => phase === "remove" });
    expect(certificate.causes).toMatchObject([{ entries: 0, left: 2 }]);
    expect(await segments()).toEqual([key, written].sort());
    await erased(org, { subject });
    expect(await placesOf(org, [subject.id])).toEqual([]);
  });

  it("behind a cause whose sealing nobody heard of, certifies it, and seals none that was not", async () => {
    const [one, other] = [await janes(), await janes()];
    const until = ({ phase }: Progress) => phase === "seal";
    const certificate = await endedPartWay(one, { until, last: async (step) => void (await step()), twice: true });
    const [begun, ...more] = await actsOf(one.org, "indelible.erasure.begun");
    expect([begun?.leaf.index, more]).toEqual([certificate.causes[0]?.index, []]);
    expect(certificate).toMatchObject({ removed: { entries: 0 }, causes: [{ entries: 0, left: ENTRIES }] });
    const { removal } = await runInDurableObject(env.ORG_LEDGER.getByName(one.org), (_, { storage }) =>
      storage.sql.exec("select count(*) as removal from removal").one(),
    );
    expect(removal).toBe(0);
    expect(await endedPartWay(other, { until })).toMatchObject({ causes: [], removed: { entries: 0 } });
    expect(await actsOf(other.org, "indelible.erasure.begun")).toEqual([]);
  });

  it.each([
    ["D1", breakD1],
    ["R2", breakR2],
  ])("because %s is down at any step, goes on", async (_store, down) => {
    const one = await janes();
    const certificate = await endedPartWay(one, {
      before: async (settle) => {
        const fault = down();
        await settle().catch(() => {});
        fault.restore();
        await later(60_000, () => wake(one.org));
      },
    });
    await later(60_000, () => expectEven(one.org, certificate));
  });
});

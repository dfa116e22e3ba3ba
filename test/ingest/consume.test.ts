import * as fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { checkLedger, untilProjected } from "../support/check-ledger.ts";
import { call, createOrg, event } from "../support/client.ts";
import { breakSequencing, evict, restoreFaults } from "../support/faults.ts";
import { deliver, type Fate, messageOf, type Sent } from "./deliver.ts";

afterEach(restoreFaults);

const ORGS = 20;
const MESSAGES_PER_ORG = 3;

const orgsOf = (stem: string, count: number) =>
  Promise.all(Array.from({ length: count }, (_, n) => createOrg(`${stem}-${n}`)));

/** The same users act on the same targets in every org, under the same ids; only `metadata` tells whose an event is. */
function eventsFor(org: string, n: number): Record<string, unknown>[] {
  const targets = [{ type: "document", id: "d_1", name: "Plan" }];
  return [0, 1].map((k) => event(n, { id: `evt-${n}-${k}`, targets, metadata: { org, n, k } }));
}

/** Splits messages into batches as a queue might. */
function regrouped(messages: readonly Sent[], size: number): Sent[][] {
  const batches: Sent[][] = [];
  for (let at = 0; at < messages.length; at += size) batches.push(messages.slice(at, at + size));
  return batches;
}

async function entriesOf(org: string) {
  const { entries } = await checkLedger(org, { archived: true });
  return entries.filter(({ source }) => source === "client");
}

/** Each event of an org once, in its own log, and none of another. */
async function expectOwnEvents(org: string, runs: number): Promise<void> {
  const entries = await entriesOf(org);
  const ids = new Set(entries.map(({ id }) => id));
  expect(ids.size).toBe(entries.length);
  const expected = Array.from({ length: runs * MESSAGES_PER_ORG }, (_, n) => [0, 1].map((k) => `evt-${n}-${k}`));
  expect(ids).toEqual(new Set(expected.flat()));
  for (const { sections } of entries) {
    expect(JSON.parse(sections["metadata"]?.text ?? "null")).toMatchObject({ org });
  }
}

/** What lists and gets of an org show is its own. */
async function expectOwnOnly(org: string): Promise<void> {
  await untilProjected(org);
  for (const query of ["", "&actor=u_1", "&target=d_1", "&action=document.*", "&target_type=document", "&order=asc"]) {
    const { json } = await call("GET", `/v1/orgs/${org}/events?source=client&min_size=3${query}`);
    const owners = json.data.map(({ metadata, log }: any) => [metadata.org, log.endsWith(`/${org}`)]);
    expect(owners).toEqual([
      [org, true],
      [org, true],
    ]);
  }
  for (const name of ["evt-1-0", "evt-1-1", "1", "2"]) {
    const { json } = await call("GET", `/v1/orgs/${org}/events/${name}`);
    expect(json.metadata.org).toBe(org);
  }
}

describe("batches with the events of 20 orgs", () => {
  it("in any order, delivered twice and regrouped, reach each its own org exactly once", {
    timeout: 120_000,
  }, async () => {
    const orgs = await orgsOf("mixed", ORGS);
    let runs = 0;
    const anyOrder = fc.record({
      order: fc.shuffledSubarray([...Array(ORGS * MESSAGES_PER_ORG).keys()], { minLength: ORGS * MESSAGES_PER_ORG }),
      again: fc.shuffledSubarray([...Array(ORGS * MESSAGES_PER_ORG).keys()], { minLength: ORGS * MESSAGES_PER_ORG }),
      size: fc.integer({ min: 1, max: 25 }),
      failing: fc.integer({ min: 0, max: ORGS - 1 }),
    });
    await fc.assert(
      fc.asyncProperty(anyOrder, async ({ order, again, size, failing }) => {
        const run = runs++;
        const messages = orgs.flatMap((org) =>
          Array.from({ length: MESSAGES_PER_ORG }, (_, n) =>
            messageOf(org, eventsFor(org, run * MESSAGES_PER_ORG + n)),
          ),
        );
        const pick = (positions: number[]) => positions.map((position) => messages[position] as Sent);
        const broken = await breakSequencing(orgs[failing] as string, "failed");
        const fates = await deliver(pick(order));
        for (const [n, { id }] of messages.entries()) {
          const failed = Math.floor(n / MESSAGES_PER_ORG) === failing;
          expect(fates.get(id)).toEqual(failed ? { retry_s: 2 } : "acked");
        }
        broken.restore();
        for (const batch of regrouped(pick(again), size)) {
          for (const fate of (await deliver(batch)).values()) expect(fate).toBe("acked");
        }
      }),
      { numRuns: 4 },
    );
    await Promise.all(orgs.map((org) => expectOwnEvents(org, runs)));
  });

  it("show no other org's event on any path", async () => {
    const orgs = await orgsOf("paths", ORGS);
    await deliver(orgs.flatMap((org) => [messageOf(org, eventsFor(org, 1))]));
    await Promise.all(orgs.map(expectOwnOnly));
  });

  it("survive a consumer that dies between append and acknowledgement", async () => {
    const orgs = await orgsOf("dies", 4);
    const messages = orgs.flatMap((org) => [0, 1, 2].map((n) => messageOf(org, eventsFor(org, n))));
    let left: Sent[] = messages;
    for (let round = 0; left.length > 0; round++) {
      // Each time another half of what is left dies with the consumer.
      const dying = new Set(left.filter((_, n) => round < 3 && n % 2 === round % 2).map(({ id }) => id));
      const fates: Map<string, Fate> = await deliver(left, { crashBeforeAck: dying });
      if (round === 1) await Promise.all(orgs.map(evict));
      left = left.filter(({ id }) => fates.get(id) !== "acked").reverse();
    }
    await Promise.all(orgs.map((org) => expectOwnEvents(org, 1)));
  });
});

describe("a message", () => {
  it("keeps order, key, delivery and received_at of what it brought", async () => {
    const org = await createOrg("told");
    const sent = messageOf(org, [event(1, { id: "a" }), event(2)], { delivery: "binding", key: "shop api" });
    expect([...(await deliver([sent])).values()]).toEqual(["acked"]);
    const entries = await entriesOf(org);
    expect(entries.map(({ position, delivery, received_at }) => ({ position, delivery, received_at }))).toEqual(
      [0, 1].map((position) => ({ position, delivery: "binding", received_at: "2026-11-21T17:59:58.123Z" })),
    );
    expect(JSON.parse(entries[0]?.sections["event"]?.text ?? "")).toMatchObject({ key: "shop api" });
  });

  it("does not share the fate of another one of its org that is refused", async () => {
    const org = await createOrg("fates");
    const good = [messageOf(org, [event(1, { id: "x" })]), messageOf(org, [event(3)])];
    const bad = messageOf(org, [event(2), event(2, { id: "x" })]);
    const fates = await deliver([good[0] as Sent, bad, good[1] as Sent]);
    expect([...fates.values()]).toEqual(["acked", "acked", "acked"]);
    expect((await entriesOf(org)).length).toBe(2);
  });
});

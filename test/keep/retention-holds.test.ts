import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { EntryRecord } from "../../src/chain/record.ts";
import { heldBy } from "../../src/keep/held-by.ts";
import type { Holds } from "../../src/schema/hold.ts";
import { actsOf, entriesOf, saysOf } from "../query/support.ts";
import { archiveDue, checkLedger, untilProjected } from "../support/check-ledger.ts";
import { call, createOrg } from "../support/client.ts";
import { replaceMethod, restoreFaults } from "../support/faults.ts";
import { linesOf } from "../support/owner.ts";
import { snapshotOf } from "../support/rewind.ts";
import { verified } from "../support/tamper.ts";
import { dayIn, daysPass, kept, keptOrg, ran, stopClock } from "./retention-support.ts";
import { begun, carriedOut } from "./support.ts";

afterEach(() => {
  restoreFaults();
  vi.useRealTimers();
});

const EVENTS = [kept("login", 1), kept("login", 2), kept("login", 3)];

async function place(org: string, more: Record<string, unknown>): Promise<string> {
  const placed = await call("POST", `/v1/orgs/${org}/holds`, { body: { reason: "the case of Smith", ...more } });
  expect(placed.status, placed.text).toBe(201);
  return placed.json.id;
}
const release = (org: string, id: string) =>
  call("POST", `/v1/orgs/${org}/holds/${id}/release`, { body: { reason: "it was settled" } });

/** Indexes of the events that are whole. */
async function whole(org: string): Promise<number[]> {
  const entries = (await entriesOf(org, 2)).slice(0, EVENTS.length);
  return entries.filter(({ absent }) => absent.length === 0).map(({ leaf }) => leaf.index);
}

describe("what a hold covers", () => {
  it("does not expire while one of the holds over it stands", async () => {
    stopClock();
    const org = await keptOrg(EVENTS);
    const one = await place(org, { filter: { actor: "u_1" } });
    const other = await place(org, { before_index: 4 });
    daysPass(4);
    expect(await ran(org)).toMatchObject({ entries: 1, held: 2 });
    expect(await whole(org)).toEqual([2, 3]);
    await release(org, one);
    expect(await ran(org)).toMatchObject({ entries: 0, held: 2 });
    expect(await whole(org)).toEqual([2, 3]);
    await release(org, other);
    expect(await ran(org)).toMatchObject({ entries: 2, held: 0 });
    expect(await whole(org)).toEqual([]);
    expect(await verified(org)).toMatchObject({ ok: true, breaks: [] });
    await checkLedger(org, { archived: true });
  });

  it("stays when the hold is placed while the run finds what goes: the cause names it not", async () => {
    stopClock();
    const org = await keptOrg(EVENTS);
    daysPass(4);
    let placed = 0;
    replaceMethod(env.ARCHIVE, "put", async (original, args) => {
      if (String(args[0]).includes(`/orgs/${org}/absences/`) && placed++ === 0)
        await place(org, { filter: { actor: "u_2" } });
      return original(...args);
    });
    expect(await ran(org)).toMatchObject({ entries: 2, held: 1 });
    expect(placed).toBe(2);
    expect(await whole(org)).toEqual([3]);
    const acts = await actsOf(org, "indelible.retention.run");
    expect(acts.map((act) => saysOf(act)["list"].entries)).toEqual([2]);
    await checkLedger(org, { archived: true });
  });

  it("stays when the hold is placed after the cause was sealed, as far as it is still there", async () => {
    stopClock();
    const org = await keptOrg(EVENTS);
    daysPass(4);
    let held: string | null = null;
    const between = async ({ removal }: { removal: unknown }) => {
      if (removal !== null) held ??= await place(org, { filter: { actor: ["u_2", "u_3"] } });
    };
    expect(await ran(org, {}, { between })).toMatchObject({ entries: 1, held: 2 });
    expect(await whole(org)).toEqual([3, 4]);
    expect(await verified(org)).toMatchObject({ ok: true, breaks: [] });
    await release(org, held ?? "");
    expect(await ran(org)).toMatchObject({ entries: 2, held: 0 });
    expect(await whole(org)).toEqual([]);
    expect(await verified(org)).toMatchObject({ ok: true, breaks: [] });
    await checkLedger(org, { archived: true });
  });

  it("has each run seal a cause of its own, though the list be the same as that of one before", async () => {
    stopClock();
    const org = await keptOrg([kept("login", 1)]);
    daysPass(4);
    let held: string | null = null;
    const between = async ({ removal }: { removal: unknown }) => {
      if (removal !== null) held ??= await place(org, { filter: { actor: "u_1" } });
    };
    await ran(org, {}, { between });
    await release(org, held ?? "");
    daysPass(1);
    await ran(org);
    await untilProjected(org);
    const [first, second, ...more] = await actsOf(org, "indelible.retention.run");
    expect([saysOf(first)["before"], saysOf(second)["before"], more]).toEqual([dayIn(-1), dayIn(), []]);
    const gone = JSON.parse((await linesOf(org))[2] ?? "") as EntryRecord;
    expect(new Set(gone.absent?.map(({ by }) => by))).toEqual(new Set([second?.leaf.index]));
    expect(await verified(org)).toMatchObject({ ok: true, breaks: [] });
  });

  it("is the entry that says of it as well, while it stands", async () => {
    const org = await createOrg("hold");
    const id = await place(org, { filter: { actor: "u_9" } });
    const line = (await linesOf(org))[1] as string;
    const holds = await env.ORG_LEDGER.getByName(org).standingHolds(org);
    const { standing } = (holds as { value: Holds }).value;
    const covered = (some: Holds["standing"]) =>
      heldBy({ version: 1, standing: some }).covers({ log: 1, index: 1, line });
    expect(covered(standing)).toBe(true);
    expect(covered(standing.map((hold) => ({ ...hold, id: `${id}x` })))).toBe(false);
    expect(covered([])).toBe(false);
  });
});

describe("a hold that was released", () => {
  it("is forgotten by its ledger when its words go from the log, and one that stands is not", async () => {
    const org = await createOrg("hold");
    const gone = await place(org, { filter: { actor: "u_jane-4711" }, reason: "about jane-4711" });
    const other = await place(org, { filter: { actor: "u_2" } });
    await release(org, gone);
    await untilProjected(org);
    await archiveDue(org);
    const removal = await begun(org, new Map([1, 2, 3].map((index) => [index, ["note"]])), { holds_version: 3 });
    const holds = async () => ({ version: 3, covers: () => false });
    await carriedOut(org, removal, { holds });
    const { data } = (await call("GET", `/v1/orgs/${org}/holds`)).json;
    expect(data).toMatchObject([
      { id: other, filter: { actor: ["u_2"] } },
      { id: gone, reason: "(erased)", filter: {}, released: { reason: "(erased)" } },
    ]);
    expect(JSON.stringify(await snapshotOf(org))).not.toContain("jane-4711");
    await checkLedger(org, { archived: true });
  });
});

import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { actsOf, entriesOf } from "../query/support.ts";
import { checkLedger, untilProjected } from "../support/check-ledger.ts";
import { call } from "../support/client.ts";
import {
  abort,
  breakD1,
  breakMethod,
  breakProjection,
  breakR2,
  breakSegments,
  breakSequencing,
  CELLS,
  type Fault,
  FAULT_KINDS,
  type FaultKind,
  replaceMethod,
  restoreFaults,
} from "../support/faults.ts";
import { verified } from "../support/tamper.ts";
import { countersOf, daysPass, kept, keptOrg, ran, stopClock } from "./retention-support.ts";

afterEach(() => {
  restoreFaults();
  vi.useRealTimers();
});

const EVENTS = [kept("login", 1), kept("general", 2), kept("login", 3)];

async function dueOrg(): Promise<string> {
  stopClock();
  const org = await keptOrg(EVENTS);
  daysPass(4);
  return org;
}

/** Two entries are gone by one cause, proven, and the counters are what they were, also when D1 is made anew. */
async function expectDone(org: string, before: unknown): Promise<void> {
  const entries = (await entriesOf(org, 2)).slice(0, EVENTS.length);
  expect(entries.map(({ event }) => event === null)).toEqual([true, false, true]);
  expect(await actsOf(org, "indelible.retention.run")).toHaveLength(1);
  expect(await verified(org)).toMatchObject({ ok: true, breaks: [] });
  await checkLedger(org, { archived: true });
  await call("POST", `/v1/orgs/${org}/rebuild`);
  await untilProjected(org);
  expect(await countersOf(org)).toEqual(before);
}

/** Whether a call of R2 is about an object of this org below a folder, whose key holds `part`. */
const object =
  (org: string, folder: string, part = "") =>
  (args: any[]) => {
    const name = typeof args[0] === "string" ? args[0] : String(args[0].prefix);
    return name.startsWith(`${folder}/`) && name.includes(`/orgs/${org}`) && name.includes(part);
  };
const statement = (part: string) => (args: any[]) =>
  (args[0] as { statement?: string }[]).some((one) => one.statement?.includes(part) === true);

const BREAKS: Record<string, (org: string, kind: FaultKind) => Fault | Promise<Fault>> = {
  "a segment is read": (org, kind) => breakSegments(org, "get", kind, { times: 1 }),
  "kept days are listed": (org, kind) =>
    breakMethod(env.ARCHIVE, "list", kind, { times: 1, when: object(org, "counters") }),
  "counters are put": (org, kind) => breakMethod(env.ARCHIVE, "put", kind, { times: 1, when: object(org, "counters") }),
  "the list is put": (org, kind) =>
    breakMethod(env.ARCHIVE, "put", kind, { times: 1, when: object(org, "tree", "/absences/") }),
  "the cause is sealed": (org, kind) => breakSequencing(org, kind as "failed", { times: 1 }),
  "the segment is put": (org, kind) => breakSegments(org, "put", kind, { times: 1 }),
};

describe("a run of retention that is interrupted", () => {
  const table = Object.keys(BREAKS).flatMap((at) => FAULT_KINDS.map((kind) => [at, kind] as const));
  it.each(table)("as %s, %s, goes on", async (at, kind) => {
    const org = await dueOrg();
    const before = await countersOf(org);
    const fault = await (BREAKS[at] as (typeof BREAKS)[string])(org, kind);
    await ran(org, {}, { failures: 3 });
    expect(fault.hits).toBeGreaterThan(0);
    fault.restore();
    await expectDone(org, before);
  });

  it("as counters are read from D1, goes on", async () => {
    const org = await dueOrg();
    const before = await countersOf(org);
    const when = statement("from counter where org_number = ?1 and day = ?2");
    const faults = CELLS.map((cell) => breakMethod(cell, "batch", "failed", { times: 1, when }));
    await ran(org, {}, { failures: 2 });
    expect(faults.some(({ hits }) => hits > 0)).toBe(true);
    restoreFaults();
    await expectDone(org, before);
  });

  it("after every step, before it was saved, repeats that step, which changes nothing", async () => {
    const org = await dueOrg();
    const before = await countersOf(org);
    await ran(org, {}, { twice: true });
    await expectDone(org, before);
  });

  it("as its ledger dies between any two steps, goes on", async () => {
    const org = await dueOrg();
    const before = await countersOf(org);
    await ran(org, {}, { between: () => abort(org), failures: 5 });
    await expectDone(org, before);
  });

  it.each(["D1", "R2"])("as %s is down, takes nothing, and goes on", async (store) => {
    const org = await dueOrg();
    const before = await countersOf(org);
    const fault = store === "D1" ? breakD1({ directory: false }) : breakR2();
    await expect(ran(org)).rejects.toThrow();
    fault.restore();
    expect((await entriesOf(org, 2))[0]?.event).not.toBe(null);
    await ran(org, {}, { failures: 3 });
    await expectDone(org, before);
  });

  it("by a rebuild keeps no counters of a D1 that is being emptied", async () => {
    const org = await dueOrg();
    const before = await countersOf(org);
    // The rebuild begins, and cannot go on, as the run is about to read them.
    let stalled: Fault | null = null;
    replaceMethod(env.ARCHIVE, "list", async (original, args) => {
      if (stalled === null && object(org, "counters")(args)) {
        stalled = breakProjection(org, "failed");
        await call("POST", `/v1/orgs/${org}/rebuild`);
      }
      return original(...args);
    });
    await expect(ran(org)).rejects.toThrow("D1 has counted the entries");
    restoreFaults();
    await ran(org, {}, { failures: 3 });
    await expectDone(org, before);
  });
});

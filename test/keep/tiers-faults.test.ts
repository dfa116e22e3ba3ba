import { env } from "cloudflare:workers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { checkLedger, statusOf, wake } from "../support/check-ledger.ts";
import { readLedger, SLOTS } from "../support/check/read-stores.ts";
import { call } from "../support/client.ts";
import { coolOrg, filledOrg, placeOf, rowsOf, setDay, slotAt, sweep } from "../support/cool.ts";
import {
  breakMethod,
  breakSegments,
  breakSequencing,
  type Fault,
  FAULT_KINDS,
  type FaultKind,
  replaceMethod,
  restoreFaults,
} from "../support/faults.ts";
import { emptySlots } from "../support/only-slots.ts";
import { repair } from "../support/repair.ts";
import { rewindTo, snapshotOf } from "../support/rewind.ts";
import { verified } from "../support/tamper.ts";
import { actsOf, saysOf, walk } from "../query/support.ts";

/** Entry 0 and 6 of each month from March to July; in October March to June are cold. */
const IN_MONTH = 6;
const COLD = 1 + 4 * IN_MONTH;

async function org(): Promise<string> {
  const filled = await filledOrg(3, 7, { days: 2, each: 3 });
  setDay(10, 15);
  return filled;
}

/** Whether nothing of March is in the org's cell any more, and all of July. */
async function expectCold(of: string): Promise<void> {
  expect(await statusOf(of)).toMatchObject({ cold_before: COLD });
  expect([await rowsOf(of, "2031-03"), await rowsOf(of, "2031-07")]).toEqual([0, IN_MONTH]);
  expect((await actsOf(of, "indelible.tier.cooled")).map(saysOf)).toEqual([{ log: 1, from: 0, to: COLD }]);
  const { entries } = await walk(of, { source: "client" });
  expect(entries.map(({ index }) => index)).toEqual(Array.from({ length: 5 * IN_MONTH }, (_, n) => 5 * IN_MONTH - n));
  expect(await verified(of)).toMatchObject({ ok: true, breaks: [] });
  // A step that was tried again was so in the future of what is sealed since; reads end meanwhile.
  setDay(10, 17);
  await wake(of);
  await checkLedger(of, { archived: true });
}

beforeAll(emptySlots);
// An org that a test leaves uncovered would keep the slots of the next one.
beforeEach(emptySlots);
afterEach(restoreFaults);
afterAll(() => {
  vi.useRealTimers();
});

describe("a segment that is not as it was stored", () => {
  it.each<[string, "missing" | "damaged", (name: string) => Promise<unknown>]>([
    ["is gone", "missing", (name) => env.ARCHIVE.delete(name)],
    ["holds other bytes", "damaged", (name) => env.ARCHIVE.put(name, "other bytes")],
    [
      "holds another segment",
      "damaged",
      async (name) => {
        const other = (await env.ARCHIVE.list({ prefix: "seg/" })).objects.find(({ key }) => key !== name);
        return env.ARCHIVE.put(name, await bytesOf(other?.key ?? ""));
      },
    ],
  ])("because it %s keeps its log from becoming cold, and nothing leaves D1", async (_, kind, damage) => {
    const of = await org();
    const { segments } = await readLedger(of);
    const { name, first } = segments[2] as { name: string; first: number };
    const bytes = await bytesOf(name);
    await damage(name);
    const faults = [{ kind, index: first, place: name }];
    expect(await coolOrg(of)).toEqual({ logs: [{ log: 1, before: 0 }], faults });
    for (let n = 0; n < 2; n++) await sweep();
    expect(await rowsOf(of, "2031-03")).toBe(1 + IN_MONTH);
    expect(await statusOf(of)).toMatchObject({ cold_before: 0 });
    const findings = await actsOf(of, "indelible.finding");
    expect(findings.map(saysOf)).toMatchObject([
      { at: "r2", kind, place: name, lowest_index: first, remedy: [expect.any(String)] },
    ]);
    await env.ARCHIVE.put(name, bytes);
    // The next day it is tried again.
    setDay(10, 16);
    await sweep();
    await sweep();
    expect(await statusOf(of)).toMatchObject({ cold_before: COLD });
    expect(await rowsOf(of, "2031-03")).toBe(0);
  });

  it("after it became cold is told by lists and by verification, and nothing else is lost", async () => {
    const of = await org();
    for (let n = 0; n < 2; n++) await sweep();
    const { segments } = await readLedger(of);
    const { name, first, last } = segments[1] as { name: string; first: number; last: number };
    await env.ARCHIVE.delete(name);
    const { entries } = await walk(of, { limit: 1_000, before_index: COLD, order: "asc" });
    expect(entries.map(({ index }) => index)).toEqual(Array.from({ length: COLD }, (_, n) => n));
    const lost = entries.filter(({ unreadable }) => unreadable !== undefined).map(({ index }) => index);
    expect(lost).toEqual(Array.from({ length: last - first + 1 }, (_, n) => first + n));
    const report = await verified(of);
    expect(report.ok).toBe(false);
    expect(report.breaks.map(({ kind, index }: any) => `${kind} ${index}`)).toContain(`missing ${last}`);
  });
});

describe("cooling that breaks off", () => {
  const ONCE = { times: 1 };
  const STEPS: Record<string, (of: string, kind: FaultKind) => Fault | Promise<Fault>> = {
    "reading a segment": (of, kind) => breakSegments(of, "get", kind, ONCE),
    "sealing that it is cold": (of, kind) => breakSequencing(of, kind as "failed", ONCE),
    "archiving the entry that says so": (of, kind) => breakSegments(of, "put", kind, ONCE),
    "telling the cell": async (of, kind) => breakTelling((await placeOf(of)).cell, kind),
    "dropping the slot": async (of, kind) => {
      const drops = ([statements]: any[]) => JSON.stringify(statements).includes("drop table");
      return breakMethod((await placeOf(of)).cell, "batch", kind, { ...ONCE, when: drops });
    },
  };

  it.each(Object.keys(STEPS).flatMap((step) => FAULT_KINDS.map((kind) => [step, kind] as const)))(
    "at %s (%s) goes on, and does nothing twice",
    async (step, kind) => {
      const of = await org();
      const fault = await STEPS[step]?.(of, kind);
      for (let n = 0; n < 3; n++) await sweep();
      expect(fault?.hits, step).toBeGreaterThan(0);
      restoreFaults();
      await expectCold(of);
    },
  );

  it("with two sweeps and two jobs at once does everything once", async () => {
    const of = await org();
    await Promise.all([coolOrg(of), coolOrg(of)]);
    await Promise.all([sweep(), sweep()]);
    await Promise.all([sweep(), sweep()]);
    await expectCold(of);
  });
});

describe("a store that is set back after months left it", () => {
  it.each(["before they became cold", "all of it"])("gives a ledger back what is cold: %s", async (lost) => {
    const of = await org();
    const snapshot = lost === "all of it" ? null : await snapshotOf(of);
    for (let n = 0; n < 2; n++) await sweep();
    await rewindTo(of, snapshot);
    if (snapshot === null) await call("PUT", `/v1/orgs/${of}`, { body: { name: "again" } });
    await wake(of);
    await expectCold(of);
  });

  it("counts what is cold again in a cell that was made anew, and stores no row of it", async () => {
    const of = await org();
    for (let n = 0; n < 2; n++) await sweep();
    const counted = () => call("GET", `/v1/orgs/${of}/stats?group_by=day&from=2031-03-01&to=2031-07-31`);
    const before = (await counted()).json;
    const [placement] = (await readLedger(of)).placements;
    const cell = env[placement?.cell as "CELL_0"];
    const number = placement?.org_number ?? 0;
    const [low, high] = [number * 2 ** 32, (number + 1) * 2 ** 32];
    await cell.batch([
      ...SLOTS.flatMap((slot) => [
        cell.prepare(`delete from entry_${slot} where key >= ?1 and key < ?2`).bind(low, high),
        cell.prepare(`delete from term_${slot} where rowid >= ?1 and rowid < ?2`).bind(low, high),
      ]),
      ...["counter", "action_seen", "cursor", "cooled"].map((table) =>
        cell.prepare(`delete from ${table} where org_number = ?1`).bind(number),
      ),
      cell.prepare("update org_number set log = ?2 where org_number = ?1").bind(number, `lost-${placement?.log}`),
    ]);
    // The first one may meet a batch for the cell that was.
    for (let n = 0; n < 2; n++) await wake(of);
    expect((await counted()).json).toEqual(before);
    await expectCold(of);
  });
});

describe("a row in a slot of a cold month that is of another month", () => {
  it("keeps the slot, is a finding, and is mended by a repair", async () => {
    const of = await org();
    const { cell, low } = await placeOf(of);
    const index = COLD + 2;
    await cell
      .prepare(
        `insert into entry_${slotAt("2031-03")} select key, record from entry_${slotAt("2031-07")} where key = ?1`,
      )
      .bind(low + index)
      .run();
    for (let n = 0; n < 2; n++) await sweep();
    expect(await rowsOf(of, "2031-03")).toBe(2 + IN_MONTH);
    expect((await actsOf(of, "indelible.finding")).map(saysOf)).toMatchObject([
      { at: "d1", kind: "misplaced", lowest_index: index, remedy: [expect.any(String), `POST /v1/orgs/${of}/repair`] },
    ]);
    expect((await repair(of)).json.faults).toMatchObject([{ index, slot: slotAt("2031-03") }]);
    await sweep();
    await expectCold(of);
  });
});

async function bytesOf(name: string): Promise<ArrayBuffer> {
  const object = await env.ARCHIVE.get(name);
  return (await object?.arrayBuffer()) ?? new ArrayBuffer(0);
}

/** Breaks the first statement that tells a cell what is cold. */
function breakTelling(cell: D1Database, kind: FaultKind): Fault {
  let hits = 0;
  const replaced = replaceMethod(cell, "prepare", (original, [text]) => {
    const statement = original(text) as D1PreparedStatement;
    if (hits > 0 || !String(text).startsWith("insert into cooled (org_number, before) select org_number"))
      return statement;
    const run = async (bound: D1PreparedStatement) => {
      hits++;
      if (kind === "failed but stored") await bound.run();
      throw new Error("telling failed: injected by the test");
    };
    return { bind: (...values: unknown[]) => ({ run: () => run(statement.bind(...values)) }) };
  });
  return {
    get hits() {
      return hits;
    },
    restore: () => replaced.restore(),
  };
}

import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { removeStep, REMOVAL_BEGUN } from "../../src/keep/remove.ts";
import { checkLedger, later, untilProjected, wake } from "../support/check-ledger.ts";
import { call, event } from "../support/client.ts";
import {
  abort,
  breakD1,
  breakMethod,
  breakR2,
  breakSegments,
  CELLS,
  type Fault,
  FAULT_KINDS,
  type FaultKind,
  replaceMethod,
  restoreFaults,
} from "../support/faults.ts";
import { verified } from "../support/tamper.ts";
import { archivedOrg, begun, byJane, carriedOut, config } from "./support.ts";

afterEach(restoreFaults);

const EVENTS = [event(1), byJane(2), event(3), byJane(4), event(5)];
const LIST = new Map([
  [2, ["actor", "actor/detail"]],
  [4, ["actor", "actor/detail", "note"]],
]);
const GONE = [[], [], LIST.get(2), [], LIST.get(4), []];

const isSegment = ([key]: unknown[]) => String(Array.isArray(key) ? key[0] : key).startsWith("seg/");
const rewrites = ([statements]: any[]) =>
  (statements as { statement?: string }[]).some(({ statement }) => statement?.includes("update entry_"));

/** Each call of a store that a removal makes, once. */
const STEPS: Record<string, (org: string, kind: FaultKind) => Fault[]> = {
  "the list is read": (_org, kind) => [
    breakMethod(env.ARCHIVE, "get", kind, { times: 1, when: ([key]) => String(key).includes("/absences/") }),
  ],
  "the segment is read": (org, kind) => [breakSegments(org, "get", kind, { times: 1 })],
  "its head MAC is read": (_org, kind) => [breakMethod(env.ARCHIVE, "head", kind, { times: 1, when: isSegment })],
  "the segment is put": (org, kind) => [breakSegments(org, "put", kind, { times: 1 })],
  "the old segment is deleted": (_org, kind) => [
    breakMethod(env.ARCHIVE, "delete", kind, { times: 1, when: isSegment }),
  ],
  "segments are listed": (org, kind) => [breakSegments(org, "list", kind, { times: 1 })],
  "rows are changed": (_org, kind) =>
    CELLS.map((cell) => breakMethod(cell, "batch", kind, { times: 1, when: rewrites })),
  "the index is merged": (_org, kind) =>
    CELLS.map((cell) => {
      let met = false;
      return replaceMethod(cell, "prepare", (original, [sql]) => {
        const statement = original(sql);
        if (met || !String(sql).includes("'merge'")) return statement;
        met = true;
        return {
          bind: (...values: unknown[]) => ({
            run: async () => {
              if (kind === "failed but stored") await statement.bind(...values).run();
              throw new Error("run failed: injected by the test");
            },
          }),
        };
      });
    }),
};
const CASES = Object.keys(STEPS).flatMap((step) => FAULT_KINDS.map((kind) => ({ step, kind })));

async function expectRemoved(org: string): Promise<void> {
  const { entries, ledger, objects } = await later(60_000, () => checkLedger(org, { archived: true }));
  expect(entries.slice(0, 6).map(({ gone }) => gone)).toEqual(GONE);
  expect(objects).toEqual(ledger.segments.map(({ name }) => name));
  expect(await verified(org)).toMatchObject({ ok: true, breaks: [] });
}

describe("a removal that is interrupted", () => {
  it.each(CASES)("because $step, $kind, goes on", async ({ step, kind }) => {
    const org = await archivedOrg(EVENTS, "fault");
    const removal = await begun(org, LIST);
    const faults = STEPS[step]?.(org, kind) ?? [];
    await carriedOut(org, removal, { failures: 2 });
    expect(faults.reduce((sum, { hits }) => sum + hits, 0)).toBeGreaterThan(0);
    restoreFaults();
    await expectRemoved(org);
  });

  it("because nobody saved how far it was, begins again", async () => {
    const org = await archivedOrg(EVENTS, "fault");
    const removal = await begun(org, LIST);
    const holds = async () => ({ version: 0, covers: () => false });
    for (let n = 0; n < 3; n++) await removeStep(config, org, { removal, progress: REMOVAL_BEGUN, holds });
    await carriedOut(org, removal);
    await expectRemoved(org);
  });

  it.each(["before the ledger's word", "after the ledger's word"])(
    "because its ledger dies %s, goes on",
    async (when) => {
      const org = await archivedOrg(EVENTS, "fault");
      const removal = await begun(org, LIST);
      let died = false;
      const method = when.startsWith("before") ? "put" : "delete";
      replaceMethod(env.ARCHIVE, method, async (original, args) => {
        if (died || !isSegment(args)) return original(...args);
        died = true;
        await original(...args);
        await abort(org);
        throw new Error("killed with the ledger");
      });
      await carriedOut(org, removal, { failures: 2 });
      expect(died).toBe(true);
      restoreFaults();
      await expectRemoved(org);
    },
  );

  it.each([
    ["D1", breakD1],
    ["R2", breakR2],
  ])("because %s is down, has taken nothing that cannot be proven, and goes on", async (_store, down) => {
    const org = await archivedOrg(EVENTS, "fault");
    const removal = await begun(org, LIST);
    down();
    await expect(carriedOut(org, removal)).rejects.toThrow();
    restoreFaults();
    await wake(org);
    expect(await verified(org)).toMatchObject({ ok: true, breaks: [] });
    await carriedOut(org, removal);
    await expectRemoved(org);
  });

  it("by a rebuild of D1 that read its lines before, looks again until they are right", async () => {
    const org = await archivedOrg(EVENTS, "fault");
    const removal = await begun(org, LIST);
    // The rebuild has its old lines in hand when the segment is written anew, and projects them afterwards.
    const gate = Promise.withResolvers<void>();
    let held = false;
    const faults = CELLS.map((cell) =>
      replaceMethod(cell, "batch", async (original, args) => {
        const anew = args[0].some(
          ({ statement, params }: { statement?: string; params?: unknown[] }) =>
            statement?.includes("head_mac = ?5") && params?.[1] === 0,
        );
        if (anew && !held) {
          held = true;
          await gate.promise;
        }
        return original(...args);
      }),
    );
    const rebuilt = call("POST", `/v1/orgs/${org}/rebuild`);
    await expect.poll(() => held, { timeout: 20_000 }).toBe(true);
    const holds = async () => ({ version: 0, covers: () => false });
    const step = await removeStep(config, org, { removal, progress: REMOVAL_BEGUN, holds });
    expect(step).toMatchObject({ progress: { at: "entries", changed: true, from: 0 }, wait_ms: 2_000 });
    gate.resolve();
    expect((await rebuilt).status).toBe(202);
    for (const fault of faults) fault.restore();
    await untilProjected(org);
    await carriedOut(org, removal);
    await expectRemoved(org);
  });

  it("by a repair waits for it, for a line it has read may come back", async () => {
    const org = await archivedOrg(EVENTS, "fault");
    const removal = await begun(org, LIST);
    const ledger = env.ORG_LEDGER.getByName(org);
    expect(await ledger.leaseVerify(org, "a repair", "take")).toMatchObject({ ok: true });
    const holds = async () => ({ version: 0, covers: () => false });
    const step = await removeStep(config, org, { removal, progress: REMOVAL_BEGUN, holds });
    expect(step).toEqual({ progress: REMOVAL_BEGUN, wait_ms: 2_000, waiting: expect.stringContaining("a repair") });
    await ledger.leaseVerify(org, "a repair", "release");
    await carriedOut(org, removal);
    await expectRemoved(org);
  });
});

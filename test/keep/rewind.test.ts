import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { deleteSegments, headMacOf, putSegment, readSegment, segmentsOver } from "../../src/archive/segment.ts";
import type { EntryRecord } from "../../src/chain/record.ts";
import { redactLine } from "../../src/chain/redact.ts";
import { append, batchOf } from "../support/append.ts";
import { archiveDue, checkLedger, later, statusOf, untilProjected, wake } from "../support/check-ledger.ts";
import { call, createOrg, event } from "../support/client.ts";
import { breakMethod, breakProjection, dropArchived, restoreFaults } from "../support/faults.ts";
import { linesOf } from "../support/owner.ts";
import { rewindTo, snapshotOf } from "../support/rewind.ts";
import { verified } from "../support/tamper.ts";
import { begun, byJane, carriedOut, JANE } from "./support.ts";

afterEach(restoreFaults);

const EVENTS = [event(1), byJane(2), event(3), byJane(4), event(5)];
const LIST = new Map([
  [2, ["actor", "actor/detail"]],
  [4, ["actor", "actor/detail", "note"]],
]);

/** Everything the ledger and R2 hold, as one text. */
async function holding(org: string): Promise<string> {
  const { entries } = await checkLedger(org, { archived: true });
  const rows = await snapshotOf(org);
  return JSON.stringify([entries.map(({ line }) => line), rows["staged"], rows["segment"], rows["id_receipt"]]);
}

async function archived(org: string): Promise<void> {
  await untilProjected(org);
  await archiveDue(org);
}

describe("a ledger that was rewound to before a removal", () => {
  it.each([
    ["its segments were named", true, false],
    ["its segments were named, and nothing was staged any more", true, true],
    ["its entries were staged alone", false, false],
  ])("when %s has nothing again of what went", async (_when, named, dropped) => {
    const org = await createOrg("rewound");
    await append(org, batchOf(EVENTS));
    await untilProjected(org);
    if (named) await archiveDue(org);
    if (dropped) await dropArchived(org);
    const snapshot = await snapshotOf(org);
    await archived(org);
    await carriedOut(org, await begun(org, LIST));
    await append(org, batchOf([event(6)]));
    await archived(org);

    await rewindTo(org, snapshot);
    await append(org, batchOf([event(7)]));
    const held = await holding(org);
    for (const gone of [JANE.name, '"jane-4"']) expect(held).not.toContain(gone);
    expect(held).toContain('"jane-2"');
    expect(await verified(org)).toMatchObject({ ok: true, breaks: [] });
    const rebuilt = await call("POST", `/v1/orgs/${org}/rebuild`);
    expect(rebuilt.status, rebuilt.text).toBe(202);
    await untilProjected(org);
    const { entries } = await checkLedger(org);
    expect(entries.slice(0, 6).map(({ gone }) => gone)).toEqual([[], [], LIST.get(2), [], LIST.get(4), []]);
  });

  it("finds the cause in R2, though D1 had taken nothing since", async () => {
    const org = await createOrg("rewound");
    await append(org, batchOf(EVENTS));
    await archived(org);
    const snapshot = await snapshotOf(org);
    const down = breakProjection(org, "failed");
    await carriedOut(org, await begun(org, LIST));
    await rewindTo(org, snapshot);
    down.restore();
    await append(org, batchOf([event(7)]));
    await later(60_000, () => wake(org));
    await untilProjected(org);
    expect(await verified(org)).toMatchObject({ ok: true, breaks: [] });
    expect(await holding(org)).not.toContain(JANE.name);
  });

  it.each(["staged", "archived alone"])(
    "has none of it again either where its cause is the last entry, and it was %s",
    async (where) => {
      const org = await createOrg("rewound");
      await append(org, batchOf(EVENTS));
      await archived(org);
      const removal = await begun(org, LIST);
      await archived(org);
      if (where !== "staged") await dropArchived(org);
      const snapshot = await snapshotOf(org);
      await carriedOut(org, removal);
      await rewindTo(org, snapshot);
      const held = await holding(org);
      for (const gone of [JANE.name, '"jane-4"']) expect(held).not.toContain(gone);
      expect(await verified(org)).toMatchObject({ ok: true, breaks: [] });
      await carriedOut(org, removal);
      expect((await snapshotOf(org))["removal"]).toEqual([]);
    },
  );

  it("takes of two segments of the same entries the one that was written anew", async () => {
    const org = await createOrg("both");
    await append(org, batchOf([event(0)]));
    await archived(org);
    const snapshot = await snapshotOf(org);
    await append(org, batchOf(EVENTS));
    await archived(org);
    const list = new Map([...LIST].map(([index, sections]) => [index + 1, sections]));
    const removal = await begun(org, list);
    breakMethod(env.ARCHIVE, "delete", "failed", { when: ([keys]) => String(keys).startsWith("seg/") });
    await expect(carriedOut(org, removal)).rejects.toThrow("injected");
    restoreFaults();
    await rewindTo(org, snapshot);
    await append(org, batchOf([event(7)]));
    await archived(org);
    expect(JSON.stringify(await linesOf(org))).not.toContain(JANE.name);
    await carriedOut(org, removal);
    expect(await holding(org)).not.toContain(JANE.name);
    expect(await verified(org)).toMatchObject({ ok: true, breaks: [] });
  });

  it("keeps what a segment in R2 lacks without a cause that names it", async () => {
    const org = await createOrg("untold");
    await append(org, batchOf(EVENTS));
    await untilProjected(org);
    const snapshot = await snapshotOf(org);
    await archived(org);
    const removal = await begun(org, new Map([[4, ["note"]]]));
    await carriedOut(org, removal);
    await append(org, batchOf([event(6)]));
    await archived(org);
    // Who can write R2 takes the note of another entry, in the name of the same cause.
    const { log } = await statusOf(org);
    const [segment] = await segmentsOver(env.ARCHIVE, log, { from: 0, to: 1 });
    if (segment === undefined) throw new Error("a segment");
    const lines = await readSegment(env.ARCHIVE, segment);
    lines[2] = redactLine(lines[2] ?? "", ["note"], { cause: "erased", by: removal.by });
    await putSegment(env.ARCHIVE, { log, first: 0, lines, headMac: await headMacOf(env.ARCHIVE, segment) });
    await deleteSegments(env.ARCHIVE, [segment]);
    await rewindTo(org, snapshot);
    await append(org, batchOf([event(7)]));
    const absent = (await linesOf(org)).map((line) =>
      (JSON.parse(line) as EntryRecord).absent?.map(({ section }) => section),
    );
    expect(absent.slice(0, 6)).toEqual([undefined, undefined, undefined, undefined, ["note"], undefined]);
  });
});

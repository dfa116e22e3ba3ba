import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { RETAKE_MAX_LISTS, SEGMENT_MAX_ENTRIES } from "../../src/limits.ts";
import { append, batchOf } from "../support/append.ts";
import { later, statusOf, wake } from "../support/check-ledger.ts";
import { call, createOrg, event } from "../support/client.ts";
import { dropArchived, evict, replaceMethod, restoreFaults } from "../support/faults.ts";
import { linesOf } from "../support/owner.ts";
import { rewindTo, snapshotOf } from "../support/rewind.ts";
import { strand } from "../support/strand.ts";
import { verified } from "../support/tamper.ts";
import { archived } from "./erasure-support.ts";
import { begun, byJane, carriedOut, JANE } from "./support.ts";

afterEach(restoreFaults);

describe("a ledger that starts while a removal is under way", () => {
  /** What R2 was asked to list of an org's segments while `act` ran: the names it was to begin after. */
  async function listedDuring(org: string, act: () => Promise<unknown>): Promise<string[]> {
    const asked: string[] = [];
    const watched = replaceMethod(env.ARCHIVE, "list", (original, args) => {
      const [{ prefix, startAfter = "" }] = args;
      if (prefix.startsWith("seg/") && prefix.includes(`/orgs/${org}/`)) asked.push(startAfter.slice(prefix.length));
      return original(...args);
    });
    await act();
    watched.restore();
    return asked;
  }

  async function kept(org: string): Promise<string> {
    const { staged, segment, id_receipt } = await snapshotOf(org);
    return JSON.stringify([await linesOf(org), staged, segment, id_receipt]);
  }

  /** An org whose entries are all in segments; Jane's has `far` others before it. */
  async function longOrg(far: number): Promise<{ org: string; at: number }> {
    const org = await createOrg("ranges");
    for (let n = 0; n < far; n += 500) {
      await append(org, batchOf(Array.from({ length: Math.min(500, far - n) }, () => event(n))));
    }
    await archived(org);
    await append(org, batchOf([byJane(far), event(1), event(2)]));
    await archived(org);
    await dropArchived(org);
    return { org, at: far + 1 };
  }

  it("lists the segments around what its list names, all of them where R2 has lost the list, and finds what went", async () => {
    const { org, at } = await longOrg(SEGMENT_MAX_ENTRIES + 20);
    const removal = await begun(org, new Map([[at, ["actor", "actor/detail"]]]));
    await archived(org);
    await dropArchived(org);
    const snapshot = await snapshotOf(org);
    await carriedOut(org, removal);
    await rewindTo(org, snapshot);
    const asked = await listedDuring(org, () => wake(org));
    // What is past the end is asked for at every start.
    expect(asked.slice(1)).toEqual([String(at - SEGMENT_MAX_ENTRIES + 1).padStart(10, "0")]);
    expect(await kept(org)).not.toContain(JANE.name);
    expect(await verified(org)).toMatchObject({ ok: true, breaks: [] });
    const { log } = await statusOf(org);
    await env.ARCHIVE.delete(`tree/${log}/absences/${removal.list}`);
    await rewindTo(org, snapshot);
    const everywhere = await listedDuring(org, () => wake(org));
    expect(everywhere).toContain("0000000000");
    expect(await kept(org)).not.toContain(JANE.name);
  });

  it("looks everywhere where too many lists would have to be read", async () => {
    const { org, at } = await longOrg(2);
    const removal = await begun(org, new Map([[at, ["actor", "actor/detail"]]]));
    await archived(org);
    await dropArchived(org);
    const snapshot = await snapshotOf(org);
    const [row] = snapshot["removal"] ?? [];
    const more = Array.from({ length: RETAKE_MAX_LISTS }, (_, n) => ({
      ...row,
      by: 100 + n,
      list: `${n}`.padStart(64, "0"),
    }));
    await carriedOut(org, removal);
    await rewindTo(org, { ...snapshot, removal: [row, ...more] as (typeof snapshot)["removal"] });
    const read: string[] = [];
    replaceMethod(env.ARCHIVE, "get", (original, args) => {
      if (String(args[0]).includes(`/orgs/${org}/absences/`)) read.push(args[0]);
      return original(...args);
    });
    await wake(org);
    expect(read).toEqual([]);
    expect(await kept(org)).not.toContain(JANE.name);
  });

  it("looks for nothing where only entries of an earlier log go", async () => {
    const { org } = await longOrg(2);
    await strand(org);
    const continued = await call("POST", `/v1/orgs/${org}/continue`, { body: { reason: "an entry is gone" } });
    expect(continued.status, continued.text).toBe(201);
    await archived(org);
    await begun(org, new Map([[2, ["actor"]]]), { log: 1 });
    await archived(org);
    await rewindTo(org, await snapshotOf(org));
    expect(await listedDuring(org, () => wake(org))).toHaveLength(1);
  });

  it("finds what a removal took that stood still for days before the moment it was set back to", async () => {
    const { org, at } = await longOrg(2);
    const removal = await begun(org, new Map([[at, ["actor", "actor/detail"]]]));
    await archived(org);
    await dropArchived(org);
    await evict(org);
    await later(3 * 86_400_000, () => wake(org));
    const snapshot = await snapshotOf(org);
    expect(snapshot["removal"]).toHaveLength(1);
    await carriedOut(org, removal);
    await rewindTo(org, snapshot);
    await wake(org);
    expect(await kept(org)).not.toContain(JANE.name);
  });

  it("knows of removals that it was rolled forward over, as long as something may go by them", async () => {
    const org = await createOrg("twice");
    await append(org, batchOf([event(1), byJane(2)]));
    await archived(org);
    const snapshot = await snapshotOf(org);
    const removal = await begun(org, new Map([[2, ["actor", "actor/detail"]]]));
    await rewindTo(org, snapshot);
    await wake(org);
    const again = await snapshotOf(org);
    expect(again["removal"]).toMatchObject([{ by: removal.by, log: 1, list: removal.list }]);
    await carriedOut(org, removal);
    await archived(org);
    await rewindTo(org, again);
    await wake(org);
    expect(await kept(org)).not.toContain(JANE.name);
  });
});

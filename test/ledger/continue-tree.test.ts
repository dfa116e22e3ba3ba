import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { append, batchOf, refusalOf } from "../support/append.ts";
import { archiveDue, later, untilProjected, wake } from "../support/check-ledger.ts";
import { readLedger, SLOTS } from "../support/check/read-stores.ts";
import { call, createOrg, event } from "../support/client.ts";
import { restoreFaults } from "../support/faults.ts";
import { rewindTo, snapshotOf } from "../support/rewind.ts";

afterEach(restoreFaults);

const proceed = (org: string) => call("POST", `/v1/orgs/${org}/continue`, { body: { reason: "an entry is gone" } });

/** Takes an entry of the first segment out of every store. */
async function lose(org: string, index: number): Promise<void> {
  const { segments, placements } = await readLedger(org);
  await env.ARCHIVE.delete(segments.find(({ first }) => first === 0)?.name ?? "");
  const [placement] = placements;
  const cell = env[placement?.cell as "CELL_0"];
  for (const slot of SLOTS) {
    const statement = cell.prepare(`delete from entry_${slot} where key = ?1`);
    await statement.bind((placement?.org_number ?? 0) * 2 ** 32 + index).run();
  }
}

describe("the tree of a log that was continued", () => {
  /** A segment in the middle that no store has any more: what comes after it, and its tree, are still there. */
  async function torn() {
    const org = await createOrg("torn");
    const snapshot = await snapshotOf(org);
    for (let n = 0; n < 3; n++) {
      await append(org, batchOf([event(n, { id: `a-${n}` }), event(10 + n)]));
      await untilProjected(org);
      await archiveDue(org);
    }
    await later(61_000, () => wake(org));
    await lose(org, 1);
    return { org, snapshot };
  }

  it("serves the tree of the old log under its own URL, and that of the new one under its number", async () => {
    const { org, snapshot } = await torn();
    const get = async (path: string) => call("GET", `/v1/orgs/${org}/${path}`);
    const [checkpoint, bundle] = [await get("checkpoint"), await get("tile/entries/000.p/7")];
    const edge = await get("tile/0/000.p/7");
    expect(checkpoint.text.split("\n")[1]).toBe("7");
    await rewindTo(org, snapshot);
    expect((await refusalOf(org))?.detail).toContain("entry 1 is in no store");
    expect((await proceed(org)).status).toBe(201);
    for (const log of ["", "1/"]) {
      expect((await get(`${log}checkpoint`)).text).toBe(checkpoint.text);
      // The leaf that is lost took the open tile's bundle with it, and so its top.
      expect((await get(`${log}tile/0/000.p/7`)).status).toBe(404);
    }
    expect([edge.status, bundle.status]).toEqual([200, 200]);
    const gone = await get("events/a-2/proof");
    expect([gone.status, gone.json.detail]).toEqual([422, expect.stringContaining("the top of its tree is lost")]);
    expect((await get("2/checkpoint?min_size=1")).text.split("\n").slice(0, 2)).toEqual([
      `${checkpoint.text.split("\n")[0]}/2`,
      "1",
    ]);
    expect((await get("2/events/0/proof")).status).toBe(200);
    expect((await get("events/0/proof")).text).toBe((await get("2/events/0/proof")).text);
    expect((await get("3/checkpoint")).status).toBe(404);
  });

  it("goes on to prove the old log's entries where the leaves under its open tile are still there", async () => {
    const org = await createOrg("prove");
    const snapshot = await snapshotOf(org);
    for (let n = 0; n < 3; n++) {
      await append(org, batchOf(Array.from({ length: 100 }, (_, at) => event(at, { id: `a-${n}-${at}` }))));
      await untilProjected(org);
      await archiveDue(org);
    }
    await later(61_000, () => wake(org));
    const get = async (path: string) => call("GET", `/v1/orgs/${org}/${path}`);
    const paths = ["checkpoint", "tile/0/000", "tile/0/001.p/45", "tile/1/000.p/1", "tile/entries/001.p/45"];
    const before = await Promise.all(paths.map(get));
    await lose(org, 9);
    await rewindTo(org, snapshot);
    expect((await proceed(org)).status).toBe(201);
    const after = await Promise.all(paths.map(get));
    expect(after.map(({ status, text }) => [status, text])).toEqual(before.map(({ text }) => [200, text]));
    const proof = await get("events/a-2-50/proof");
    expect([proof.status, proof.text.split("\n")[0]]).toEqual([200, "c2sp.org/tlog-proof@v1"]);
  });
});

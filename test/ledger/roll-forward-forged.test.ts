import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { refusalOf } from "../support/append.ts";
import { archiveDue, checkLedger, statusOf } from "../support/check-ledger.ts";
import { readLedger } from "../support/check/read-stores.ts";
import { restoreFaults } from "../support/faults.ts";
import { lostOrg, placementOf, restored } from "../support/lost-org.ts";
import { rewindTo } from "../support/rewind.ts";
import { setBack } from "../support/set-back.ts";

afterEach(restoreFaults);

/**
 * Entries past the head of a ledger continue its chain exactly, and still are not taken over: who has read a log can
 * continue it. So the true entries serve as forged ones, as soon as the ledger's word for them is gone.
 */
describe("entries past the head that the ledger left no word for", () => {
  const segmentAt = async (org: string, index: number) =>
    (await readLedger(org)).segments.find(({ first }) => first === index)?.name ?? "";

  /** Stores the object anew, as somebody could who owns the bucket. */
  async function storeAgain(name: string, customMetadata: Record<string, string>): Promise<void> {
    const body = await (await env.ARCHIVE.get(name))?.arrayBuffer();
    await env.ARCHIVE.put(name, body ?? new ArrayBuffer(0), { customMetadata });
  }

  const fenceOf = async (org: string) => {
    const { cell, org_number } = await placementOf(org);
    const read = cell.prepare("select head_mac from cursor where org_number = ?1").bind(org_number);
    const write = (mac: string | null) =>
      cell.prepare("update cursor set head_mac = ?2 where org_number = ?1").bind(org_number, mac).run();
    return { mac: (await read.first<string>("head_mac")) ?? "", write, cell, org_number };
  };

  it("are refused in R2, and named", async () => {
    for (const mac of [null, "", "x".repeat(43)]) {
      const { org, snapshot } = await lostOrg();
      const name = await segmentAt(org, 3);
      const { cell, org_number } = await fenceOf(org);
      await setBack(cell, { org_number, to: 3 });
      await storeAgain(name, mac === null ? {} : { "head-mac": mac });
      await rewindTo(org, snapshot);
      expect((await refusalOf(org))?.detail).toContain(
        "up to size 7; R2 holds a newer checkpoint, of size 7. It cannot be rolled forward: " +
          "entries 3 to 6 in R2 are not vouched for under LOG_SIGNING_KEY: others wrote them, or it was changed.",
      );
      expect(await statusOf(org)).toMatchObject({ size: 3, ingestion: "overloaded" });
    }
  });

  it("are refused under the word for another size, or of another log", async () => {
    const other = await lostOrg();
    const theirs = (await env.ARCHIVE.head(await segmentAt(other.org, 3)))?.customMetadata ?? {};
    const { org, snapshot } = await lostOrg();
    const { mac, cell, org_number } = await fenceOf(org);
    await setBack(cell, { org_number, to: 3 });
    const name = await segmentAt(org, 3);
    const own = (await env.ARCHIVE.head(name))?.customMetadata ?? {};
    expect(own["head-mac"]).toMatch(/^[A-Za-z0-9_-]{43}$/);
    for (const metadata of [theirs, { "head-mac": mac }]) {
      await storeAgain(name, metadata);
      await rewindTo(org, snapshot);
      expect((await refusalOf(org))?.detail).toContain("entries 3 to 6 in R2 are not vouched for");
    }
    await storeAgain(name, own);
    expect(await refusalOf(org)).toBe(null);
    const { entries } = await checkLedger(org, { archived: true });
    expect(restored(entries[7]).sources).toEqual([{ store: "R2", from: 3, to: 6 }]);
  });

  it("are refused in D1, and taken over as soon as its fence says the word again", async () => {
    const { org, snapshot } = await lostOrg();
    const { mac, write } = await fenceOf(org);
    await rewindTo(org, snapshot);
    for (const forged of [null, "x".repeat(43), mac.slice(1)]) {
      await write(forged);
      expect((await refusalOf(org))?.detail).toContain(
        "entries 7 to 8 in D1 are not vouched for under LOG_SIGNING_KEY",
      );
      expect(await statusOf(org)).toMatchObject({ size: 7, ingestion: "overloaded" });
    }
    await write(mac);
    expect(await refusalOf(org)).toBe(null);
    const { entries } = await checkLedger(org, { archived: true });
    expect(restored(entries[9])).toMatchObject({ from_size: 3, to_size: 9 });
  });

  it("do not fill the place of a segment that is gone, unless the next one is vouched for", async () => {
    const { org, snapshot } = await lostOrg();
    await archiveDue(org);
    const [gone, next] = [await segmentAt(org, 3), await segmentAt(org, 7)];
    const { mac, write } = await fenceOf(org);
    const own = (await env.ARCHIVE.head(next))?.customMetadata ?? {};
    await env.ARCHIVE.delete(gone);
    await write(null);
    await storeAgain(next, {});
    await rewindTo(org, snapshot);
    expect((await refusalOf(org))?.detail).toContain("entries 7 to 8 in R2 are not vouched for");
    expect(await statusOf(org)).toMatchObject({ size: 3 });
    await storeAgain(next, own);
    expect(await refusalOf(org)).toBe(null);
    await write(mac);
    const { entries } = await checkLedger(org, { archived: true });
    expect(restored(entries[9]).sources).toEqual([
      { store: "D1", from: 3, to: 6 },
      { store: "R2", from: 7, to: 8 },
    ]);
  });
});

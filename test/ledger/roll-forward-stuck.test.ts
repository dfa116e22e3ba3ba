import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { sealEntry } from "../../src/chain/seal.ts";
import { sha256 } from "../../src/sha256.ts";
import { append, batchOf, refusalOf } from "../support/append.ts";
import { archiveDue, checkLedger, statusOf, wake } from "../support/check-ledger.ts";
import { readLedger, SLOTS } from "../support/check/read-stores.ts";
import { event } from "../support/client.ts";
import { breakMethod, evict, restoreFaults } from "../support/faults.ts";
import { lostOrg, placementOf, restored } from "../support/lost-org.ts";
import { rewindTo } from "../support/rewind.ts";
import { setBack } from "../support/set-back.ts";

afterEach(restoreFaults);

describe("a rewound ledger that cannot be rolled forward", () => {
  const detailOf = async (org: string) => (await refusalOf(org))?.detail;

  /** Both stores as they are; `spoil` edits one of them. Answers what appends are told. */
  async function spoiled(spoil: (org: string) => Promise<void>): Promise<{ org: string; detail: string | undefined }> {
    const { org, snapshot } = await lostOrg();
    await spoil(org);
    await rewindTo(org, snapshot);
    return { org, detail: await detailOf(org) };
  }

  const rowOf = async (org: string, index: number) => {
    const { cell, org_number } = await placementOf(org);
    for (const slot of SLOTS) {
      const key = org_number * 2 ** 32 + index;
      const statement = cell.prepare(`select record from entry_${slot} where key = ?1`).bind(key);
      const record = await statement.first<string>("record");
      if (record !== null) return { cell, slot, key, record };
    }
    throw new Error(`no row ${index}`);
  };
  const writeRow = async (org: string, index: number, edit: (record: string) => string) => {
    const { cell, slot, key, record } = await rowOf(org, index);
    await cell.prepare(`update entry_${slot} set record = ?2 where key = ?1`).bind(key, edit(record)).run();
  };

  it("says which sizes are lost when a segment is gone and D1 has no more", async () => {
    const { org, detail } = await spoiled(async (name) => {
      await archiveDue(name);
      const { segments } = await readLedger(name);
      await env.ARCHIVE.delete(segments.find(({ first }) => first === 3)?.name ?? "");
      const { cell, org_number } = await placementOf(name);
      await setBack(cell, { org_number, to: 2 });
    });
    expect(detail).toBe(
      "The ledger was rewound to size 3: R2 holds newer entries, up to size 9; R2 holds a newer checkpoint, of size 9. " +
        "It cannot be rolled forward: entries 3 to 6 are in no store. An operator has to bring back what is missing, or to begin a new log with a reason: POST /v1/orgs/{org}/continue.",
    );
    expect(await statusOf(org)).toMatchObject({ size: 3, ingestion: "overloaded", refusal: detail });
    expect((await checkLedger(org, { projected: false }).catch((error) => error)).message).toContain("nowhere");
  });

  it("has from D1 what a segment that is gone or damaged held", async () => {
    for (const edit of ["delete", "put"] as const) {
      const { org, snapshot } = await lostOrg();
      await archiveDue(org);
      const { segments } = await readLedger(org);
      const name = segments.find(({ first }) => first === 3)?.name ?? "";
      await (edit === "delete" ? env.ARCHIVE.delete(name) : env.ARCHIVE.put(name, "junk\n"));
      await rewindTo(org, snapshot);
      await wake(org);
      await env.ARCHIVE.delete(name);
      const { entries } = await checkLedger(org, { archived: true });
      expect(restored(entries[9]).sources).toEqual([
        { store: "D1", from: 3, to: 6 },
        { store: "R2", from: 7, to: 8 },
      ]);
    }
  });

  it.each([
    [
      "a changed section",
      (record: string) => record.replace("u_0", "u_9"),
      "entry 7 in D1: its sections do not open its leaf",
    ],
    [
      "a changed leaf",
      (record: string) => record.replace('\\"v\\":1', '\\"v\\": 1'),
      "entry 7 in D1: it is not written",
    ],
    [
      "another log's leaf",
      (record: string) => record.replaceAll("/orgs/lost", "/orgs/lots"),
      "entry 7 in D1: its leaf names another log",
    ],
    ["junk", () => "{}", "entry 7 in D1: it holds no leaf"],
  ])("takes over nothing from D1 past %s", async (_, edit, why) => {
    const { org, detail } = await spoiled((name) => writeRow(name, 7, edit));
    expect(detail).toContain(`up to size 9. It cannot be rolled forward: ${why}`);
    expect(await statusOf(org)).toMatchObject({ size: 7 });
  });

  it("names an entry of D1 that is gone, and goes on once it is there again", async () => {
    const { org, snapshot } = await lostOrg();
    const { cell, slot, key, record } = await rowOf(org, 8);
    await cell.prepare(`delete from entry_${slot} where key = ?1`).bind(key).run();
    await rewindTo(org, snapshot);
    expect(await detailOf(org)).toContain("entry 8 is in no store");
    await cell.prepare(`insert into entry_${slot} (key, record) values (?1, ?2)`).bind(key, record).run();
    expect(await refusalOf(org)).toBe(null);
    const { entries } = await checkLedger(org);
    expect(restored(entries[9])).toMatchObject({ from_size: 3, to_size: 9 });
  });

  it("does not choose between two entries of D1 that both continue the chain", async () => {
    const { org, snapshot } = await lostOrg();
    const { entries, ledger } = await checkLedger(org);
    const { cell, slot, key } = await rowOf(org, 8);
    const forged = sealEntry(sha256, {
      log: ledger.org.log,
      index: 8,
      prev: entries[7]?.hash ?? "",
      category: "general",
      keep_until: "forever",
      sequenced_at: entries[8]?.sequencedAt ?? "",
      source: "client",
      sections: [{ name: "event", text: entries[8]?.sections["event"]?.text ?? "" }],
      salts: new Uint8Array(16),
    });
    const other = SLOTS.find((one) => one !== slot);
    await cell.prepare(`insert into entry_${other} (key, record) values (?1, ?2)`).bind(key, forged.line).run();
    await rewindTo(org, snapshot);
    expect(await detailOf(org)).toContain("D1 holds two entries 8 that both continue the chain");
    await cell.prepare(`delete from entry_${other} where key = ?1`).bind(key).run();
    expect(await refusalOf(org)).toBe(null);
    await checkLedger(org);
  });

  it("refuses when it has sealed other entries since: the histories differ", async () => {
    const { org, snapshot } = await lostOrg({ archived: false });
    await archiveDue(org);
    await rewindTo(org, snapshot);
    const list = breakMethod(env.ARCHIVE, "list", "failed");
    const { cell, org_number } = await placementOf(org);
    await cell.prepare("update cursor set next = 3 where org_number = ?1").bind(org_number).run();
    await append(org, batchOf([event(70)]));
    list.restore();
    await evict(org);
    expect(await detailOf(org)).toContain("entry 3 in R2 is another one than the ledger's own");
    expect(await statusOf(org)).toMatchObject({ size: 4 });
  });
});

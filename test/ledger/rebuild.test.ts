import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { append, batchOf, ROOT } from "../support/append.ts";
import { archiveDue, checkLedger, statusOf, untilProjected, wake } from "../support/check-ledger.ts";
import { type CellContent, readCell, readLedger, SLOTS } from "../support/check/read-stores.ts";
import { call, createOrg, event } from "../support/client.ts";
import {
  abort,
  breakD1,
  breakMethod,
  CELLS,
  dropArchived,
  evict,
  type FaultKind,
  restoreFaults,
} from "../support/faults.ts";
import { setBack } from "../support/set-back.ts";

afterEach(restoreFaults);

/** An org with entries in segments and staged ones: 8 and 3. */
async function filledOrg(): Promise<string> {
  const org = await createOrg("rebuild");
  const targets = [{ type: "document", id: "d_1", metadata: { a: 1.5 } }];
  await append(
    org,
    batchOf(Array.from({ length: 7 }, (_, n) => event(n, { id: `r-${n}`, targets, category: "login" }))),
  );
  await archiveDue(org);
  await dropArchived(org);
  await append(org, batchOf([event(7), event(8), event(9)]));
  await untilProjected(org);
  return org;
}

async function contentOf(org: string): Promise<CellContent> {
  const [placement] = (await readLedger(org)).placements;
  return readCell(env[placement?.cell as "CELL_0"], placement?.org_number ?? -1);
}

function rebuild(org: string) {
  return call("POST", `/v1/orgs/${org}/rebuild`);
}

/** Deletions of `emptyRange`, of whatever org: no other test runs beside this one. */
const deletes = ([statements]: any[]) => JSON.stringify(statements).includes("delete from entry_");

function breakEmptying(kind: FaultKind) {
  return CELLS.map((cell) => breakMethod(cell, "batch", kind, { times: 1, when: deletes }));
}

describe("rebuild", () => {
  it("empties an org's rows in D1 and makes the same ones anew", async () => {
    const org = await filledOrg();
    const before = await contentOf(org);
    const answer = await rebuild(org);
    expect(answer.status, answer.text).toBe(202);
    await untilProjected(org);
    const after = await contentOf(org);
    // The rebuilding is an entry of its own.
    expect(after.rows.length).toBe(before.rows.length + 1);
    expect(after.rows.slice(0, -1)).toEqual(before.rows);
    expect(after.tokens.slice(0, -1)).toEqual(before.tokens);
    for (const [counter, count] of Object.entries(before.counters)) expect(after.counters[counter]).toBe(count);
    const { entries } = await checkLedger(org, { archived: true });
    expect(entries.at(-1)).toMatchObject({ action: "indelible.projection.rebuilt", source: "service" });
  });

  it("is harmless to repeat, one right after the other and both at once", async () => {
    const org = await filledOrg();
    const before = await contentOf(org);
    expect((await rebuild(org)).status).toBe(202);
    for (const answer of await Promise.all([rebuild(org), rebuild(org)])) expect(answer.status, answer.text).toBe(202);
    await untilProjected(org);
    expect((await contentOf(org)).rows.slice(0, before.rows.length)).toEqual(before.rows);
    const { entries } = await checkLedger(org, { archived: true });
    expect(entries.slice(before.rows.length).map(({ action }) => action)).toEqual(
      Array.from({ length: 3 }, () => "indelible.projection.rebuilt"),
    );
  });

  it("makes up for rows that were changed, deleted or added", async () => {
    const org = await filledOrg();
    const [placement] = (await readLedger(org)).placements;
    const cell = env[placement?.cell as "CELL_0"];
    const low = (placement?.org_number ?? 0) * 2 ** 32;
    const slot = (await contentOf(org)).rows[0]?.slot;
    await cell.batch([
      cell.prepare(`update entry_${slot} set record = replace(record, 'u_1', 'u_2') where key = ?1`).bind(low + 2),
      cell.prepare(`delete from entry_${slot} where key = ?1`).bind(low + 3),
      cell.prepare(`insert into entry_${slot} (key, record) values (?1, '{}')`).bind(low + 999),
      cell.prepare("update counter set count = count + 5 where org_number = ?1").bind(placement?.org_number),
    ]);
    await expect(checkLedger(org)).rejects.toThrow("other entry rows");
    expect((await rebuild(org)).status).toBe(202);
    await checkLedger(org);
  });

  it.each(["failed", "failed but stored"] as const)("goes on when emptying (%s) in the middle", async (kind) => {
    const org = await filledOrg();
    breakEmptying(kind);
    await rebuild(org);
    expect(await statusOf(org)).toMatchObject({ rebuilding: true, projection: "waiting" });
    await append(org, batchOf([event(20)]));
    await wake(org);
    expect(await statusOf(org)).toMatchObject({ rebuilding: false, projection: "running" });
    await checkLedger(org, { archived: true });
  });

  it.each(["hangs", "hangs, but stored"] as const)("resumes after a crash while it empties (%s)", async (kind) => {
    const org = await filledOrg();
    const faults = breakEmptying(kind);
    const hanging = env.ORG_LEDGER.getByName(org)
      .rebuild(org, ROOT)
      .catch(() => null);
    await expect.poll(() => faults.some(({ hits }) => hits > 0)).toBe(true);
    await abort(org);
    await hanging;
    restoreFaults();
    expect(await statusOf(org)).toMatchObject({ rebuilding: true });
    expect(await wake(org)).toMatchObject({ rebuilding: false, size: 12, projected: 12 });
    await checkLedger(org, { archived: true });
  });

  it("waits for D1 when it is down, while appends and the archive go on", async () => {
    const org = await filledOrg();
    const d1 = breakD1();
    await rebuild(org);
    await append(org, batchOf([event(20)]));
    expect(await archiveDue(org)).toMatchObject({ rebuilding: true, size: 13, archived: 13 });
    d1.restore();
    await wake(org);
    await checkLedger(org, { archived: true });
  });

  it("shows what is not there again yet as pending, never as missing", async () => {
    const org = await filledOrg();
    breakEmptying("failed but stored");
    await rebuild(org);
    const { text } = await call("GET", `/v1/orgs/${org}/verify`);
    const report = JSON.parse(text.trim().split("\n").at(-1) ?? "");
    expect(report).toMatchObject({ ok: true, breaks: [], pending: 12 });
    restoreFaults();
    await wake(org);
    await checkLedger(org);
  });
});

describe("D1 that lost entries", () => {
  it("gets them again when it was restored to an older state, without anybody asking", async () => {
    const org = await filledOrg();
    const [placement] = (await readLedger(org)).placements;
    await setBack(env[placement?.cell as "CELL_0"], { org_number: placement?.org_number ?? 0, to: 4 });
    // The ledger learns of it with the next entry, or when it starts.
    await append(org, batchOf([event(20)]));
    await untilProjected(org);
    await checkLedger(org);
    await setBack(env[placement?.cell as "CELL_0"], { org_number: placement?.org_number ?? 0, to: 0 });
    await evict(org);
    await wake(org);
    await checkLedger(org, { archived: true });
  });

  it.each(["rebuild", "append"])(
    "gets them again by the next %s when a cell made anew gives another number",
    async (by) => {
      const org = await filledOrg();
      const [placement] = (await readLedger(org)).placements;
      const cell = env[placement?.cell as "CELL_0"];
      const [number, log] = [placement?.org_number ?? 0, placement?.log];
      const [low, high] = [number * 2 ** 32, (number + 1) * 2 ** 32];
      const lose = () =>
        cell.batch([
          ...SLOTS.flatMap((slot) => [
            cell.prepare(`delete from entry_${slot} where key >= ?1 and key < ?2`).bind(low, high),
            cell.prepare(`delete from term_${slot} where rowid >= ?1 and rowid < ?2`).bind(low, high),
          ]),
          cell.prepare("delete from counter where org_number = ?1").bind(number),
          cell.prepare("delete from cursor where org_number = ?1").bind(number),
          cell.prepare("update org_number set log = ?2 where org_number = ?1").bind(number, `lost-${log}`),
        ]);
      await lose();
      if (by === "rebuild") expect((await rebuild(org)).status).toBe(202);
      else await append(org, batchOf([event(20)]));
      await wake(org);
      const after = await checkLedger(org, { archived: true });
      expect(after.ledger.placements[0]?.org_number).not.toBe(number);
      expect(after.status.size).toBe(12);
    },
  );
});

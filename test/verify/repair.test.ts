import { createHash } from "node:crypto";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { append, batchOf } from "../support/append.ts";
import { archiveDue, checkLedger, untilProjected, wake } from "../support/check-ledger.ts";
import { readLedger } from "../support/check/read-stores.ts";
import { call, createOrg, event } from "../support/client.ts";
import { dropArchived } from "../support/faults.ts";
import { actsOf, evidenceAt, kinds, remove, repair } from "../support/repair.ts";
import { shrinkCells, unshrinkCells } from "../support/shrink-cells.ts";
import { type Cell, filled, rowAt, TABLES, verified, write } from "../support/tamper.ts";

const AT = 11;

const anotherTable = ({ table }: Cell) => TABLES.find((name) => name !== table) as string;
const renumbered = (record: string, to: number) => record.replaceAll(`\\"index\\":${AT}`, `\\"index\\":${to}`);

const tableOfNow = () => {
  const now = new Date();
  return TABLES[(now.getUTCFullYear() * 12 + now.getUTCMonth()) % TABLES.length] as string;
};

type Edit = (cell: Cell, other: Cell) => Promise<void>;
const TAMPERINGS: [string, string[], Edit][] = [
  [
    "a changed content",
    [`content_changed ${AT}`],
    async (cell) => write(cell, AT, (await rowAt(cell, AT)).record.replace("because", "becausE")),
  ],
  [
    "a changed leaf",
    [`leaf_changed ${AT}`],
    async (cell) =>
      write(cell, AT, (await rowAt(cell, AT)).record.replace('\\"keep_until\\":\\"2', '\\"keep_until\\":\\"3')),
  ],
  ["junk", [`leaf_changed ${AT}`], (cell) => write(cell, AT, "not even JSON")],
  ["a deleted row", [`missing ${AT}`], (cell) => remove(cell, AT)],
  [
    "a row past the head",
    ["extra 4000000"],
    async (cell) => write(cell, 4_000_000, renumbered((await rowAt(cell, AT)).record, 4_000_000)),
  ],
  [
    "a second row in another month's table",
    [`extra ${AT}`],
    async (cell) =>
      write({ ...cell, table: anotherTable(cell) }, AT, (await rowAt(cell, AT)).record.replace("because", "becausE")),
  ],
  [
    "a row moved to another month's table",
    [`misplaced ${AT}`],
    async (cell) => {
      const { record } = await rowAt(cell, AT);
      await remove(cell, AT);
      await write({ ...cell, table: anotherTable(cell) }, AT, record);
    },
  ],
  [
    "two rows swapped",
    [`reordered ${AT}`, `reordered ${AT + 9}`],
    async (cell) => {
      const [a, b] = [await rowAt(cell, AT), await rowAt(cell, AT + 9)];
      await write(cell, AT, b.record);
      await write(cell, AT + 9, a.record);
    },
  ],
  [
    "a row of another org",
    [`misrouted ${AT}`],
    async (cell, other) => write(cell, AT, (await rowAt(other, AT)).record),
  ],
  [
    "a renumbered row",
    [`missing ${AT}`, "reordered 5000000"],
    async ({ db, table, base }) => {
      await db
        .prepare(`update ${table} set key = ? where key = ?`)
        .bind(base + 5_000_000, base + AT)
        .run();
    },
  ],
  [
    "a false beginning",
    ["leaf_changed 0"],
    async (cell) =>
      write(cell, 0, (await rowAt(cell, 0)).record.replace(/\\"prev\\":\\"[^\\]{4}/, '\\"prev\\":\\"AAAA')),
  ],
  [
    "an entry taken out of the search index",
    [`unindexed ${AT}`],
    async ({ db, table, base }) => {
      await db
        .prepare(`delete from ${table.replace("entry", "term")} where rowid = ?`)
        .bind(base + AT)
        .run();
    },
  ],
];

describe("a repair", () => {
  it.each(TAMPERINGS)("restores %s, keeps what was found, and is in the log", async (_, expected, edit) => {
    const [{ org, cell }, other] = await Promise.all([filled(), filled()]);
    const before = await checkLedger(org);
    await edit(cell, other.cell);
    const answer = await repair(org);
    expect(answer.status, answer.text).toBe(200);
    expect(kinds(answer.json)).toEqual([...expected].sort());
    expect(answer.json).toMatchObject({ from: 0, continue_from: null });

    // Rows, search index and counters are what they would be without the tampering, and of both orgs.
    const { entries } = await checkLedger(org);
    await checkLedger(other.org);
    expect(entries.slice(0, before.entries.length).map(({ line }) => line)).toEqual(
      before.entries.map(({ line }) => line),
    );
    expect(await verified(org)).toMatchObject({ ok: true, breaks: [], unvouched: [] });
    const found = await call("GET", `/v1/orgs/${org}/events?target=d${AT - 1}`);
    expect(found.json.data).toMatchObject([{ index: AT, reason: "because" }]);

    const [begun] = await actsOf(org, "indelible.repair.begun");
    const [ended] = await actsOf(org, "indelible.repair.ended");
    expect([begun.index, ended.index]).toEqual([answer.json.begun_index, answer.json.ended_index]);
    expect(begun).toMatchObject({ source: "service", actor: { id: "root" }, reason: "verify named it" });
    expect(ended.metadata).toMatchObject({ begun_index: begun.index, rows: begun.metadata.rows });
    const keys = answer.json.faults.flatMap(({ evidence }: any) => evidence ?? []);
    const list = await Promise.all(
      keys.map(async (key: string) => {
        const text = (await (await env.ARCHIVE.get(key))?.text()) as string;
        return `${key} ${createHash("sha256").update(text).digest("hex")}\n`;
      }),
    );
    expect(begun.metadata.evidence).toEqual({
      count: keys.length,
      sha256: createHash("sha256").update(list.join("")).digest("base64url"),
    });
  });

  it("keeps the very row that was found, and where, and what belongs there", async () => {
    const [{ org, cell }, other] = await Promise.all([filled(), filled()]);
    const { record } = await rowAt(other.cell, AT);
    await write(cell, AT, record);
    const [fault] = (await repair(org)).json.faults;
    const { entry_hash, log } = (await call("GET", `/v1/orgs/${org}/events/${AT}`)).json;
    expect(fault).toMatchObject({
      kind: "misrouted",
      index: AT,
      should_be: { entry_hash, slot: cell.table.slice(-2) },
      names: { log: log.replace(org, other.org), index: AT },
    });
    expect(fault.evidence).toMatch(new RegExp(`^evidence/${log}/20[0-9TZ:.-]+-0000$`));
    expect(await evidenceAt(fault.evidence)).toMatchObject({
      v: 1,
      log,
      kind: "misrouted",
      index: AT,
      slot: cell.table.slice(-2),
      key: cell.base + AT,
      found: record,
      should_be: { entry_hash },
    });
    // The other org's own row is where it was.
    expect((await rowAt(other.cell, AT)).record).toBe(record);
  });

  it("finds nothing in a whole log, writes nothing and says so", async () => {
    const { org } = await filled();
    const before = await checkLedger(org);
    const { json } = await repair(org);
    expect(json).toMatchObject({ faults: [], begun_index: null, ended_index: null, checked: before.entries.length });
    expect((await checkLedger(org)).entries.length).toBe(before.entries.length);
  });

  it("restores from segments when the ledger has nothing staged any more", async () => {
    const { org, cell } = await filled();
    await archiveDue(org);
    await dropArchived(org);
    expect((await readLedger(org)).staged).toEqual([]);
    for (let index = 3; index < 20; index++) await remove(cell, index);
    expect(kinds((await repair(org)).json).length).toBe(17);
    await checkLedger(org, { archived: true });
  });

  it("mends each cell of a log that lies in two, and what lies in either where the log is not", async () => {
    const org = await createOrg("cells");
    await append(org, batchOf([event(1), event(2)]));
    await untilProjected(org);
    await shrinkCells(org);
    await append(org, batchOf([event(3)]));
    await untilProjected(org);
    unshrinkCells();
    await append(org, batchOf([event(4), event(5)]));
    await untilProjected(org);
    const { placements } = await readLedger(org);
    const [old, next] = placements.map(({ cell, org_number }) => {
      return { db: env[cell as "CELL_0"], table: tableOfNow(), base: org_number * 2 ** 32 };
    }) as [Cell, Cell];
    const split = placements[1]?.first_index ?? 0;
    const { record } = await rowAt(next, split);
    await write(old, split, record);
    await write(next, 1, (await rowAt(old, 1)).record);
    await remove(old, 1);
    await write(next, split, "{}");
    expect(kinds((await repair(org)).json)).toEqual([
      "extra 1",
      `extra ${split}`,
      `leaf_changed ${split}`,
      "missing 1",
    ]);
    await checkLedger(org);
  });

  it("lets a projection go on that a row past the fence blocked", async () => {
    const { org, cell } = await filled();
    const { size } = (await call("GET", `/v1/orgs/${org}/status`)).json.ingestion;
    await write(cell, size, (await rowAt(cell, AT)).record);
    await append(org, batchOf([event(1)]));
    await wake(org);
    expect((await call("GET", `/v1/orgs/${org}/status`)).json.projection.lag_entries).toBeGreaterThan(0);
    expect(kinds((await repair(org)).json)).toEqual([`reordered ${size}`]);
    await checkLedger(org);
  });

  it("goes on where it stopped", async () => {
    const org = await createOrg("long");
    await append(org, batchOf(Array.from({ length: 700 }, (_, n) => event(n))));
    await untilProjected(org);
    const [placement] = (await readLedger(org)).placements;
    const cell = env[placement?.cell as "CELL_0"];
    const base = (placement?.org_number ?? 0) * 2 ** 32;
    await cell.batch(
      TABLES.map((table) =>
        cell.prepare(`delete from ${table} where key > ?1 and key < ?2`).bind(base + 50, base + 2 ** 32),
      ),
    );
    const first = (await repair(org)).json;
    expect([first.faults.length, first.continue_from]).toEqual([500, 201]);
    const body = { reason: "the rest", to: first.continue_from, expect: first.continue_expect };
    const second = (await repair(org, body)).json;
    expect([second.faults.length, second.continue_from, second.from]).toEqual([150, null, 0]);
    await checkLedger(org);
    const wrong = await repair(org, { ...body, expect: "A".repeat(43) });
    expect([wrong.status, wrong.json.code]).toEqual([422, "unprocessable"]);
    expect(wrong.json.detail).toContain("Entry 200 as the ledger or R2 holds it");
  });
});

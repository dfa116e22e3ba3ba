import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { call } from "../support/client.ts";
import { type Cell, filled, rowAt, TABLES, verified, write } from "../support/tamper.ts";

type Tampered = { report: any; size: number };

async function tampered(edit: (cell: Cell, other: Cell) => Promise<void>): Promise<Tampered> {
  const [{ org, cell }, other] = await Promise.all([filled(), filled()]);
  expect((await verified(org)).ok).toBe(true);
  await edit(cell, other.cell);
  const status = await call("GET", `/v1/orgs/${org}/status`);
  // The trace of this very verification is one entry more, so the head is what the report says it is.
  expect(status.status).toBe(200);
  const report = await verified(org);
  return { report, size: report.size };
}

const kinds = (report: any) => report.breaks.map(({ kind, index }: any) => `${kind} ${index}`);

/** Every index is vouched for, broken, or said not to be vouched for. */
function vouchedBelow(report: any, index: number): void {
  expect(report.unvouched).toEqual(index === 0 ? [] : [{ from: 0, to: index - 1 }]);
}

describe("an untouched log", () => {
  it("verifies whole, in ranges, and from a hash the caller kept", async () => {
    const { org } = await filled();
    expect(await verified(org)).toMatchObject({ ok: true, breaks: [], unvouched: [], continue_from: null });
    const kept = await call("GET", `/v1/orgs/${org}/events/12`);
    const report = await verified(org, `?to=13&expect=${kept.json.entry_hash}`);
    expect(report).toMatchObject({ ok: true, from: 0, size: 13, breaks: [] });
    const wrong = await verified(org, `?to=13&expect=${"A".repeat(43)}`);
    expect(kinds(wrong)).toEqual(["leaf_changed 12"]);
  });
});

describe("tampering with stored rows", () => {
  let at = 0;
  beforeAll(() => {
    at = 11;
  });

  it("names a changed content, and vouches for everything else", async () => {
    const { report } = await tampered(async (cell) => {
      const { record } = await rowAt(cell, at);
      await write(cell, at, record.replace("because", "becausE"));
    });
    expect(kinds(report)).toEqual([`content_changed ${at}`]);
    expect(report.breaks[0].section).toBe("note");
    expect(report.unvouched).toEqual([]);
  });

  it("names a changed leaf; what lies below is not vouched for", async () => {
    const { report } = await tampered(async (cell) => {
      const { record } = await rowAt(cell, at);
      await write(cell, at, record.replace('\\"keep_until\\":\\"2', '\\"keep_until\\":\\"3'));
    });
    expect(kinds(report)).toEqual([`leaf_changed ${at}`]);
    vouchedBelow(report, at);
  });

  it("names a deleted row", async () => {
    const { report } = await tampered(async ({ db, table, base }) => {
      await db
        .prepare(`delete from ${table} where key = ?`)
        .bind(base + at)
        .run();
    });
    expect(kinds(report)).toEqual([`missing ${at}`]);
    vouchedBelow(report, at);
  });

  it("names a row inserted beyond the head", async () => {
    const { report } = await tampered(async (cell) => {
      const { record } = await rowAt(cell, at);
      await write(cell, 4_000_000, record.replaceAll(`\\"index\\":${at}`, '\\"index\\":4000000'));
    });
    expect(kinds(report)).toEqual(["extra 4000000"]);
    expect(report.unvouched).toEqual([]);
  });

  it("names a second row at an index, in another month's table", async () => {
    const { report } = await tampered(async (cell) => {
      const { record } = await rowAt(cell, at);
      const table = TABLES.find((name) => name !== cell.table) as string;
      await write({ ...cell, table }, at, record.replace("because", "becausE"));
    });
    expect(report.breaks).toHaveLength(1);
    expect(["extra", "duplicate_index"]).toContain(report.breaks[0].kind);
    expect(report.breaks[0].index).toBe(at);
    expect(report.unvouched).toEqual([]);
  });

  it("names both of two rows that were swapped, and still vouches for all", async () => {
    const { report } = await tampered(async (cell) => {
      const [a, b] = [await rowAt(cell, at), await rowAt(cell, at + 9)];
      await write(cell, at, b.record);
      await write(cell, at + 9, a.record);
    });
    expect(kinds(report).sort()).toEqual([`reordered ${at}`, `reordered ${at + 9}`]);
    expect(report.unvouched).toEqual([]);
  });

  it("names a row copied over from another org", async () => {
    const { report } = await tampered(async (cell, other) => {
      await write(cell, at, (await rowAt(other, at)).record);
    });
    expect(kinds(report)).toEqual([`misrouted ${at}`]);
    vouchedBelow(report, at);
  });

  it("names a renumbered row once, where its leaf says it belongs", async () => {
    const { report } = await tampered(async ({ db, table, base }) => {
      await db
        .prepare(`update ${table} set key = ? where key = ?`)
        .bind(base + 5_000_000, base + at)
        .run();
    });
    expect(report.breaks).toMatchObject([{ kind: "reordered", index: at, found_at: 5_000_000 }]);
    expect(report.unvouched).toEqual([]);
  });

  it("names the first entry's false beginning", async () => {
    const { report } = await tampered(async (cell) => {
      const { record } = await rowAt(cell, 0);
      await write(cell, 0, record.replace(/\\"prev\\":\\"[^\\]{4}/, '\\"prev\\":\\"AAAA'));
    });
    expect(kinds(report)).toEqual(["leaf_changed 0"]);
  });
});

describe("a verification", () => {
  it("runs once at a time for an org", async () => {
    const { org } = await filled();
    const first = env.ORG_LEDGER.getByName(org);
    await first.leaseVerify(org, "somebody else", "take");
    expect(await call("GET", `/v1/orgs/${org}/verify`)).toMatchObject({ status: 429, json: { code: "rate_limited" } });
    await first.leaseVerify(org, "somebody else", "release");
    expect((await verified(org)).ok).toBe(true);
  });
});

import { beforeAll, describe, expect, it, vi } from "vitest";
import {
  countDeadLetters,
  type DeadLetterRow,
  dueParked,
  listDeadLetters,
  markDeadLetter,
  readDeadLetter,
  saveDeadLetter,
} from "../../src/store/dead-letter.ts";
import { CorruptKey, type KeyRow, listKeys, readKey, revokeKey, saveKey } from "../../src/store/key.ts";
import { readGauges, saveGauge } from "../../src/store/ledger-gauge.ts";
import { addMetrics, readMetrics } from "../../src/store/metric.ts";
import { createOrg, listOrgs, readOrg } from "../../src/store/org.ts";
import { savePlacement } from "../../src/store/placement-table.ts";
import { directory, freshName } from "./cells.ts";

let db: D1Database;
beforeAll(async () => {
  db = await directory();
});

describe("orgs", () => {
  const row = (org: string) => ({ org, name: "Acme", jurisdiction: "none", cell: "CELL_0", created_at: 1 });

  it("are created once: what stands, stays", async () => {
    const org = freshName("org");
    expect(await readOrg(db, org)).toBeNull();
    expect(await createOrg(db, row(org))).toEqual(row(org));
    expect(await createOrg(db, { ...row(org), name: "Other", cell: "CELL_1", created_at: 2 })).toEqual(row(org));
    expect(await readOrg(db, org)).toEqual(row(org));
  });

  it("are listed in order, page by page", async () => {
    const stem = freshName("list");
    const orgs = ["a", "b", "c"].map((end) => `${stem}-${end}`);
    for (const org of [...orgs].reverse()) await createOrg(db, row(org));
    const page = await listOrgs(db, { after: stem, limit: 2 });
    expect(page.map(({ org }) => org)).toEqual(orgs.slice(0, 2));
    const next = await listOrgs(db, { after: orgs[1] ?? null, limit: 1 });
    expect(next.map(({ org }) => org)).toEqual(orgs.slice(2));
    expect((await listOrgs(db, { after: null, limit: 1_000 })).length).toBeGreaterThanOrEqual(3);
  });
});

describe("placements", () => {
  it("are saved once", async () => {
    const [org, other] = [freshName("org"), freshName("org")];
    const at = (first_index: number, cell: string) => ({ org, log: `l/${org}`, first_index, cell, org_number: 5 });
    for (const place of [at(100, "CELL_1"), at(0, "CELL_0"), at(0, "CELL_1")]) await savePlacement(db, place);
    await savePlacement(db, { ...at(0, "CELL_0"), org: other });
    const saved = await db.prepare("select * from placement where org = ?1 order by first_index").bind(org).all();
    expect(saved.results).toEqual([at(0, "CELL_0"), at(100, "CELL_1")]);
  });
});

describe("keys", () => {
  const row = (id: string, org: string | null): KeyRow => ({
    ...{ id, org, name: "ci", scopes: ["events:append", "operate"], hash: org === null ? "ab".repeat(32) : null },
    ...{ orgs: org === null ? ["acme", "initech"] : null, created_at: 5, revoked_at: null },
  });

  it("come back as they were saved, and saving again does not undo a revocation", async () => {
    const id = freshName("ind_p");
    expect(await readKey(db, id)).toBeNull();
    await saveKey(db, row(id, null));
    expect(await readKey(db, id)).toEqual(row(id, null));
    expect(await revokeKey(db, id, 77)).toBe(true);
    expect(await revokeKey(db, id, 99)).toBe(true);
    await saveKey(db, row(id, null));
    expect((await readKey(db, id))?.revoked_at).toBe(77);
    expect(await revokeKey(db, freshName("none"), 1)).toBe(false);
  });

  it("are listed for one org, or for the platform, page by page", async () => {
    const [org, other] = [freshName("org"), freshName("org")];
    const ids = ["a", "b", "c"].map((end) => `ind_o${org}${end}`);
    for (const id of ids) await saveKey(db, row(id, org));
    await saveKey(db, row(freshName("ind_o"), other));
    expect((await listKeys(db, org, { after: null, limit: 2 })).map(({ id }) => id)).toEqual(ids.slice(0, 2));
    expect((await listKeys(db, org, { after: ids[1] ?? null, limit: 9 })).map(({ id }) => id)).toEqual(ids.slice(2));
    const platform = await listKeys(db, null, { after: null, limit: 1_000 });
    expect(platform.every((key) => key.org === null)).toBe(true);
  });

  it.each([
    ["scopes", `'["everything"]'`],
    ["scopes", "'events:append'"],
    ["scopes", "'{}'"],
    ["orgs", "'acme'"],
    ["orgs", "'null'"],
    ["created_at", "'yesterday'"],
    ["revoked_at", "1e300"],
    ["name", "x'00ff'"],
  ])(
    "are refused when %s is %s, and passed over in a list, with a log line that holds no secret",
    async (column, bad) => {
      const [id, sound] = [freshName("ind_p"), freshName("ind_p")];
      for (const each of [id, sound]) await saveKey(db, row(each, null));
      await db.prepare(`update "key" set ${column} = ${bad} where id = ?1`).bind(id).run();
      const logged = vi.spyOn(console, "error");
      await expect(readKey(db, id)).rejects.toThrow(CorruptKey);
      const listed = (await listKeys(db, null, { after: null, limit: 1_000 })).map((key) => key.id);
      expect(listed).toContain(sound);
      expect(listed).not.toContain(id);
      const lines = logged.mock.calls.map(([line]) => String(line)).filter((line) => line.includes(id));
      expect(lines).toEqual([
        JSON.stringify({ message: "a key of the directory is corrupt", error: `CorruptKey: ${id}: ${column}` }),
      ]);
      logged.mockRestore();
      await db.prepare(`delete from "key" where id = ?1`).bind(id).run();
    },
  );
});

describe("dead letters", () => {
  const row = (id: string, more: Partial<DeadLetterRow> = {}): DeadLetterRow => ({
    ...{ id, state: "dead", org: "acme", code: "invalid_event", reason: "no action", received_at: 1, stored_at: 2 },
    ...{ attempts: 3, next_at: null, bytes: 1_234 },
    ...more,
  });

  it("are stored once, however often the message is delivered", async () => {
    const id = freshName("dl");
    await saveDeadLetter(db, row(id));
    await saveDeadLetter(db, row(id, { attempts: 9, org: null }));
    expect(await readDeadLetter(db, id)).toEqual(row(id));
    expect(await readDeadLetter(db, freshName("none"))).toBeNull();
  });

  it("are marked, with or without a new reason", async () => {
    const id = freshName("dl");
    await saveDeadLetter(db, row(id));
    expect(await markDeadLetter(db, id, { state: "parked", attempts: 4, next_at: 50 })).toBe(true);
    expect(await readDeadLetter(db, id)).toEqual(row(id, { state: "parked", attempts: 4, next_at: 50 }));
    await markDeadLetter(db, id, { state: "replayed", attempts: 5, next_at: null, reason: "fine" });
    expect(await readDeadLetter(db, id)).toEqual(row(id, { state: "replayed", attempts: 5, reason: "fine" }));
    expect(await markDeadLetter(db, freshName("none"), { state: "dead", attempts: 1, next_at: null })).toBe(false);
  });

  it("are listed newest first, page by page, by state, those stored at one time among them", async () => {
    const stem = freshName("dl");
    const later = 10 ** 14;
    const ids = Array.from({ length: 6 }, (_, n) => `${stem}-${n}`);
    for (const [n, id] of ids.entries()) {
      await saveDeadLetter(
        db,
        row(id, { stored_at: later + Math.floor(n / 3), state: n % 2 === 0 ? "dead" : "parked" }),
      );
    }
    const pages: string[][] = [];
    let after: string | null = null;
    for (let n = 0; n < 3; n++) {
      const page: DeadLetterRow[] = await listDeadLetters(db, { after, limit: 2 });
      pages.push(page.map(({ id }) => id));
      after = page.at(-1)?.id ?? null;
    }
    expect(pages.flat()).toEqual([...ids].reverse());
    const dead = await listDeadLetters(db, { state: "dead", after: null, limit: 3 });
    expect(dead.map(({ id }) => id)).toEqual([4, 2, 0].map((n) => ids[n]));
    // Stored in a far future, they would lead every list of this run.
    await db.prepare("delete from dead_letter where stored_at >= ?").bind(later).run();
  });

  it("are due when parked and their time has come, longest due first", async () => {
    const stem = freshName("dl");
    const times = [30, 10, 20, 99].map((at) => at - 10 ** 9);
    for (const [n, next_at] of times.entries()) {
      await saveDeadLetter(db, row(`${stem}-${n}`, { state: n === 2 ? "dead" : "parked", next_at }));
    }
    const due = await dueParked(db, 30 - 10 ** 9, 10);
    expect(due.map(({ id }) => id)).toEqual([`${stem}-1`, `${stem}-0`]);
    expect(await dueParked(db, 30 - 10 ** 9, 1)).toHaveLength(1);
  });

  it("are counted by state", async () => {
    const before = await countDeadLetters(db);
    await saveDeadLetter(db, row(freshName("dl"), { state: "replayed" }));
    await saveDeadLetter(db, row(freshName("dl")));
    expect(await countDeadLetters(db)).toEqual({ ...before, dead: before.dead + 1, replayed: before.replayed + 1 });
  });
});

describe("metrics", () => {
  it("add up over isolates, one sum for each name and labels", async () => {
    const name = freshName("m");
    const delta = (labels: string, value: number) => ({ name, labels, value });
    await addMetrics(db, []);
    await addMetrics(db, [delta("", 1), delta('a="b"', 2.5), delta("", 3)]);
    await Promise.all(Array.from({ length: 10 }, () => addMetrics(db, [delta("", 1)])));
    const mine = (await readMetrics(db)).filter((row) => row.name === name);
    expect(mine).toEqual([delta("", 14), delta('a="b"', 2.5)]);
  });
});

describe("gauges", () => {
  it("keep the newest word of each ledger", async () => {
    const org = freshName("org");
    const at = (now: number) => ({
      ...{ org, size: now, projected: now, archived: 0, oldest_unprojected_at: null, oldest_unarchived_at: 5, at: now },
      ...{ published: 0, oldest_unpublished_at: null },
    });
    for (const now of [5, 9, 7]) await saveGauge(db, at(now));
    expect((await readGauges(db)).filter((row) => row.org === org)).toEqual([at(9)]);
  });
});

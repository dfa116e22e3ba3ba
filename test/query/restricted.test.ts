import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { configOf } from "../../src/env.ts";
import { findEntry } from "../../src/query/get-entry.ts";
import { readPage } from "../../src/query/list-entries.ts";
import { parseListQuery } from "../../src/query/query.ts";
import { shownEntrySchema } from "../../src/schema/answers.ts";
import { serviceReader } from "../../src/schema/caller.ts";
import type { ReadGrant } from "../../src/schema/ledger.ts";
import { conforms } from "../http/support.ts";
import type { Said } from "../store/cells.ts";
import { type Granted, projected, walkPages } from "./grants.ts";

const NOW = Date.now();
const DAY_MS = 86_400_000;

/** Twelve entries, a day apart; what is odd in one is even in the other. */
const SAID: Said[] = Array.from({ length: 12 }, (_, n) => ({
  id: `e-${n}`,
  action: n % 2 === 0 ? "document.share" : "user.invite",
  category: n % 3 === 0 ? "login" : "general",
  actor: { type: "user", id: `u_${n % 4}`, name: `Name${n}` },
  targets: [
    { type: "document", id: n % 4 === 0 ? "d_1" : "d_2" },
    { type: "folder", id: "d_1" },
  ],
  reason: `secret plan ${n}`,
  occurred_at: new Date(NOW - (100 - n) * DAY_MS).toISOString(),
  sequenced_at: new Date(NOW - (12 - n) * DAY_MS).toISOString(),
  context: { ip: "192.0.2.1" },
}));

let of: Granted;
beforeAll(async () => {
  of = await projected(SAID, { first: NOW - 13 * DAY_MS, last: NOW });
});

const indexes = (entries: any[]) => entries.map(({ index }) => index);
const listed = async (grant: ReadGrant, params: Record<string, string> = {}) =>
  indexes((await walkPages(of.log, grant, new URLSearchParams({ order: "asc", ...params }))).entries);
const got = async (grant: ReadGrant, idOrIndex: string) => {
  const found = await findEntry(
    configOf(env),
    { org: of.log.org, caller: serviceReader(of.log.org) },
    { grant, idOrIndex },
  );
  if (!found.ok) throw new Error(found.refusal.detail);
  return found.value;
};

describe("a restricted reader", () => {
  const to = (restriction: ReadGrant["restriction"]): ReadGrant => ({ ...of.grant, restriction });

  it.each<[NonNullable<ReadGrant["restriction"]>, number[]]>([
    [{ target: { type: "document", id: "d_1" } }, [0, 4, 8]],
    [{ categories: ["login"] }, [0, 3, 6, 9]],
    [{ target: { type: "document", id: "d_2" }, categories: ["login"] }, [3, 6, 9]],
    [{ categories: ["login", "general"] }, Array.from(SAID.keys())],
    [{ target: { type: "document", id: "nothing" } }, []],
    [{ target: { type: "d_1", id: "document" } }, []],
    [{ categories: [] }, []],
  ])("with %j lists and gets %j alone, by id and by index", async (restriction, may) => {
    const grant = to(restriction);
    expect(await listed(grant)).toEqual(may);
    expect(await listed(grant, { limit: "1" })).toEqual(may);
    for (const index of SAID.keys()) {
      for (const asked of [String(index), `e-${index}`]) {
        expect((await got(grant, asked))?.index, asked).toEqual(may.includes(index) ? index : undefined);
      }
    }
  });

  it("cannot widen it by asking: filters are added to it", async () => {
    const grant = to({ categories: ["login"] });
    expect(await listed(grant, { category: "general" })).toEqual([]);
    expect(await listed(grant, { "-category": "login" })).toEqual([]);
    expect(await listed(grant, { q: "category:general plan" })).toEqual([]);
    expect(await listed(grant, { q: "plan -actor:u_0" })).toEqual([3, 6, 9]);
  });

  it("is not told how much the log holds", async () => {
    const query = (text: string) => {
      const parsed = parseListQuery(new URLSearchParams(text));
      if (!parsed.ok) throw new Error(parsed.refusal.detail);
      return parsed.value;
    };
    const ask = (text: string) =>
      readPage(configOf(env), of.log.org, { grant: to({ categories: ["login"] }), query: query(text), cursor: null });
    expect(await ask("limit=1")).toMatchObject({ ok: true, value: { answer: { visible: null } } });
    expect(await ask("min_size=1")).toMatchObject({ ok: false, refusal: { code: "forbidden" } });
  });
});

describe("a window under quarantine", () => {
  const under = (...windows: [number, number][]): ReadGrant => ({
    ...of.grant,
    quarantined: windows.map(([from, to], n) => ({ id: `q_${n}`, from, to })),
  });
  const ALL = Array.from(SAID.keys());

  it("shows the leaf of its entries, every section withheld by it, in a list and in a get", async () => {
    const grant = under([3, 6]);
    const { entries } = await walkPages(of.log, grant, new URLSearchParams({ order: "asc" }));
    expect(indexes(entries)).toEqual(ALL);
    for (const entry of entries) {
      conforms(shownEntrySchema, entry);
      const within = entry.index >= 3 && entry.index < 6;
      expect(entry.action === undefined, entry.index).toBe(within);
      if (!within) continue;
      expect(entry.absent).toContainEqual({ section: "event", cause: "withheld", by: "q_0" });
      expect(entry.absent).toHaveLength(of.entries[entry.index]?.line.match(/"salt"/g)?.length ?? 0);
      expect(entry).toMatchObject({ category: SAID[entry.index]?.category, source: "client" });
      expect(JSON.stringify(entry)).not.toMatch(/secret|u_\d|Name|e-\d|192/);
      const row = (await got(grant, String(entry.index)))?.row;
      expect(row?.kind === "entry" && row.record.sections).toEqual({});
      expect(row?.kind === "entry" && row.record.absent?.every(({ by }) => by === undefined)).toBe(true);
    }
  });

  it.each([
    { actor: "u_0" },
    { action: "user.*" },
    { target: "d_1" },
    { result: "success" },
    { q: "plan" },
    { q: '"secret plan"' },
    { ip: "192.0.2.1" },
  ])("finds nothing within it by %j", async (params: Record<string, string>) => {
    const whole = await listed(of.grant, params);
    expect(whole.some((index) => index >= 3 && index < 9)).toBe(true);
    expect(await listed(under([3, 6], [5, 9]), params)).toEqual(whole.filter((index) => index < 3 || index >= 9));
  });

  it.each([
    { "-actor": "u_0" },
    { "-action": "user.*" },
    { q: "-plan" },
    { q: '-"secret plan"' },
    { "-ip": "192.0.2.1" },
  ])("hides nothing within it by %j", async (params: Record<string, string>) => {
    const found = await listed(under([3, 6]), params);
    expect(found.filter((index) => index >= 3 && index < 6)).toEqual([3, 4, 5]);
  });

  it("finds by what stands in the leaf: category, source and the time of sequencing", async () => {
    const grant = under([0, 12]);
    expect(await listed(grant, { category: "login" })).toEqual([0, 3, 6, 9]);
    expect(await listed(grant, { "-category": "login" })).toEqual([1, 2, 4, 5, 7, 8, 10, 11]);
    expect(await listed(grant, { source: "service" })).toEqual([]);
    const from = new Date(NOW - 4.5 * DAY_MS).toISOString();
    expect(await listed(grant, { from })).toEqual([8, 9, 10, 11]);
    expect(await listed(grant, { to: from })).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it("does not find its entries by id", async () => {
    expect((await got(of.grant, "e-4"))?.index).toBe(4);
    expect(await got(under([4, 5]), "e-4")).toBeNull();
    expect((await got(under([5, 6]), "e-4"))?.index).toBe(4);
  });

  it("is nothing to a reader restricted to a target", async () => {
    const restriction = { target: { type: "document", id: "d_1" } };
    expect(await listed({ ...under([0, 6]), restriction })).toEqual([8]);
    expect(await got({ ...under([0, 6]), restriction }, "4")).toBeNull();
  });

  it("cuts a walk into pages at any limit, in both orders", async () => {
    for (const limit of ["1", "2", "5"]) {
      for (const order of ["asc", "desc"]) {
        const found = await listed(under([2, 4], [4, 7], [11, 40]), { limit, order, "-actor": "u_1" });
        const right = ALL.filter((n) => n % 4 !== 1 || (n >= 2 && n < 7) || n === 11);
        expect(found).toEqual(order === "asc" ? right : right.toReversed());
      }
    }
  });
});

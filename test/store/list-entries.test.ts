import { describe, expect, it } from "vitest";
import type { OpenedEntry } from "../../src/chain/open.ts";
import { FILTER_MAX_VALUES } from "../../src/limits.ts";
import { occurredMsOf, termKeyOf } from "../../src/store/terms.ts";
import { freshLog, project, type Said, type TestEntry } from "./cells.ts";
import { indexes, list, type Wanted, walk } from "./lists.ts";

/** The filter as a person would read it, on the opened entry. */
function holds(filter: Wanted, { event, leaf, ...entry }: OpenedEntry): boolean {
  const any = (wanted: string[] | undefined, values: (string | null | undefined)[]) =>
    wanted === undefined || wanted.length === 0 || wanted.some((value) => values.includes(value));
  const action = event?.action ?? "";
  const time = occurredMsOf({ event, leaf, ...entry });
  return (
    any(filter.actor, [entry.actor?.id]) &&
    any(filter.category, [leaf.category]) &&
    any(filter.source, [leaf.source]) &&
    any(
      filter.target,
      entry.targets.map(({ id }) => id),
    ) &&
    any(
      filter.target_type,
      entry.targets.map(({ type }) => type),
    ) &&
    (filter.action === undefined ||
      filter.action.some((wanted) =>
        wanted.endsWith(".*") ? action.startsWith(wanted.slice(0, -1)) : wanted === action,
      )) &&
    time >= (filter.from ?? -Infinity) &&
    time <= (filter.to ?? Infinity)
  );
}

/** Numbers that are the same in every run. */
function seeded(seed: number) {
  let state = seed;
  const below = (end: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * end);
  };
  return { below, of: <T>(values: readonly T[]): T => values[below(values.length)] as T };
}

const ACTIONS = ["user.create", "user.delete", "user.role.grant", "document.share", "document", "login.fail", "user"];
const CATEGORIES = ["general", "login", "data_modification"];
const START = Date.parse("2026-10-20T00:00:00Z");

function randomEvents(count: number, seed: number): Said[] {
  const random = seeded(seed);
  return Array.from({ length: count }, (_, n) => ({
    action: random.of(ACTIONS),
    category: random.of(CATEGORIES),
    source: random.below(9) === 0 ? "service" : "client",
    actor: { type: "user", id: `u_${random.below(12)}` },
    targets: Array.from({ length: random.below(3) }, () => ({
      type: random.of(["document", "user", "a type"]),
      id: `t_${random.below(25)}`,
    })),
    ...(random.below(4) === 0 ? {} : { occurred_at: new Date(START + random.below(60 * 86_400_000)).toISOString() }),
    sequenced_at: new Date(START + n * 1_200_000).toISOString(),
  }));
}

function randomFilter(seed: number): Wanted {
  const random = seeded(seed);
  const filter: Wanted = {};
  const maybe = (add: () => void) => random.below(3) === 0 && add();
  maybe(() => (filter.actor = [`u_${random.below(13)}`, `u_${random.below(13)}`]));
  maybe(() => (filter.action = [random.of([...ACTIONS, "user.*", "user.role.*", "document.*", "nothing.*"])]));
  maybe(() => (filter.target = [`t_${random.below(26)}`, `t_${random.below(26)}`, `t_${random.below(26)}`]));
  maybe(() => (filter.target_type = [random.of(["document", "user", "a type", "none"])]));
  maybe(() => (filter.category = [random.of(CATEGORIES)]));
  maybe(() => (filter.source = [random.of(["client", "service"])]));
  maybe(() => (filter.from = START + random.below(40 * 86_400_000)));
  maybe(() => (filter.to = START + random.below(60 * 86_400_000)));
  return filter;
}

describe("listEntries, filtered", () => {
  it("finds what an in-memory filter finds, over 2,000 random entries of three months and 100 filters", async () => {
    const log = await freshLog();
    const neighbour = await freshLog();
    const entries = await project(log, randomEvents(2_000, 1));
    await project(neighbour, randomEvents(200, 2));
    for (let seed = 0; seed < 100; seed++) {
      const filter = randomFilter(seed);
      const order = seed % 2 === 0 ? "desc" : "asc";
      const wanted = entries.flatMap(({ opened }, index) => (holds(filter, opened) ? [index] : []));
      const { rows } = await walk(log, { filter, order, limit: 30 + (seed % 7) * 40, max_postings: 5_000 });
      const checked = rows.filter(({ index }) => holds(filter, (entries[index] as TestEntry).opened));
      expect(indexes(checked), JSON.stringify(filter)).toEqual(order === "desc" ? wanted.reverse() : wanted);
      for (const { index, line } of rows) expect(line).toBe(entries[index]?.line);
      if (filter.from === undefined && filter.to === undefined) expect(rows.length).toBe(checked.length);
    }
  });

  it.each([
    ["FTS syntax", ['"a" OR "b"', "a AND b", "NOT x", "x*", "{x}:y", "NEAR(a b)", "^a", "-x", 'x"', "(", "x : y"]],
    ["SQL", ["'; drop table cursor; --", "' or 1=1 --", "%", "_", "\\'", "?1", "/* */"]],
    [
      "characters",
      ["\ue001", "\ue0010123456789abcdef", "\0", "a\0b", "👍", "\u202e", " ", "\n", "é", "e\u0301", "A", "a"],
    ],
  ])("takes %s as what it is", async (_, values) => {
    const log = await freshLog();
    await project(
      log,
      values.map((id) => ({
        action: "a.b",
        actor: { type: "user", id },
        targets: [{ type: id, id }],
        reason: id,
        metadata: JSON.stringify(id),
      })),
    );
    for (const [index, value] of values.entries()) {
      for (const filter of [{ actor: [value] }, { target: [value] }, { target_type: [value] }]) {
        expect(indexes((await list(log, { filter })).rows)).toEqual([index]);
      }
    }
    const all = await list(log, { filter: { actor: values } });
    expect(all.rows).toHaveLength(values.length);
  });

  it.each([
    { id: ["evt-1"] },
    { on_behalf_of: ["u_9"] },
    { result: ["denied"] },
    { ip: ["192.0.2.1"] },
    { session_id: ["s"] },
    { request_id: ["r"] },
  ])("finds by %j, and nothing by another value", async (filter) => {
    const log = await freshLog();
    const context = { ip: "192.0.2.1", session_id: "s", request_id: "r" };
    const on_behalf_of = { type: "user", id: "u_9" };
    await project(log, [{ action: "a.b" }, { id: "evt-1", action: "a.b", result: "denied", on_behalf_of, context }]);
    expect(indexes((await list(log, { filter })).rows)).toEqual([1]);
    const other = Object.fromEntries(Object.keys(filter).map((name) => [name, ["another"]]));
    expect((await list(log, { filter: other })).rows).toEqual([]);
  });

  it("takes as many values as a request may hold, with the widest span of time", async () => {
    const log = await freshLog();
    await project(log, [{ action: "a.b", targets: [{ type: "t19", id: "v19" }], actor: { type: "user", id: "v19" } }]);
    const many = (stem: string) => Array.from({ length: FILTER_MAX_VALUES }, (_, n) => `${stem}${n}`);
    const filter = {
      ...{ actor: many("v"), target: many("v"), target_type: many("t"), action: [...many("x.").slice(1), "a.b"] },
      ...{ category: ["general"], source: ["client", "service"] },
      ...{ from: Date.parse("1970-01-01T01:00:00Z"), to: Date.parse("2099-12-31T22:30:00Z") },
    };
    expect((await list(log, { filter })).rows).toHaveLength(1);
  });

  it("finds nothing when the time ends before it begins", async () => {
    const log = await freshLog();
    await project(log, [{ action: "a.b" }]);
    expect(await list(log, { filter: { from: 10 ** 12, to: 10 ** 11 } })).toEqual({ rows: [], reached: null });
  });

  it("finds nothing of another org with the very same values", async () => {
    const [a, b] = [await freshLog(), await freshLog()];
    await project(a, [{ action: "x.y" }, { action: "x.y" }]);
    await project(b, [{ action: "x.y" }]);
    expect((await list(b, { filter: { action: ["x.y"] } })).rows).toHaveLength(1);
    const foreignKey = await list(a, { filter: { action: ["x.y"] }, termKey: b.termKey });
    expect(foreignKey).toEqual({ rows: [], reached: null });
  });

  it("gives the same value different tokens in two orgs and under two index keys", () => {
    const keys = [termKeyOf("k", "a"), termKeyOf("k", "b"), termKeyOf("l", "a")];
    expect(new Set(keys.map(({ sip }) => sip.join())).size).toBe(3);
  });

  it("keeps no plain text in the index", async () => {
    const log = await freshLog();
    const [entry] = await project(log, [
      { action: "secret.word", actor: { type: "user", id: "jane" }, reason: "because" },
    ]);
    expect(entry?.terms).toMatch(/^[a-z2-7]{13}( [a-z2-7]{13})*$/);
  });

  it("walks only so many indexes a call, answers short, and gets to the end all the same", async () => {
    const log = await freshLog();
    const rare = (n: number) => (n % 100 === 3 ? "rare" : "common");
    await project(
      log,
      Array.from({ length: 1_000 }, (_, n) => ({ action: "a.b", actor: { type: "user", id: rare(n) } })),
    );
    const first = await list(log, { filter: { actor: ["rare"] }, max_postings: 64 }, { high: 1_000 });
    expect(first).toMatchObject({ rows: [], reached: 1_000 - 64 });
    for (const order of ["asc", "desc"] as const) {
      const { rows, pages } = await walk(log, { filter: { actor: ["rare"] }, max_postings: 64, order });
      expect(indexes(rows).sort((a, b) => a - b)).toEqual([3, 103, 203, 303, 403, 503, 603, 703, 803, 903]);
      expect(pages).toBe(Math.ceil(1_000 / 64));
    }
  });

  it("passes over no index when the range asked for ends a little after the last entry", async () => {
    const log = await freshLog();
    const rare = (n: number) => (n === 870 || n === 910 ? "rare" : "common");
    await project(
      log,
      Array.from({ length: 950 }, (_, n) => ({ action: "a.b", actor: { type: "user", id: rare(n) } })),
    );
    const options = { filter: { actor: ["rare"] }, max_postings: 100 };
    expect(indexes((await walk(log, options, { high: 1_000 })).rows)).toEqual([910, 870]);
    expect(indexes((await walk(log, { ...options, order: "asc" }, { low: 825 })).rows)).toEqual([870, 910]);
  });

  it("closes a page after its deadline, but gets on by one window each time", async () => {
    const log = await freshLog();
    const said = ["2026-09-05", "2026-10-05", "2026-11-05"].map((day) => ({
      action: "a.b",
      sequenced_at: `${day}T00:00:00.000Z`,
    }));
    await project(log, said);
    const page = await list(log, { filter: { action: ["a.b"] }, deadline_ms: 0 });
    expect(page).toMatchObject({ rows: [{ index: 2 }], reached: 2 });
    const { rows, pages } = await walk(log, { filter: { action: ["none"] }, deadline_ms: 0 });
    expect([rows.length, pages]).toEqual([0, 3]);
  });

  it("passes over a token row whose entry was taken away", async () => {
    const log = await freshLog();
    await project(
      log,
      Array.from({ length: 10 }, () => ({ action: "a.b" })),
    );
    await log.cell
      .prepare("delete from entry_02 where key in (?1, ?2)")
      .bind(log.org_number * 2 ** 32 + 9, log.org_number * 2 ** 32 + 4)
      .run();
    const { rows } = await walk(log, { filter: { action: ["a.b"] }, limit: 2 });
    expect(indexes(rows)).toEqual([8, 7, 6, 5, 3, 2, 1, 0]);
  });
});

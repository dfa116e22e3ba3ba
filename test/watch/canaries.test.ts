import { env, exports } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runCanaries } from "../../src/watch/canaries.ts";
import { canaryIdOf, markerOf } from "../../src/watch/canary-event.ts";
import { type Path, PATHS, type Shown } from "../../src/watch/canary-paths.ts";
import { checkLedger, statusOf } from "../support/check-ledger.ts";
import { call, event } from "../support/client.ts";
import { abort, breakD1, breakMethod, breakR2, restoreFaults } from "../support/faults.ts";
import { remove } from "../support/repair.ts";
import { rowAt, write } from "../support/tamper.ts";
import {
  A,
  B,
  CANARIES,
  config,
  findingsOf,
  goodAt,
  heldBy,
  nextMinute,
  placeOf,
  round,
  rounds,
  segmentOf,
  untilPlatform,
} from "./canary-support.ts";
import { growthOf } from "./support.ts";

const said: string[] = [];
beforeEach(async () => {
  for (const level of ["info", "warn", "error"] as const) {
    vi.spyOn(console, level).mockImplementation((line) => void said.push(String(line)));
  }
  await untilPlatform();
});
afterEach(() => {
  vi.restoreAllMocks();
  restoreFaults();
  // Not one line of telemetry holds what a canary was sent.
  for (const org of CANARIES) expect(said.filter((line) => line.includes(markerOf(config, org)))).toEqual([]);
  said.length = 0;
});

describe("canaries", () => {
  it("sing the same in every cell, by each door in turn, and are well once all of it was read back", async () => {
    const last = await rounds();
    expect([await goodAt("CELL_0"), await goodAt("CELL_1")]).toEqual([last, last]);
    for (const org of CANARIES) {
      const { entries } = await checkLedger(org);
      const sung = entries.filter(({ source, id }) => source === "client" && id?.startsWith("canary-"));
      expect(sung.map(({ id }) => id)).toEqual([4, 3, 2, 1, 0].map((n) => canaryIdOf(last - n)));
      const deliveries = sung.map(({ sections }) => JSON.parse(sections["event"]?.text ?? "{}").delivery);
      expect(new Set(deliveries)).toEqual(new Set(["direct", "queued", "binding"]));
      expect((await statusOf(org)).placements[0]?.cell).toBe(`CELL_${org.at(-3)}`);
    }
    expect(await findingsOf((await statusOf(A)).log)).toEqual([]);
  });

  it("sing once in a minute that two crons begin", async () => {
    const minute = nextMinute();
    await Promise.all([runCanaries(config, minute * 60_000), runCanaries(config, minute * 60_000)]);
    await round(minute);
    for (const org of CANARIES) expect(await heldBy(org, canaryIdOf(minute))).toBe(1);
    expect(await goodAt()).toBe(minute);
  });

  it("go on after a ledger died between an append and its reading back", async () => {
    const minute = nextMinute();
    await round(minute);
    await abort(A);
    const next = nextMinute();
    await round(next);
    expect(await goodAt()).toBe(next);
  });

  it.each([
    ["a cell", () => breakD1({ directory: false })],
    ["R2", breakR2],
    ["what reads a cell in batches", () => breakMethod(env.CELL_0, "batch", "failed")],
  ])("are late, and nothing is wrong, while %s is away", async (_, breakIt) => {
    const before = await rounds(1);
    expect(await goodAt()).toBe(before);
    const { log } = await statusOf(A);
    breakIt();
    const grown = await growthOf(() => runCanaries(config, nextMinute() * 60_000));
    restoreFaults();
    expect(Object.keys(grown).some((name) => name.startsWith("audit_canary_late_total"))).toBe(true);
    expect(Object.keys(grown).filter((name) => name.startsWith("audit_findings_total"))).toEqual([]);
    expect(await goodAt()).toBe(before);
    expect(await findingsOf(log)).toEqual([]);
    await rounds();
  });

  it("are late after the clock jumped, forth and back, and then well again", async () => {
    const before = await rounds(1);
    const { log } = await statusOf(A);
    await round(before + 10_000);
    expect(await goodAt()).toBe(before);
    await round(before);
    const last = await rounds();
    expect(await goodAt()).toBe(last);
    expect(await findingsOf(log)).toEqual([]);
  });
});

describe("a row of one canary among another's", () => {
  it("is a finding and a metric at once, is not told twice a day, and shows nothing of what was found", async () => {
    const last = await rounds();
    expect(await goodAt()).toBe(last);
    const [mine, theirs] = [await placeOf(A), await placeOf(B)];
    const { log, size } = await statusOf(A);
    const index = size - 2;
    const [right, wrong] = [await rowAt(mine, index), await rowAt(theirs, (await statusOf(B)).size - 2)];
    await write(mine, index, wrong.record);
    expect((await growthOf(() => round(nextMinute())))[at("d1")]).toBe(1);
    expect((await growthOf(() => round(nextMinute())))[at("d1")]).toBe(1);
    const [finding, ...more] = await findingsOf(log);
    expect(more).toEqual([]);
    expect(finding).toEqual({
      severity: "critical",
      log,
      at: "d1",
      kind: "misrouted",
      place: `CELL_0 ${mine.table}`,
      count: 1,
      lowest_index: index,
      highest_index: index,
      remedy: [`PUT /v1/orgs/${A}/reads`, `POST /v1/orgs/${A}/repair`],
    });
    expect(await goodAt()).toBe(last);
    await write(mine, index, right.record);
    const again = await rounds();
    expect(await goodAt()).toBe(again);
  });

  it("is found past the head, where no entry is yet", async () => {
    await rounds(1);
    const [mine, theirs] = [await placeOf(A), await placeOf(B)];
    const index = (await statusOf(A)).size + 1_000;
    await write(mine, index, (await rowAt(theirs, 1)).record);
    expect((await growthOf(() => round(nextMinute())))[at("d1")]).toBe(1);
    await remove(mine, index);
  });

  it("is found in a segment of R2", async () => {
    await rounds(1);
    const { log, archived } = await statusOf(A);
    const mine = await segmentOf(A, archived - 1);
    const theirs = await segmentOf(B, (await statusOf(B)).archived - 1);
    await env.ARCHIVE.put(mine.key, theirs.bytes);
    await env.ARCHIVE.put(theirs.key, mine.bytes);
    const grown = await growthOf(() => runCanaries(config, nextMinute() * 60_000));
    await env.ARCHIVE.put(mine.key, mine.bytes);
    await env.ARCHIVE.put(theirs.key, theirs.bytes);
    expect(grown[at("r2")]).toBe(2);
    const found = (await findingsOf(log)).filter((finding) => finding.at === "r2");
    expect(found).toMatchObject([
      { kind: "misrouted", severity: "critical", place: mine.key, remedy: [`PUT /v1/orgs/${A}/reads`] },
    ]);
  });
});

describe("a path of reading", () => {
  afterEach(() => void (PATHS as Path[]).pop());

  /** One more path, which shows the entry that is looked for as `change` has it. */
  async function shownAs(change: (shown: Shown, org: string) => Partial<Shown>): Promise<Record<string, number>> {
    const read: Path["read"] = async ({ reader: { org } }, { index }) => {
      const { log } = await statusOf(org);
      const shown = { log, index, text: markerOf(config, org) };
      return [{ ...shown, ...change(shown, org) }];
    };
    (PATHS as Path[]).push({ name: "planted", after: 1, every: 1, at: 0, read });
    await rounds(1);
    return growthOf(() => runCanaries(config, nextMinute() * 60_000));
  }

  it.each<[string, (shown: Shown, org: string) => Partial<Shown>]>([
    ["an entry of another log", ({ log }, org) => ({ log: org === A ? `${log}x` : log })],
    ["what another canary was sent", ({ text }, org) => ({ text: org === A ? text + markerOf(config, B) : text })],
  ])("that shows %s is a finding", async (_, change) => {
    const grown = await shownAs(change);
    expect(grown[at("planted")]).toBe(1);
    expect(grown['audit_canary_late_total{path="planted"}']).toBeUndefined();
    const { log } = await statusOf(A);
    const found = (await findingsOf(log)).filter((finding) => finding.at === "planted");
    expect(found).toMatchObject([{ kind: "misrouted", severity: "critical", place: "planted" }]);
  });

  it.each<[string, (shown: Shown, org: string) => Partial<Shown>]>([
    ["another entry of the log", ({ index }) => ({ index: index - 1 })],
    ["the entry without its marker", () => ({ text: "" })],
  ])("that shows %s is late", async (_, change) => {
    const grown = await shownAs(change);
    expect(grown[at("planted")]).toBeUndefined();
    expect(grown['audit_canary_late_total{path="planted"}']).toBe(CANARIES.length);
  });
});

describe("a row of the search index", () => {
  const unindexed = 'audit_findings_total{at="d1",kind="unindexed"}';
  const look = async () => (await growthOf(() => runCanaries(config, nextMinute() * 60_000)))[unindexed];
  const mend = () => call("POST", `/v1/orgs/${A}/repair`, { body: { reason: "done by the test" } });

  it("that is gone, or lies in another month's slot, is found", async () => {
    await rounds(1);
    const { db, table, base } = await placeOf(A);
    const key = base + (await statusOf(A)).size - 1;
    const [term, other] = [table.replace("entry", "term"), table === "entry_00" ? "term_01" : "term_00"];
    await db.prepare(`delete from ${term} where rowid = ?1`).bind(key).run();
    expect(await look()).toBe(1);
    await mend();
    await db.prepare(`insert into ${other} (rowid, x) values (?1, 'planted')`).bind(key).run();
    expect(await look()).toBe(1);
    await mend();
    expect(await look()).toBeUndefined();
  });
});

describe("names of canaries", () => {
  it("are for nobody but root and the service", async () => {
    const { json } = await call("POST", "/v1/keys", {
      body: { name: "all", scopes: ["orgs:write", "events:read", "events:append", "operate"] },
    });
    const { key } = json;
    const nowhere = await call("GET", "/v1/orgs/nobody-has-this/events", { key });
    for (const org of [A, "indelible-canary-0-c", "indelible-canary-77-a"]) {
      expect((await call("PUT", `/v1/orgs/${org}`, { key, body: {} })).status).toBe(404);
      const read = await call("GET", `/v1/orgs/${org}/events`, { key });
      expect({ ...read.json, request_id: "" }).toEqual({ ...nowhere.json, request_id: "" });
      expect((await call("POST", `/v1/orgs/${org}/events`, { key, body: event(1) })).status).toBe(404);
      const binding = exports.AuditLog({ props: { name: "shop", orgs: "*", scopes: ["events:append"] } });
      expect(await binding.append(org, event(1))).toMatchObject({ ok: false, refusal: { code: "not_found" } });
    }
    expect((await call("PUT", "/v1/orgs/indelible-canary-0-c", { body: {} })).status).toBe(404);
    expect((await call("PUT", "/v1/orgs/indelible-canary-77-a", { body: {} })).status).toBe(422);
  });
});

function at(store: string): string {
  return `audit_findings_total{at="${store}",kind="misrouted"}`;
}

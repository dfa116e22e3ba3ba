import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SAMPLE_ENTRIES } from "../../src/limits.ts";
import { sampleOrg } from "../../src/watch/sample.ts";
import { archiveDue, statusOf, untilProjected } from "../support/check-ledger.ts";
import { call, createOrg, event } from "../support/client.ts";
import { breakD1, breakR2, replaceMethod, restoreFaults } from "../support/faults.ts";
import { actsOf, remove, repair } from "../support/repair.ts";
import { shrinkCells, unshrinkCells } from "../support/shrink-cells.ts";
import { strand } from "../support/strand.ts";
import { type Cell, filled, rowAt, write } from "../support/tamper.ts";
import { config, findingsOf, placeOf, segmentOf, untilPlatform } from "./canary-support.ts";
import { growthOf } from "./support.ts";

const SECRET = "what only the other org may know";
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
  expect(said.filter((line) => line.includes(SECRET))).toEqual([]);
  said.length = 0;
});

/** An org of so many events beside another in the same cell, all of it archived and under a checkpoint. */
async function longOrg(events: number): Promise<{ org: string; cell: Cell; log: string }> {
  const org = await createOrg("sampled");
  for (let n = 0; n < events; n += 500) {
    const some = Array.from({ length: Math.min(500, events - n) }, (_, k) => event(n + k));
    await call("POST", `/v1/orgs/${org}/events`, { body: { events: some } });
  }
  await archiveDue(org);
  const { size, log } = await statusOf(org);
  await call("GET", `/v1/orgs/${org}/checkpoint?min_size=${size}`);
  return { org, cell: await placeOf(org), log };
}

/** A record of another org that quotes something. */
async function foreignRecord(): Promise<string> {
  const other = await createOrg("other");
  await call("POST", `/v1/orgs/${other}/events`, { body: event(1, { reason: SECRET, metadata: { note: SECRET } }) });
  await call("GET", `/v1/orgs/${other}/events?limit=1&min_size=2`);
  const { record } = await rowAt(await placeOf(other), 1);
  expect(record).toContain(SECRET);
  return record;
}

const NOW = Date.now();
const sample = (org: string, at: number | null = null, now = NOW) =>
  growthOf(() => sampleOrg(config, org, at === null ? { now } : { now, draw: () => at }));

describe("a sample", () => {
  it("of an org that is whole finds nothing, and leaves nothing in its log", async () => {
    const { org, log } = await longOrg(150);
    const { size } = await statusOf(org);
    for (const at of [0, 20, 51]) {
      expect(await sample(org, at)).toMatchObject({ 'audit_samples_total{outcome="whole"}': 1 });
    }
    expect((await statusOf(org)).size).toBe(size);
    expect(await findingsOf(log)).toEqual([]);
  });

  it("looks anywhere in the log, and nobody knows where", async () => {
    const { org } = await longOrg(300);
    const asked: number[] = [];
    const draw = (below: number) => {
      asked.push(below);
      return below - 1;
    };
    await sampleOrg(config, org, { now: NOW, draw });
    const { published } = await statusOf(org);
    expect(asked).toEqual([published - SAMPLE_ENTRIES + 1]);
  });

  it("finds a planted row of another org where it looks, and only there", async () => {
    const { org, cell, log } = await longOrg(250);
    await write(cell, 30, await foreignRecord());
    expect(await sample(org, 31)).toMatchObject({ 'audit_samples_total{outcome="whole"}': 1 });
    expect(await sample(org, 30)).toMatchObject({
      'audit_findings_total{at="d1",kind="misrouted"}': 1,
      'audit_samples_total{outcome="faulty"}': 1,
    });
    await sample(org, 0);
    const place = `${cell.db === env.CELL_0 ? "CELL_0" : "CELL_1"} ${cell.table}`;
    const finding = {
      severity: "critical",
      log,
      at: "d1",
      kind: "misrouted",
      place,
      count: 1,
      lowest_index: 30,
      highest_index: 30,
      remedy: [`PUT /v1/orgs/${org}/reads`, `POST /v1/orgs/${org}/repair`],
    };
    expect(await findingsOf(log)).toEqual([finding]);
    expect(await repair(org)).toMatchObject({ status: 200, json: { faults: [{ kind: "misrouted", index: 30 }] } });
    const [own, ...more] = await actsOf(org, "indelible.finding");
    expect(more).toEqual([]);
    expect(own).toMatchObject({
      source: "service",
      category: "config_change",
      actor: { type: "service", id: "sample" },
      targets: [{ type: "org", id: org }],
      metadata: finding,
    });
    expect(await sample(org, 30)).toMatchObject({ 'audit_samples_total{outcome="whole"}': 1 });
  });

  it("tells a standing fault again the next day", async () => {
    const { org, cell, log } = await longOrg(5);
    await remove(cell, 2);
    await sample(org);
    await sample(org);
    expect(await findingsOf(log)).toMatchObject([{ at: "d1", kind: "missing", severity: "high", lowest_index: 2 }]);
    await sample(org, null, NOW + 86_400_000);
    expect(await findingsOf(log)).toHaveLength(2);
  });

  it("names each kind of fault once, with how many and from where to where", async () => {
    const { org, cell, log } = await longOrg(40);
    for (const index of [5, 9, 30]) await remove(cell, index);
    const { record } = await rowAt(cell, 20);
    await write(cell, 20, record.replace("document.share", "document.forge"));
    await sample(org);
    const found = await findingsOf(log);
    const told = found.map((one) => `${one.count} ${one.kind} from ${one.lowest_index} to ${one.highest_index}`);
    expect(told.sort()).toEqual(["1 content_changed from 20 to 20", "3 missing from 5 to 30"]);
  });

  it("finds a segment that is gone, and one that holds other bytes", async () => {
    const { org, log } = await longOrg(20);
    const { key, bytes } = await segmentOf(org, 3);
    await env.ARCHIVE.delete(key);
    await sample(org);
    await env.ARCHIVE.put(key, "junk");
    await sample(org);
    const found = await findingsOf(log);
    expect(found.map(({ at, kind }) => `${at} ${kind}`).sort()).toEqual(["r2 damaged", "r2 missing"]);
    await env.ARCHIVE.put(key, bytes);
    expect(await sample(org)).toMatchObject({ 'audit_samples_total{outcome="whole"}': 1 });
  });

  it.each([
    ["D1", () => breakD1({ directory: false })],
    ["R2", breakR2],
  ])("is not made while %s is away, which is no finding", async (_, breakIt) => {
    const { org, log } = await longOrg(10);
    breakIt();
    await sampleOrg(config, org, { now: NOW });
    restoreFaults();
    expect(await findingsOf(log)).toEqual([]);
    expect(said.filter((line) => line.includes("an org was not sampled"))).toHaveLength(1);
  });

  it("takes what is there at a second look for no fault", async () => {
    const { org, cell } = await longOrg(6);
    const looks = replaceMethod(cell.db, "batch", (original, args) => original(...args));
    await sample(org);
    const asked = looks.hits;
    looks.restore();
    const row = await rowAt(cell, 4);
    await remove(cell, 4);
    const second = replaceMethod(cell.db, "batch", async (original, args) => {
      const answer = await original(...args);
      if (second.hits === asked) await write(cell, 4, row.record);
      return answer;
    });
    expect(await sample(org)).toMatchObject({ 'audit_samples_total{outcome="whole"}': 1 });
    expect(second.hits).toBe(2 * asked);
  });

  it("takes what a projection has not reached for late", async () => {
    const { org } = await filled();
    const fault = breakD1({ directory: false });
    await call("POST", `/v1/orgs/${org}/events`, { body: event(99) });
    fault.restore();
    expect(await sample(org)).toMatchObject({ 'audit_samples_total{outcome="whole"}': 1 });
  });

  it("looks at one of an org's logs each day, the earlier ones too", async () => {
    const { org, cell, log } = await longOrg(8);
    await strand(org);
    expect((await call("POST", `/v1/orgs/${org}/continue`, { body: { reason: "the end is gone" } })).status).toBe(201);
    await write(cell, 3, await foreignRecord());
    const days = [0, 1].map((n) => NOW + n * 86_400_000);
    for (const day of days) await sample(org, null, day);
    const { earlier } = await statusOf(org);
    expect(earlier).toMatchObject([{ log }]);
    expect(await findingsOf(log)).toMatchObject([
      { at: "d1", kind: "misrouted", lowest_index: 3, highest_index: 3, remedy: [`PUT /v1/orgs/${org}/reads`] },
    ]);
    expect(await findingsOf(`${log}/2`)).toEqual([]);
  });

  it("covers every cell the log lies in", async () => {
    const { org } = await longOrg(6);
    await shrinkCells(org);
    for (const n of [7, 8]) {
      await call("POST", `/v1/orgs/${org}/events`, { body: event(n) });
      await untilProjected(org);
    }
    unshrinkCells();
    const { placements, log, size } = await statusOf(org);
    expect(placements).toMatchObject([{ first_index: 0 }, { first_index: 8 }]);
    expect(await sample(org)).toMatchObject({ 'audit_samples_total{outcome="whole"}': 1 });
    const { cell, org_number } = placements[1] as { cell: string; org_number: number };
    const db = (env as unknown as Record<string, D1Database>)[cell] as D1Database;
    await remove({ db, table: (await placeOf(org)).table, base: org_number * 2 ** 32 }, size - 1);
    await sample(org);
    expect(await findingsOf(log)).toMatchObject([{ kind: "missing", place: cell, lowest_index: size - 1 }]);
  });
});

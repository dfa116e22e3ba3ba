import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { checkLedger, statusOf, wake } from "../support/check-ledger.ts";
import { call } from "../support/client.ts";
import { coolOrg, filledOrg, fillMonth, rowsOf, setDay, sweep } from "../support/cool.ts";
import { restoreFaults } from "../support/faults.ts";
import { emptySlots } from "../support/only-slots.ts";
import { verified } from "../support/tamper.ts";
import { actsOf, entriesOf, list, saysOf, walk } from "../query/support.ts";

/** March to August of 2031; what is cold in October is March to June. */
const [FIRST, LAST, NOW] = [3, 8, 10];
const IN_MONTH = 20;

const QUESTIONS: Record<string, Record<string, string | number | string[]>> = {
  "no filter": {},
  "oldest first": { order: "asc" },
  "an actor": { actor: "u_3" },
  "any of two actors, and not an action": { actor: ["u_1", "u_2"], "-action": "document.share" },
  "a category and a result": { category: "login", result: "failure" },
  "a target": { target_type: "document", target: "d_1" },
  "a prefix of actions, oldest first": { action: "user.*", order: "asc" },
  "an address": { ip: "10.0.0.4" },
  words: { q: '"Ada Number4" -result:failure' },
  "times around where the tiers meet": { from: "2031-06-10T00:00:00Z", to: "2031-07-10T00:00:00Z" },
  "indexes around where the tiers meet": { after_index: 70, before_index: 95, order: "asc" },
};

/** A key's reads are counted by the second. */
function pass(): void {
  vi.setSystemTime(Date.now() + 1_000);
}

/** Every answer of a walk: of clients alone, for reading is traced. */
async function answered(org: string, limits: number[]): Promise<Record<string, unknown>> {
  const answers: Record<string, unknown> = {};
  for (const [name, question] of Object.entries(QUESTIONS)) {
    for (const limit of limits) {
      pass();
      const { entries } = await walk(org, { source: "client", ...question, limit });
      expect(entries.length, name).toBeGreaterThan(0);
      answers[`${name}, ${limit} a page`] = entries;
    }
  }
  pass();
  for (const index of [0, 1, 41, 80, 81, 100, 119]) {
    answers[`index ${index}`] = (await call("GET", `/v1/orgs/${org}/events/${index}`)).json;
  }
  for (const id of ["e-3-0", "e-5-7", "e-6-19", "e-7-0", "e-8-19"]) {
    answers[`id ${id}`] = (await call("GET", `/v1/orgs/${org}/events/${id}`)).json;
  }
  answers["history"] = (await call("GET", `/v1/orgs/${org}/targets/document/d_2/history?limit=1000`)).json;
  const actors = await call("GET", `/v1/orgs/${org}/stats?group_by=actor&from=2031-03-01&to=2031-08-31`);
  answers["actors"] = actors.json.data.filter(({ type }: any) => type === "user");
  const days = await call("GET", `/v1/orgs/${org}/stats?group_by=day&from=2031-03-01&to=2031-08-31`);
  answers["days"] = days.json.data;
  return answers;
}

/** What differs between tiers is said, and where a page ends; nothing else differs. */
function withoutTier(answers: Record<string, any>): Record<string, unknown> {
  const { history, ...rest } = answers;
  const { tier: _, visible_size: __, next_cursor: ___, ...same } = history;
  return { ...rest, history: same };
}

beforeAll(emptySlots);
afterEach(restoreFaults);
afterAll(() => {
  vi.useRealTimers();
});

describe("months that are cold", () => {
  let org: string;
  let other: string;
  let before: Record<string, unknown>;

  beforeAll(async () => {
    org = await filledOrg(FIRST, LAST);
    other = await filledOrg(FIRST, FIRST, { days: 1 });
    setDay(NOW, 15);
    before = await answered(org, [25]);
  }, 60_000);

  it("leave their cell once every log that lies there is proven, and answer every question as before", async () => {
    expect((await list(org, { limit: 1 })).json.tier).toBe("hot");
    const begun = await sweep();
    expect(begun).toEqual(expect.arrayContaining([org, other]));
    const cold = 1 + 4 * IN_MONTH;
    expect(await statusOf(org)).toMatchObject({ cold_before: cold });
    expect((await call("GET", `/v1/orgs/${org}/status`)).json.projection).toMatchObject({ cold_before: cold });
    // Still there: what was proven is dropped by the next one.
    expect(await rowsOf(org, "2031-03")).toBe(1 + IN_MONTH);
    expect(await sweep()).toEqual([]);
    for (const month of ["2031-03", "2031-04", "2031-05", "2031-06"]) expect(await rowsOf(org, month)).toBe(0);
    for (const month of ["2031-07", "2031-08"]) expect(await rowsOf(org, month)).toBe(IN_MONTH);
    const after = withoutTier(await answered(org, [25]));
    for (const [question, answer] of Object.entries(withoutTier(before)))
      expect(after[question], question).toEqual(answer);
  });

  it("are told of: by each page, and by an entry of the log", async () => {
    const tiers: string[] = [];
    pass();
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page = await list(org, { source: "client", limit: 30, ...(cursor === "" ? {} : { cursor }) });
      tiers.push(page.json.tier);
      cursor = page.json.next_cursor;
    }
    expect(tiers.slice(0, 4)).toEqual(["hot", "both", "cold", "cold"]);
    const acts = await actsOf(org, "indelible.tier.cooled");
    expect(acts.map(saysOf)).toEqual([{ log: 1, from: 0, to: 81 }]);
    const told = (await call("GET", `/v1/orgs/${org}/events/${acts[0]?.leaf.index}`)).json;
    expect(told.summary).toContain("keeps entries 0 to 80 of log 1 in the archive alone");
  });

  it("verify, and are sampled and repaired without a finding", async () => {
    expect(await verified(org)).toMatchObject({ ok: true, breaks: [], pending: 0, unvouched: [] });
    const repaired = await call("POST", `/v1/orgs/${org}/repair`, { body: { reason: "as a test" } });
    expect(repaired.json, repaired.text).toMatchObject({ faults: [], continue_from: null, begun_index: null });
    await checkLedger(org, { archived: true });
  });

  it("stay cold when the search database is made anew, and are counted again", async () => {
    const answer = await call("POST", `/v1/orgs/${org}/rebuild`);
    expect(answer.status, answer.text).toBe(202);
    await wake(org);
    for (const month of ["2031-03", "2031-06"]) expect(await rowsOf(org, month)).toBe(0);
    expect(await rowsOf(org, "2031-07")).toBe(IN_MONTH);
    expect(withoutTier(await answered(org, [25]))["days"]).toEqual(before["days"]);
    await checkLedger(org, { archived: true });
    expect(await verified(org)).toMatchObject({ ok: true, breaks: [] });
  });

  it("are not proven again, nor sealed twice", async () => {
    const { size } = await statusOf(org);
    for (let n = 0; n < 2; n++) expect(await coolOrg(org)).toEqual({ logs: [{ log: 1, before: 81 }], faults: [] });
    await Promise.all([coolOrg(org), coolOrg(org)]);
    expect((await statusOf(org)).size).toBe(size);
  });

  it("give their slots to the months that need them 16 months later", async () => {
    // July 2032 lies where March 2031 lay.
    for (let month = NOW + 1; month <= 19; month++) {
      await fillMonth(org, month, { days: 2 });
      setDay(month, 28);
      await sweep();
      await sweep();
    }
    // With the entry that says what has become cold.
    expect(await rowsOf(org, "2032-07")).toBe(11);
    await checkLedger(org, { archived: true });
    const all = await walk(org, { source: "client", limit: 1_000, order: "asc" });
    const clients = (await entriesOf(org)).filter(({ leaf }) => leaf.source === "client");
    expect(all.entries.map(({ index }) => index)).toEqual(clients.map(({ leaf }) => leaf.index));
    pass();
    for (const id of ["e-3-0", "e-19-9", "e-12-3"]) {
      expect((await call("GET", `/v1/orgs/${org}/events/${id}`)).json).toMatchObject({ id });
    }
    expect(await verified(org)).toMatchObject({ ok: true, breaks: [] });
  });
});

import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { putEvidence } from "../../src/archive/evidence.ts";
import { absenceListHash, parseAbsenceList } from "../../src/chain/absence-list.ts";
import { sha256 } from "../../src/sha256.ts";
import { orgKey, problemOf } from "../http/support.ts";
import { actsOf, entriesOf, list, saysOf } from "../query/support.ts";
import { append, batchOf } from "../support/append.ts";
import { archiveDue, checkLedger, statusOf, untilProjected } from "../support/check-ledger.ts";
import { call } from "../support/client.ts";
import { finishJob } from "../support/jobs.ts";
import { linesOf } from "../support/owner.ts";
import { strand } from "../support/strand.ts";
import { verified } from "../support/tamper.ts";
import { startNightlyRun } from "../../src/keep/nightly-run.ts";
import { dayIn, daysPass, kept, keptOrg, ran, stopClock } from "./retention-support.ts";
import { begun, carriedOut, config } from "./support.ts";

afterEach(() => {
  vi.useRealTimers();
});

const EVENTS = [kept("login", 1), kept("general", 2), kept("telemetry", 3), kept("login", 4)];
const runs = (org: string) => `/v1/orgs/${org}/retention/runs`;

/** Which of the entries from 2 on still have something. */
async function left(org: string, count = EVENTS.length): Promise<number[]> {
  const entries = (await entriesOf(org, 2)).slice(0, count);
  return entries.flatMap(({ leaf, absent }) => {
    const gone = absent.filter(({ cause }) => cause === "expired").length;
    const sections = Object.keys(leaf.sections).length;
    expect([0, sections]).toContain(gone);
    return gone === 0 ? [leaf.index] : [];
  });
}

describe("a run of retention", () => {
  it("takes every section of an entry the day after its last day, and nothing a day early", async () => {
    stopClock();
    const org = await keptOrg(EVENTS);
    const { text: before } = await call("GET", `/v1/orgs/${org}/checkpoint?min_size=1`);
    const [, tree] = before.split("\n");
    for (const [passed, stay] of [
      [3, [2, 3, 4, 5]],
      [1, [3, 4]],
      [1, [3, 4]],
      [1, [4]],
      [400, [4]],
    ] as const) {
      daysPass(passed);
      await ran(org);
      expect(await left(org), `${passed}`).toEqual(stay);
    }
    const [first, second] = await actsOf(org, "indelible.retention.run");
    expect(first?.leaf.keep_until).toBe("forever");
    const { list: said } = saysOf(first);
    expect(said).toMatchObject({ entries: 2, sections: 10 });
    const listed = await call("GET", `/v1/orgs/${org}/absences/${said.sha256}`);
    expect(absenceListHash(sha256, listed.text)).toBe(said.sha256);
    expect([...(parseAbsenceList(listed.text)?.keys() ?? [])]).toEqual([2, 5]);
    const { json } = await call("GET", `/v1/orgs/${org}/events/2`);
    expect(json).toMatchObject({ index: 2, category: "login", absent: expect.anything() });
    expect(json.absent.every((gone: any) => gone.cause === "expired" && gone.by === first?.leaf.index)).toBe(true);
    expect((await entriesOf(org, 3))[0]?.absent[0]?.by).toBe(second?.leaf.index);
    expect((await list(org, { actor: "u_1" })).json.data).toEqual([]);
    expect((await list(org, { q: '"name 3"' })).json.data.map((entry: any) => entry.index)).toEqual([4]);
    expect(await verified(org)).toMatchObject({ ok: true, breaks: [] });
    const { text: after } = await call("GET", `/v1/orgs/${org}/checkpoint?min_size=${Number(tree) + 1}`);
    const range = `from=${tree}&to=${after.split("\n")[1]}`;
    expect((await call("GET", `/v1/orgs/${org}/proof/consistency?${range}`)).status).toBe(200);
    await checkLedger(org, { archived: true });
  });

  it("takes nothing when it is dry, and says what would go, also on a day to come", async () => {
    stopClock();
    const org = await keptOrg(EVENTS);
    daysPass(4);
    const { size } = await archiveDue(org);
    const counts = [{ category: "login", month: dayIn(-4).slice(0, 7), entries: 2, sections: 10 }];
    const first = [2, 5].map((index) => ({ log: 1, index, category: "login", keep_until: dayIn(-1) }));
    const dry = { dry_run: true };
    expect(await ran(org, dry)).toEqual({
      entries: 2,
      sections: 10,
      held: 0,
      unreadable: 0,
      findings: 0,
      counts,
      first,
      causes: [],
    });
    expect((await ran(org, { ...dry, after: 2 })).first).toEqual([first[1]]);
    expect((await ran(org, { ...dry, day: dayIn(-1) })).entries).toBe(0);
    expect((await ran(org, { ...dry, day: dayIn(2) })).entries).toBe(3);
    expect((await archiveDue(org)).size).toBe(size);
    expect(await left(org)).toEqual([2, 3, 4, 5]);
  });

  it("takes what repairs found as well, with the entries in whose place it was, but for what a hold covers", async () => {
    stopClock();
    const org = await keptOrg(EVENTS);
    const [{ log }, lines] = [await statusOf(org), await linesOf(org)];
    const at = new Date().toISOString();
    // Whoever changed a row may have written any day into it.
    const dayed = (n: number, day: string) =>
      lines[n]?.replace(/(keep_until\\":\\")[^\\]+/, (_, name: string) => `${name}${day}`);
    const pieces = [
      [2, dayed(2, "forever")],
      [5, lines[5]],
      [3, dayed(3, "2000-01-01")],
      [4, dayed(4, "2000-01-01")],
      [2, "{"],
      [99, lines[2]],
    ];
    const keys: string[] = [];
    for (const [n, [index, found]] of pieces.entries()) {
      keys.push((await putEvidence(env.ARCHIVE, { log, at, n }, { log, index, found })).key);
    }
    const there = async () => {
      const heads = await Promise.all(keys.map((key) => env.ARCHIVE.head(key)));
      return heads.flatMap((head, n) => (head === null ? [] : [n]));
    };
    daysPass(4);
    await ran(org, { dry_run: true });
    const holds = `/v1/orgs/${org}/holds`;
    const { id } = (await call("POST", holds, { body: { reason: "a case", after_index: 4 } })).json;
    expect(await ran(org)).toMatchObject({ entries: 1, held: 1, findings: 2 });
    expect(await there()).toEqual([1, 2, 3, 5]);
    await call("POST", `${holds}/${id}/release`, { body: { reason: "over" } });
    expect(await ran(org)).toMatchObject({ entries: 1, findings: 1 });
    daysPass(400);
    expect(await ran(org)).toMatchObject({ findings: 1 });
    expect(await there()).toEqual([3, 5]);
  });

  it("tells what would go to who may read the log, and its answer is traced", async () => {
    stopClock();
    const org = await keptOrg(EVENTS);
    daysPass(4);
    const { key: blind } = await orgKey(org, ["policy:write", "holds:write"]);
    const { key } = await orgKey(org, ["policy:write", "events:read"]);
    const body = { dry_run: true };
    problemOf(await call("POST", runs(org), { key: blind, body }), "forbidden");
    const { id } = (await call("POST", runs(org), { key, body })).json;
    await finishJob(org, "retention", id);
    problemOf(await call("GET", `${runs(org)}/${id}`, { key: blind }), "forbidden");
    const nothing = { id, dry_run: true, state: "done", entries: 0, counts: [], first: [] };
    expect((await call("GET", runs(org), { key: blind })).json.data).toMatchObject([nothing]);
    const { json, headers } = await call("GET", `${runs(org)}/${id}`, { key });
    expect(json).toMatchObject({ entries: 2, first: [{ index: 2 }, { index: 5 }] });
    const [trace] = await actsOf(org, "indelible.read");
    expect([trace?.leaf.index, saysOf(trace)]).toMatchObject([
      Number(headers.get("audit-read-index")),
      { route: "retention.dry_run", results_count: 2 },
    ]);
    await call("PUT", `/v1/orgs/${org}/reads`, { body: { enabled: false, reason: "a look" } });
    problemOf(await call("GET", `${runs(org)}/${id}`, { key }), "reads_disabled");
  });

  it("goes through its job, and says what went; of two at once each does what the other has not", async () => {
    stopClock();
    const org = await keptOrg(EVENTS);
    daysPass(6);
    const [one, two] = await Promise.all([1, 2].map(() => call("POST", runs(org), { body: {} })));
    expect([one?.status, two?.status], one?.text).toEqual([202, 202]);
    const ids = [one?.json.id, two?.json.id] as [string, string];
    for (const id of ids) await finishJob(org, "retention", id);
    const ended = await Promise.all(ids.map(async (id) => (await call("GET", `${runs(org)}/${id}`)).json));
    for (const run of ended) expect(run).toMatchObject({ state: "done", dry_run: false, day: dayIn(), error: null });
    expect(Math.max(...ended.map(({ entries }) => entries))).toBe(3);
    const { json } = await call("GET", runs(org));
    expect(json.data.map(({ id }: any) => id).sort()).toEqual([...ids].sort());
    expect(await left(org)).toEqual([4]);
    expect(await verified(org)).toMatchObject({ ok: true, breaks: [] });
    await checkLedger(org, { archived: true });
  });

  it("is refused for a day to come, and the attempt is sealed; nothing else lets anything go", async () => {
    stopClock();
    const org = await keptOrg(EVENTS);
    problemOf(await call("POST", runs(org), { body: { as_of: dayIn(400) } }), "unprocessable");
    const [act] = await actsOf(org, "indelible.retention.refused");
    expect(saysOf(act)).toEqual({ as_of: dayIn(400), today: dayIn() });
    expect(act?.actor).toMatchObject({ type: "key", id: "root" });
    await expect(ran(org, { day: dayIn(400) })).rejects.toThrow("Nothing goes before");
    const list = new Map([[2, ["event"]]]);
    await expect(begun(org, list, { cause: "expired", before: dayIn(1) })).rejects.toThrow("Nothing goes before");
    const removal = await begun(org, list, { cause: "expired" });
    await expect(carriedOut(org, removal)).rejects.toThrow("nothing expires before its day is over");
    for (const body of [{ as_of: "tomorrow" }, { after_index: 1 }, { as_of: null }, { force: true }]) {
      problemOf(await call("POST", runs(org), { body }), "invalid_request");
    }
    problemOf(await call("DELETE", `/v1/orgs/${org}/events/2`), "method_not_allowed");
    expect(await left(org)).toEqual([2, 3, 4, 5]);
    await checkLedger(org, { archived: true });
  });

  it("begins once a day by itself, where anything may be due", async () => {
    stopClock();
    const org = await keptOrg(EVENTS);
    daysPass(4);
    const now = Date.now();
    for (let n = 0; n < 2; n++) expect(await startNightlyRun(config, org, now)).toBe(true);
    await finishJob(org, "retention", `run_nightly_${dayIn()}`);
    expect(await left(org)).toEqual([3, 4]);
    const [act] = await actsOf(org, "indelible.retention.run");
    expect(act?.actor).toMatchObject({ type: "service", id: "retention" });
    // What was written anew is looked into once more, then nothing is due for a while.
    await ran(org);
    await ran(org);
    expect(await startNightlyRun(config, org, now)).toBe(false);
    const known = await env.ORG_LEDGER.getByName(org).dueSegments(org, {
      from: 0,
      day: "9999-12-31",
      unknown: false,
      limit: 9,
    });
    expect(known.ok && known.value.length).toBeGreaterThan(0);
  });

  it("takes from the logs before the newest as well, by a cause in the newest", async () => {
    stopClock();
    const org = await keptOrg(EVENTS);
    await call("GET", `/v1/orgs/${org}/checkpoint?min_size=6`);
    await strand(org);
    expect((await call("POST", `/v1/orgs/${org}/continue`, { body: { reason: "an entry is gone" } })).status).toBe(201);
    await append(org, batchOf([kept("login", 9)]));
    await untilProjected(org);
    await archiveDue(org);
    daysPass(4);
    const { causes, entries } = await ran(org);
    expect(entries).toBe(3);
    expect(causes.map(({ log }) => log)).toEqual([2, 2]);
    const { json } = await call("GET", `/v1/orgs/${org}/1/events/2`);
    expect(json.absent.map(({ cause, by }: any) => [cause, by])).toEqual(Array(5).fill(["expired", causes[1]?.index]));
    expect((await call("GET", `/v1/orgs/${org}/1/events/3`)).json.absent).toEqual([]);
    expect(await ran(org)).toMatchObject({ entries: 0, held: 0, causes: [] });
  });
});

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Caller } from "../../src/schema/caller.ts";
import { append, appendBatches, batchOf, refusalOf } from "../support/append.ts";
import { checkLedger } from "../support/check-ledger.ts";
import { call, createOrg, event, freshOrg } from "../support/client.ts";
import { evict } from "../support/faults.ts";

afterEach(() => {
  vi.useRealTimers();
});

const NOBODY: Caller = { kind: "trusted", name: "reader", scopes: ["events:read"], orgs: "all" };
const STRANGER: Caller = { kind: "org_key", id: "o_nobody", hash: "0".repeat(64) };

async function metric(sample: string): Promise<number> {
  const { text } = await call("GET", "/metrics");
  const line = text.split("\n").find((one) => one.startsWith(`${sample} `));
  return line === undefined ? 0 : Number(line.slice(sample.length + 1));
}

describe("a bad caller in a gather", () => {
  it("is refused alone, whatever is wrong with it", async () => {
    const org = await createOrg("bad");
    await append(org, batchOf([event(1, { id: "taken" })], { batch: "used" }));
    const throwing = batchOf([event(2)]);
    throwing.events[0]?.sections.push({ name: "actor", text: "{}" });
    const ledger = env.ORG_LEDGER.getByName(org);
    const refused = [
      refusalOf(org, batchOf([event(3)]), NOBODY),
      refusalOf(org, batchOf([event(3)]), STRANGER),
      refusalOf(org, batchOf([event(3)], { batch: "used" })),
      refusalOf(org, batchOf([event(3, { id: "taken" })])),
      (async () => {
        await ledger.append(org, NOBODY, [throwing]);
      })(),
    ];
    const neighbours = Array.from({ length: 10 }, (_, n) => append(org, batchOf([event(n, { id: `ok-${n}` })])));
    const broken = append(org, throwing).then(
      () => "appended",
      (error: unknown) => String(error),
    );
    const receipts = (await Promise.all(neighbours)).flatMap((one) => one.receipts);
    expect(receipts.map(({ duplicate }) => duplicate)).toEqual(neighbours.map(() => false));
    expect(await broken).toContain("a section stands once");
    const codes = (await Promise.all(refused)).map((refusal) => refusal?.code);
    expect(codes).toEqual(["forbidden", "not_found", "conflict", "conflict", undefined]);
    expect((await checkLedger(org)).entries.length).toBe(12);
  });
});

describe("a call meant for another org", () => {
  it("is refused and counted, and nothing is sealed anywhere", async () => {
    const [here, there] = [await createOrg("here"), await createOrg("there")];
    const sample = 'audit_cross_org_refusals_total{at="ledger"}';
    const before = await metric(sample);
    const caller: Caller = { kind: "trusted", name: "queue", scopes: ["events:append"], orgs: "*" };
    const ledger = env.ORG_LEDGER.getByName(here);
    const answers = [
      await ledger.append(there, caller, [batchOf([event(1)])]),
      await ledger.traceRead(there, NOBODY, { ...READ, route: "events.list" }),
      await ledger.authorize(there, caller, "events:append"),
      await ledger.status(there),
      await ledger.linesFrom(there, 0, 10),
    ];
    for (const answer of answers) expect(answer).toMatchObject({ ok: false, refusal: { code: "internal" } });
    expect((await metric(sample)) - before).toBe(answers.length);
    for (const org of [here, there]) expect((await checkLedger(org)).entries.length).toBe(1);
  });

  it("finds nothing, and writes nothing, before the org was created", async () => {
    const org = freshOrg("never");
    expect(await refusalOf(org)).toMatchObject({ code: "not_found" });
    const tables = await runInDurableObject(env.ORG_LEDGER.getByName(org), (_, { storage }) =>
      storage.sql.exec("select count(*) as n from sqlite_master where name not like '\\_cf%' escape '\\'").one(),
    );
    expect(tables["n"]).toBe(0);
  });
});

const READ = { filter: "", reason: null, ip: null, user_agent: null, request_id: null, results: 0, range: null };

describe("time", () => {
  it("never goes back in a log, though the clock does", async () => {
    const org = await createOrg("clock");
    const now = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now: now + 20_000 });
    const ahead = await append(org, batchOf([event(1)]));
    vi.setSystemTime(now);
    const counted = await metric("audit_clock_ahead_total");
    const back = await append(org, batchOf([event(2)]));
    expect(back.receipts[0]?.sequenced_at).toBe(ahead.receipts[0]?.sequenced_at);
    expect(back.receipts[0]?.sequenced_at).toBe(new Date(now + 20_000).toISOString());
    expect((await metric("audit_clock_ahead_total")) - counted).toBe(1);
    await evict(org);
    const after = await append(org, batchOf([event(3)]));
    expect(after.receipts[0]?.sequenced_at).toBe(ahead.receipts[0]?.sequenced_at);
    vi.setSystemTime(now + 30_000);
    const on = await append(org, batchOf([event(4)]));
    expect(on.receipts[0]?.sequenced_at).toBe(new Date(now + 30_000).toISOString());
    await checkLedger(org);
  });

  it("decides how long each entry is kept, by its category and never by occurred_at", async () => {
    const org = await createOrg("keep");
    vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("2027-02-28T23:59:59.999Z") });
    const days = { login: 90, general: 365, log_access: 365, telemetry: 365, data_modification: 2555 };
    const events = Object.keys(days).map((category, n) => event(n, { category, occurred_at: "1999-01-01T00:00:00Z" }));
    await append(org, batchOf([...events, event(9)]));
    const { entries } = await checkLedger(org);
    const kept = entries.slice(1).map(({ line }) => /keep_until\\":\\"([^\\]+)/.exec(line)?.[1]);
    const until = (count: number) => new Date(Date.UTC(2027, 1, 28 + count)).toISOString().slice(0, 10);
    expect(kept).toEqual([...Object.values(days).map(until), until(365)]);
  });
});

describe("limits of a log", () => {
  it("stages large events in rows of at most 1.5 MB", async () => {
    const org = await createOrg("large");
    const large = (n: number) => event(n, { metadata: { n, text: "é".repeat(45_000) } });
    await append(org, batchOf(Array.from({ length: 40 }, (_, n) => large(n))));
    const { ledger, entries } = await checkLedger(org, { projected: false });
    expect(entries.length).toBe(41);
    const rows = ledger.staged.slice(-3).map(({ bytes }) => bytes);
    expect(rows.length).toBe(3);
    expect(Math.max(...rows)).toBeLessThanOrEqual(1_500_000);
    expect(Math.min(...rows.slice(0, 2))).toBeGreaterThan(1_400_000);
    await checkLedger(org, { archived: true });
  });

  it("ends at 2^32 entries, and says so", async () => {
    const org = await createOrg("end");
    const last = 2 ** 32 - 3;
    const ledger = env.ORG_LEDGER.getByName(org);
    await runInDurableObject(ledger, (_, { storage }) => {
      storage.sql.exec(
        "insert into segment (first, last, name, head, sequenced_at) values (1, ?, 'none', ?, 0)",
        last,
        "A".repeat(43),
      );
      storage.sql.exec("delete from staged");
    });
    await evict(org);
    expect(await refusalOf(org, batchOf([event(1), event(2), event(3)]))).toMatchObject({
      code: "unprocessable",
      detail: "A log ends at 4294967296 entries.",
    });
    const { receipts } = await append(org, batchOf([event(1), event(2)]));
    expect(receipts.map(({ index }) => index)).toEqual([2 ** 32 - 2, 2 ** 32 - 1]);
    const [one] = await appendBatches(org, [batchOf([event(1)])]);
    expect(one).toMatchObject({ ok: false, refusal: { code: "unprocessable" } });
    await runInDurableObject(ledger, (_, { storage }) => storage.deleteAlarm());
  });
});

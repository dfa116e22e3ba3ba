import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { configOf } from "../../src/env.ts";
import { appendShared } from "../../src/ingest/append-shared.ts";
import { ledgerOf } from "../../src/ledger/client.ts";
import type { OrgLedger } from "../../src/ledger/org-ledger.ts";
import { SHARED_MAX_CALLERS, SHARED_WAIT_MAX_MS } from "../../src/limits.ts";
import type { Caller } from "../../src/schema/caller.ts";
import type { Append, AppendAnswer } from "../../src/schema/ledger.ts";
import { batchOf, ROOT } from "../support/append.ts";
import { checkLedger } from "../support/check-ledger.ts";
import { createOrg, event } from "../support/client.ts";

afterEach(() => {
  vi.useRealTimers();
});

const NOBODY: Caller = { kind: "trusted", name: "reader", scopes: ["events:read"], orgs: "all" };
const STRANGER: Caller = { kind: "org_key", id: "o_nobody", hash: "0".repeat(64) };

type Door = Pick<OrgLedger, "append" | "appendAll">;

/** The way to the ledgers with a counter of calls on it, and whatever `instead` puts in the way. */
function watched(instead: (real: Door) => Partial<Door> = () => ({})) {
  const config = configOf(env);
  const calls: number[] = [];
  const getByName = (org: string) => {
    const stub = ledgerOf(config, org);
    const real: Door = {
      append: async (...call) => await stub.append(...call),
      appendAll: async (...call) => await stub.appendAll(...call),
    };
    const door = { ...real, ...instead(real) };
    return {
      append: (...call: Parameters<Door["append"]>) => {
        calls.push(1);
        return door.append(...call);
      },
      appendAll: (...call: Parameters<Door["appendAll"]>) => {
        calls.push(call[1].length);
        return door.appendAll(...call);
      },
    };
  };
  return { calls, config: { ...config, ledgers: { getByName } as unknown as typeof config.ledgers } };
}

type Watched = ReturnType<typeof watched>;

function send(
  { config }: Watched,
  org: string,
  n: number,
  { lifetime = createExecutionContext(), ...more }: Partial<Append> & { lifetime?: ExecutionContext } = {},
): Promise<AppendAnswer> {
  const batches = [batchOf([event(n, { id: `e-${n}` })])];
  return appendShared(config, org, { caller: ROOT, batches, ...more }, lifetime);
}

function sendMany(way: Watched, org: string, count: number): Promise<AppendAnswer[]> {
  return Promise.all(Array.from({ length: count }, (_, n) => send(way, org, n)));
}

/** The ids each answer has a receipt for. */
function idsOf(answers: AppendAnswer[]): string[] {
  return answers.map((answer) => {
    if (!answer.ok || answer.value[0]?.ok !== true) throw new Error(`refused: ${JSON.stringify(answer)}`);
    return answer.value[0].value.receipts.map(({ id }) => id).join();
  });
}

const ids = (count: number) => Array.from({ length: count }, (_, n) => `e-${n}`);

describe("appends of one org that arrive together", () => {
  it("share a call, and each gets its own receipts", async () => {
    const org = await createOrg("shared");
    const way = watched();
    expect(idsOf(await sendMany(way, org, 40))).toEqual(ids(40));
    expect(way.calls).toEqual([40]);
    expect((await checkLedger(org)).entries.length).toBe(41);
  });

  it("are called for by a request that lasts until they have their answers", async () => {
    const org = await createOrg("lasting");
    const way = watched();
    const answered: number[] = [];
    const lifetime = createExecutionContext();
    void send(way, org, 0, { lifetime });
    for (const n of [1, 2, 3]) void send(way, org, n).then(() => answered.push(n));
    await waitOnExecutionContext(lifetime);
    expect(answered).toEqual([1, 2, 3]);
  });

  it("go in calls of limited size", async () => {
    const org = await createOrg("sized");
    const way = watched();
    expect(idsOf(await sendMany(way, org, SHARED_MAX_CALLERS + 3))).toEqual(ids(SHARED_MAX_CALLERS + 3));
    expect(way.calls).toEqual([SHARED_MAX_CALLERS, 3]);
  });

  it("are each decided by their own caller", async () => {
    const org = await createOrg("callers");
    const way = watched();
    const sent = [
      send(way, org, 0),
      send(way, org, 1, { caller: NOBODY }),
      send(way, org, 2, { caller: STRANGER }),
      send(way, org, 3),
    ];
    const answers = await Promise.all(sent);
    expect(way.calls).toEqual([4]);
    expect(answers.map((answer) => (answer.ok ? "appended" : answer.refusal.code))).toEqual([
      "appended",
      "forbidden",
      "not_found",
      "appended",
    ]);
    expect((await checkLedger(org)).entries.length).toBe(3);
  });

  it("are asked again alone when what one of them holds breaks the call", async () => {
    const org = await createOrg("poisoned");
    const way = watched();
    const poison = batchOf([event(9)]);
    poison.events[0]?.sections.push({ name: "actor", text: "{}" });
    const first = send(way, org, 0);
    const broken = send(way, org, 9, { batches: [poison] }).catch(String);
    const others = [send(way, org, 1), send(way, org, 2)];
    expect(idsOf([await first, ...(await Promise.all(others))])).toEqual(ids(3));
    expect(await broken).toContain("a section stands once");
    expect(way.calls).toEqual([4, 1, 1, 1, 1]);
    expect((await checkLedger(org)).entries.length).toBe(4);
  });

  it("are told so when the ledger is overloaded, and nothing is asked again", async () => {
    const org = await createOrg("overloaded");
    const way = watched((real) => ({
      append: real.append,
      appendAll: () => Promise.reject(Object.assign(new Error("too much"), { overloaded: true })),
    }));
    const answers = await sendMany(way, org, 4);
    expect(answers.map((answer) => (answer.ok ? null : answer.refusal.code))).toEqual(Array(4).fill("overloaded"));
    expect(way.calls).toEqual([4]);
  });
});

describe("appends that share nothing", () => {
  it("of other orgs go their own way", async () => {
    const orgs = [await createOrg("one"), await createOrg("two")];
    const way = watched();
    await Promise.all(orgs.flatMap((org) => [send(way, org, 0), send(way, org, 1)]));
    expect(way.calls).toEqual([2, 2]);
    for (const org of orgs) expect((await checkLedger(org)).entries.length).toBe(3);
  });

  it("too large to gain by it do not wait", async () => {
    const org = await createOrg("large");
    const way = watched();
    const large = () => [batchOf([event(7, { metadata: { text: "x".repeat(20_000) } })])];
    await Promise.all([send(way, org, 0), ...[1, 2, 3].map((n) => send(way, org, n, { batches: large() }))]);
    expect(way.calls).toEqual([1, 1, 1, 1]);
    expect((await checkLedger(org)).entries.length).toBe(5);
  });
});

describe("a request that was to call for others and was ended", () => {
  it("keeps nobody waiting for ever, nor those who come later", async () => {
    const org = await createOrg("ended");
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    const way = watched();
    void send(way, org, 0);
    // With it goes whatever it had yet to do.
    vi.clearAllTimers();
    const waits = send(way, org, 1);
    vi.advanceTimersByTime(SHARED_WAIT_MAX_MS);
    const later = send(way, org, 2);
    vi.advanceTimersByTime(1);
    vi.useRealTimers();
    expect(idsOf([await waits, await later])).toEqual(["e-1", "e-2"]);
    expect(way.calls).toEqual([1, 1]);
    expect((await checkLedger(org)).entries.length).toBe(3);
  });

  it("has its call made again by each when no answer comes", async () => {
    const org = await createOrg("silent");
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    const silent = () => new Promise<never>(() => undefined);
    const way = watched(({ append }) => ({ append, appendAll: silent }));
    void send(way, org, 0);
    const waits = [send(way, org, 1), send(way, org, 2)];
    vi.advanceTimersByTime(SHARED_WAIT_MAX_MS);
    vi.useRealTimers();
    expect(idsOf(await Promise.all(waits))).toEqual(["e-1", "e-2"]);
    expect((await checkLedger(org)).entries.length).toBe(3);
  });
});

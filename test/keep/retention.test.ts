import { describe, expect, it, vi, afterEach } from "vitest";
import { retentionStep } from "../../src/keep/retention-step.ts";
import type { RunRequest, RunTotals } from "../../src/schema/retention.ts";
import { ROOT, append, batchOf } from "../support/append.ts";
import { archiveDue, checkLedger, untilProjected } from "../support/check-ledger.ts";
import { call, createOrg, event } from "../support/client.ts";
import { actsOf } from "../query/support.ts";
import { verified } from "../support/tamper.ts";
import { config } from "./support.ts";

afterEach(() => {
  vi.useRealTimers();
});

async function run(org: string, request: RunRequest): Promise<RunTotals> {
  let progress: any = null;
  for (let n = 0; n < 100; n++) {
    const stepped = await retentionStep({ config, org, id: "run_test", by: ROOT }, request, progress);
    if ("ok" in stepped) throw new Error(stepped.refusal.detail);
    if (stepped.result !== null) return stepped.result;
    progress = JSON.parse(JSON.stringify(stepped.progress));
  }
  throw new Error("a run ends");
}
const day = (days = 0) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

describe("a run of retention", () => {
  it("takes every section of what has expired, and nothing else", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const org = await createOrg("expire");
    await call("PUT", `/v1/orgs/${org}/retention`, { body: { days: { login: 3, general: 4 } } });
    await append(org, batchOf([event(1, { category: "login" }), event(2), event(3, { category: "login" })]));
    await untilProjected(org);
    await archiveDue(org);
    vi.setSystemTime(Date.now() + 4 * 86_400_000);
    const dry = await run(org, { day: day(), dry_run: true, after: null });
    expect(dry).toMatchObject({ entries: 2, held: 0, causes: [] });
    const totals = await run(org, { day: day(), dry_run: false, after: null });
    expect(totals).toMatchObject({ entries: 2, held: 0, causes: [{ log: 1 }] });
    expect(await actsOf(org, "indelible.retention.run")).toHaveLength(1);
    expect(await verified(org)).toMatchObject({ ok: true });
    await checkLedger(org, { archived: true });
    const stats = async () => (await call("GET", `/v1/orgs/${org}/stats?group_by=action&from=${day(-10)}`)).json;
    const actions = async () => (await call("GET", `/v1/orgs/${org}/actions?from=${day(-10)}`)).json;
    const before = [await stats(), await actions()];
    await call("POST", `/v1/orgs/${org}/rebuild`);
    await untilProjected(org);
    const after = [await stats(), await actions()];
    console.error(JSON.stringify(before[0].data), JSON.stringify(after[0].data));
    expect(after[0].data.find((g: any) => g.value === "document.share")).toMatchObject({ count: 3 });
    await checkLedger(org, { archived: true });
  });
});

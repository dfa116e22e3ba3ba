import { env, exports } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { configOf } from "../../src/env.ts";
import { ORG_CREATION_MAX_MS, READS_SWITCH_FRESH_MS, READS_SWITCH_STALE_MS } from "../../src/limits.ts";
import { deploymentOpen } from "../../src/query/deployment-reads.ts";
import { SCOPES } from "../../src/schema/caller.ts";
import { readOrg } from "../../src/store/org.ts";
import { platformKey, problemOf } from "../http/support.ts";
import { actsOf, saysOf, sizeOf } from "../query/support.ts";
import { later } from "../support/check-ledger.ts";
import { call, createOrg, event } from "../support/client.ts";
import { evict, replaceMethod, restoreFaults } from "../support/faults.ts";
import { verified } from "../support/tamper.ts";
import { listStatus, WHY } from "./reads-support.ts";

const put = (body: unknown, key?: string) => call("PUT", "/v1/reads", { body, ...(key === undefined ? {} : { key }) });
const CLOSE = { enabled: false, reason: WHY };

/** Every log that org `platform` has: another test may have continued it. */
async function verifyPlatform(): Promise<void> {
  const { missing = [] } = (await call("GET", "/v1/reads")).json;
  for (const { request } of missing) await call("GET", request.replace(/^GET /, ""));
}

/** Opens what this file closes, whatever became of a test. */
afterEach(async () => {
  restoreFaults();
  await verifyPlatform();
  const opened = await put({ enabled: true, reason: "the test is over" });
  expect(opened.json, opened.text).toEqual({ enabled: true });
});

/** Another isolate: what it remembers is its own. */
const isolate = () => ({ ...configOf(env) });

/** The ledger of org `platform` does not answer. */
function silencePlatform() {
  return replaceMethod(env.ORG_LEDGER, "getByName", (original, [name]) => {
    if (name === "platform") throw new Error("no answer: injected by the test");
    return original(name);
  });
}

describe("the deployment's switch", () => {
  it("stops reading of every org, by every door, and nothing else", async () => {
    const org = await createOrg("all");
    await call("POST", `/v1/orgs/${org}/events`, { body: event(1) });
    const closed = await put(CLOSE);
    expect(closed.status, closed.text).toBe(200);
    const told = { of: "deployment", since: closed.json.since, reason: WHY };
    const size = await sizeOf(org);
    for (const of of [org, "platform"]) {
      const answer = await call("GET", `/v1/orgs/${of}/events`);
      expect(problemOf(answer, "reads_disabled")).toMatchObject({ reads: told });
    }
    const bound = exports.AuditLog({ props: { name: "shop-api", orgs: "*", scopes: [...SCOPES] } });
    expect(await bound.list(org)).toMatchObject({ ok: false, refusal: { code: "reads_disabled", reads: told } });
    // Nothing was even looked for: what does not leave has no trace.
    expect(await sizeOf(org)).toBe(size);
    expect((await call("POST", `/v1/orgs/${org}/events`, { body: event(1) })).status).toBe(201);
    expect((await call("GET", `/v1/orgs/${org}/checkpoint?min_size=1`)).status).toBe(200);
    expect((await verified(org)).ok).toBe(true);
    expect((await call("GET", `/v1/orgs/${org}/status`)).json.reads).toEqual({ state: "disabled", closed: [told] });
    expect((await call("GET", `/v1/orgs/${org}/reads`)).json).toEqual({ enabled: true });
    const unknown = await call("GET", "/v1/orgs/no-such-org/events");
    problemOf(unknown, "not_found");
    const [act] = (await actsOf("platform", "indelible.reads.disabled")).slice(-1);
    const { of, window } = saysOf(act);
    expect([of, window[0]]).toMatchObject(["deployment", { log: 1, from: 0 }]);
  });

  it("lets nothing out that was being found when it was closed", async () => {
    const org = await createOrg("under-way");
    const reading = call("GET", `/v1/orgs/${org}/events?min_size=1000000`);
    await put(CLOSE);
    problemOf(await reading, "reads_disabled");
  });

  it("opens when org platform's log was verified since, and is closed after its ledger is evicted", async () => {
    const org = await createOrg("again");
    await put(CLOSE);
    await evict("platform");
    expect(await listStatus(org)).toBe(503);
    problemOf(await put({ enabled: true, reason: "too early" }), "conflict");
    await verifyPlatform();
    expect((await put({ enabled: true, reason: "all in order" })).json).toEqual({ enabled: true });
    expect(await listStatus(org)).toBe(200);
  });

  it("is turned by who reaches every org alone", async () => {
    const { key } = await platformKey(["reads:write"]);
    const { key: weak } = await platformKey(["events:read"]);
    const { key: one } = await platformKey(["reads:write"], ["one"]);
    for (const refused of [weak, one]) problemOf(await put(CLOSE, refused), "forbidden");
    expect((await put(CLOSE, key)).json).toMatchObject({ enabled: false, by: expect.stringMatching(/^ind_p/) });
    problemOf(await call("GET", "/v1/orgs/platform/reads", { key }), "not_found");
  });
});

describe("an isolate that was told before", () => {
  it("asks again within seconds, and then obeys", async () => {
    const [here, there] = [isolate(), isolate()];
    for (const config of [here, there]) expect(await deploymentOpen(config)).toEqual({ ok: true, value: null });
    await put(CLOSE);
    expect((await deploymentOpen(there)).ok).toBe(true);
    for (const config of [here, there]) {
      const answer = await later(READS_SWITCH_FRESH_MS, () => deploymentOpen(config));
      expect(answer).toMatchObject({ ok: false, refusal: { code: "reads_disabled" } });
    }
  });

  it("serves what it knows for a while when nobody answers, and then nothing", async () => {
    const [open, fresh] = [isolate(), isolate()];
    await deploymentOpen(open);
    const fault = silencePlatform();
    expect(await later(READS_SWITCH_STALE_MS - 1_000, () => deploymentOpen(open))).toMatchObject({ ok: true });
    for (const answer of [
      await later(READS_SWITCH_STALE_MS, () => deploymentOpen(open)),
      await deploymentOpen(fresh),
    ]) {
      expect(answer).toMatchObject({ ok: false, refusal: { code: "overloaded", retry_after_s: 2 } });
    }
    fault.restore();
    expect((await deploymentOpen(fresh)).ok).toBe(true);
  });

  it("keeps closed what it knows to be closed, however long nobody answers", async () => {
    const config = isolate();
    await put(CLOSE);
    await deploymentOpen(config);
    silencePlatform();
    const answer = await later(3_600_000, () => deploymentOpen(config));
    expect(answer).toMatchObject({ ok: false, refusal: { code: "reads_disabled" } });
    restoreFaults();
  });

  it("reads nothing when the ledger of org platform has lost its storage, and goes on while it is being made", async () => {
    const answer = { ok: false, refusal: { code: "not_found", detail: "none" } };
    replaceMethod(env.ORG_LEDGER, "getByName", (original, [name]) =>
      name === "platform" ? { deploymentReads: () => Promise.resolve(answer) } : original(name),
    );
    const { created_at } = (await readOrg(env.DIRECTORY, "platform")) ?? { created_at: 0 };
    const ago = Date.now() - created_at;
    expect(await later(ORG_CREATION_MAX_MS, () => deploymentOpen(isolate()))).toMatchObject({ ok: false });
    expect(await later(ORG_CREATION_MAX_MS - ago - 5_000, () => deploymentOpen(isolate()))).toMatchObject({ ok: true });
  });

  it("says in the status that it is not known", async () => {
    const org = await createOrg("silent");
    silencePlatform();
    expect((await call("GET", `/v1/orgs/${org}/status`)).json.reads).toEqual({ state: "unknown", closed: [] });
  });
});

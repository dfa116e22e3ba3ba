import { env, exports } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { configOf } from "../../src/env.ts";
import { consume } from "../../src/ingest/consume.ts";
import { storeDeadLetter } from "../../src/ingest/dead-letters.ts";
import { METRICS } from "../../src/meter.ts";
import { call, createOrg, event, freshOrg } from "../support/client.ts";
import { breakProjection, breakSegments, breakSequencing, restoreFaults } from "../support/faults.ts";
import { growthOf, metricsNow, parseMetrics, takeDown } from "./support.ts";

afterEach(() => {
  vi.useRealTimers();
  restoreFaults();
});

const append = (org: string, body: unknown, headers = {}) => call("POST", `/v1/orgs/${org}/events`, { body, headers });

/** A message as the queue hands it over; what becomes of it is kept. */
function messageOf(text: string, attempts: number) {
  const said: string[] = [];
  const ack = () => void said.push("ack");
  const retry = () => void said.push("retry");
  return { said, message: { id: freshOrg("m"), timestamp: new Date(), attempts, body: text, ack, retry } };
}

const appendMessage = (org: string, events: unknown[] = [event(1)]) =>
  JSON.stringify({
    v: 1,
    kind: "append",
    org,
    batch: freshOrg("b"),
    received_at: "2026-11-21T00:00:00Z",
    key: "shop",
    events,
  });

describe("/metrics", () => {
  it("is Prometheus' text format, with a family for every metric there is", async () => {
    const org = await createOrg("format");
    await append(org, event(1));
    const answer = await call("GET", "/metrics");
    expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    const families = parseMetrics(answer.text);
    const names = Object.keys(METRICS).map((name) => name.replace(/_(bucket|sum|count)$/, ""));
    expect([...families.keys()]).toEqual(expect.arrayContaining([...new Set(names)]));
    for (const { help } of families.values()) expect(help).toMatch(/\.$/);
  });

  it("has a latency histogram whose buckets grow with their bounds up to the count", async () => {
    const org = await createOrg("latency");
    const grown = await growthOf(() => append(org, event(1)));
    expect(grown["audit_append_seconds_count"]).toBe(1);
    expect(grown['audit_append_seconds_bucket{le="+Inf"}']).toBe(1);
    const { samples } = parseMetrics((await call("GET", "/metrics")).text).get("audit_append_seconds")!;
    const buckets = samples.filter(({ name }) => name.endsWith("_bucket"));
    const bounds = buckets.map(({ labels }) => Number(labels["le"]?.replace("+Inf", "Infinity")));
    expect(bounds).toEqual(bounds.toSorted((a, b) => a - b));
    expect(buckets.map(({ value }) => value)).toEqual(buckets.map(({ value }) => value).toSorted((a, b) => a - b));
    expect(buckets.at(-1)?.value).toBe(samples.find(({ name }) => name.endsWith("_count"))?.value);
  });

  it("counts events logged by how they came, and duplicates apart", async () => {
    const org = await createOrg("logged");
    const grown = await growthOf(async () => {
      await append(org, { events: [event(1), event(2, { id: "two" })] });
      await append(org, event(2, { id: "two" }));
      await append(org, event(3), { "audit-delivery": "import" });
    });
    expect(grown['audit_events_logged_total{delivery="direct"}']).toBe(2);
    expect(grown['audit_events_logged_total{delivery="import"}']).toBe(1);
    expect(grown["audit_events_duplicate_total"]).toBe(1);
  });

  it("counts failed events by reason, the log's own failures apart from the client's", async () => {
    const org = await createOrg("failed");
    const grown = await growthOf(async () => {
      await append(org, { action: "a.b" });
      await append(org, event(1), { "idempotency-key": "k" });
      await append(org, { events: [event(2), event(3)] }, { "idempotency-key": "k" });
      const fault = await breakSequencing(org, "failed");
      await append(org, event(4));
      fault.restore();
    });
    expect(grown['audit_events_failed_total{reason="invalid_event",fault="client"}']).toBe(1);
    expect(grown['audit_events_failed_total{reason="conflict",fault="client"}']).toBe(2);
    expect(grown['audit_events_failed_total{reason="internal",fault="log"}']).toBe(1);
  });

  it("counts all the events of a refused request, as far as it was read", async () => {
    const org = await createOrg("held");
    const bad = { action: "a.b" };
    const lines = (events: unknown[]) => events.map((one) => JSON.stringify(one)).join("\n\n");
    const ndjson = { "content-type": "application/x-ndjson" };
    const grown = await growthOf(async () => {
      await append(org, { events: [event(1), bad, event(2), bad, event(3)] });
      await append(org, { events: [event(1), event(2)], more: 1 });
      await append(org, `{"events":[{"action":"a.b","action":"a.b"},{}]}`);
      await append(org, lines([event(1), bad, "not an event"]), ndjson);
      await append(org, { events: [] });
    });
    expect(grown['audit_events_failed_total{reason="invalid_event",fault="client"}']).toBe(5 + 2 + 2 + 3 + 1);
    const unread = await growthOf(async () => {
      await append(org, '{"events":[{},{},');
      await append(org, lines(Array.from({ length: 1_003 }, () => ({}))), ndjson);
      await append(org, { events: Array.from({ length: 1_002 }, () => ({})) });
      await append(org, event(1), { "content-type": "text/plain" });
    });
    const reason = (name: string) => unread[`audit_events_failed_total{reason="${name}",fault="client"}`];
    expect(["invalid_request", "too_large", "unsupported_media_type"].map(reason)).toEqual([1, 1_003 + 1_002, 1]);
  });

  it("counts each event once that a binding or the queue could not get in", async () => {
    const org = await createOrg("held-elsewhere");
    const log = exports.AuditLog({ props: { name: "shop", orgs: "*", scopes: ["events:append"] } });
    const options = { idempotency_key: "once" };
    const grown = await growthOf(async () => {
      await log.append(org, [event(1), { action: "a.b" }]);
      await log.append(org, [event(1), { ...event(2), metadata: Number.NaN }, event(3)]);
      await log.append(org, event(1), options);
      await log.append(org, [event(1), event(2), event(3)], options);
      await consume(configOf(env), [messageOf(appendMessage(freshOrg("none"), [event(1), event(2)]), 1).message]);
      await consume(configOf(env), [messageOf(appendMessage(org, [event(1), {}, {}, {}]), 1).message]);
    });
    const reason = (name: string) => grown[`audit_events_failed_total{reason="${name}",fault="client"}`];
    expect(["invalid_event", "conflict", "not_found"].map(reason)).toEqual([2 + 3 + 4, 3, 2]);
  });

  it("has a success ratio that is logged over logged and failed", async () => {
    const now = await metricsNow();
    const total = (name: string) =>
      [...now].reduce((sum, [sample, value]) => (sample.startsWith(`${name}{`) ? sum + value : sum), 0);
    const [logged, failed] = [total("audit_events_logged_total"), total("audit_events_failed_total")];
    expect(now.get("audit_success_ratio")).toBeCloseTo(logged / (logged + failed), 9);
    expect(now.get("audit_success_ratio")).toBeLessThan(1);
  });

  it("counts messages of the queue that were appended, retried, parked and dead, and gauges what waits", async () => {
    const org = await createOrg("queue");
    const taken = messageOf(appendMessage(org), 1);
    const again = messageOf(appendMessage(org), 1);
    const parked = messageOf(appendMessage(org), 3);
    const dead = messageOf("junk", 1);
    const grown = await growthOf(async () => {
      await consume(configOf(env), [taken.message, dead.message]);
      const fault = await breakSequencing(org, "failed");
      await consume(configOf(env), [again.message]);
      await consume(configOf(env), [parked.message]);
      fault.restore();
    });
    const outcome = (name: string) => grown[`audit_queue_messages_total{outcome="${name}"}`];
    expect(["appended", "retried", "parked", "dead"].map(outcome)).toEqual([1, 1, 1, 1]);
    expect([grown["audit_parked_messages"], grown["audit_dead_letters"]]).toEqual([1, 1]);
    expect([taken, again, parked, dead].map(({ said }) => said[0])).toEqual(["ack", "retry", "ack", "ack"]);
  });

  it("counts calls that reached the ledger of another org", async () => {
    const [org, other] = [await createOrg("right"), await createOrg("wrong")];
    const grown = await growthOf(() => env.ORG_LEDGER.getByName(other).status(org));
    expect(grown['audit_cross_org_refusals_total{at="ledger"}']).toBe(1);
  });

  it("gauges how far projection and archive lag, in entries and seconds, and forgets it when they caught up", async () => {
    const org = await createOrg("lagging");
    const lag = async () => {
      const now = await metricsNow();
      return ["projection", "archive"].flatMap((store) =>
        ["entries", "seconds"].map((unit) => now.get(`audit_${store}_lag_${unit}`) ?? Number.NaN),
      );
    };
    const faults = [breakProjection(org, "failed"), breakSegments(org, "put", "failed")];
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(Date.now() + 120_000);
    await append(org, { events: [event(1), event(2), event(3)] });
    const ledger = env.ORG_LEDGER.getByName(org);
    await ledger.wake(org);
    vi.setSystemTime(Date.now() + 90_000);
    await ledger.wake(org);
    const behind = await lag();
    // Other orgs of this run report as well, so only the least is known.
    expect(behind[0]).toBeGreaterThanOrEqual(3);
    expect(behind[2]).toBeGreaterThanOrEqual(3);
    expect(behind[1]).toBeGreaterThanOrEqual(90);
    expect(behind[3]).toBeGreaterThanOrEqual(90);
    for (const fault of faults) fault.restore();
    vi.setSystemTime(Date.now() + 120_000);
    await ledger.wake(org);
    const after = await lag();
    expect(after[0]).toBeLessThanOrEqual(behind[0]! - 3);
    expect(after[2]).toBeLessThanOrEqual(behind[2]! - 3);
  });

  it("loses no count when the directory is down for a while", async () => {
    const org = await createOrg("kept");
    const grown = await growthOf(async () => {
      const fault = takeDown(env.DIRECTORY);
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60_000 });
      await append(org, event(1));
      await append(org, event(2));
      vi.useRealTimers();
      fault.restore();
    });
    expect(grown['audit_events_logged_total{delivery="direct"}']).toBe(2);
  });

  it("has no label that a client chose", async () => {
    const org = await createOrg("closed");
    const word = "ChosenByAClient";
    await append(org, { ...event(1), action: `${word}.x`, actor: { type: word, id: word } });
    await call("GET", `/v1/orgs/${org}/${word}`);
    await call("GET", `/${word}`, { headers: { "x-request-id": word } });
    const config = configOf(env);
    const refusal = { code: "overloaded", detail: word } as const;
    await storeDeadLetter(config, { id: freshOrg("dl"), org, refusal, state: "dead", attempts: 1, text: word });
    const { text } = await call("GET", "/metrics");
    expect(text).not.toContain(word);
    expect(text).not.toContain(org);
  });
});

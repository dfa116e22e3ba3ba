import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Deployed } from "./deployed.ts";

const service = new Deployed({
  callers: ["./test/binding/wrangler.toml"],
  vars: { LOG_NAME: "audit.example.com/v1/orgs" },
});

beforeAll(() => service.start());
afterAll(() => service.stop());

async function shop(body: Record<string, unknown>): Promise<any> {
  const response = await service.server.fetch("/", { method: "POST", body: JSON.stringify(body) });
  return response.json();
}

async function api(method: string, path: string, body?: unknown): Promise<any> {
  return JSON.parse((await service.call(method, path, body)).text);
}

const event = (n: number) => ({
  id: `shop-${n}`,
  action: "order.placed",
  actor: { type: "user", id: "u" },
  metadata: { n, price: 1.1 },
});

describe("a second Worker with a service binding", () => {
  it("appends, lists, gets and verifies under the binding's name", async () => {
    await api("PUT", "/v1/orgs/bound", { name: "Bound" });
    const appended = await shop({ org: "bound", mode: "append", events: [event(1), event(2)] });
    expect(appended).toMatchObject({
      ok: true,
      value: {
        receipts: [
          { id: "shop-1", index: 1 },
          { id: "shop-2", index: 2 },
        ],
        size: 3,
      },
    });
    expect(await shop({ org: "bound", mode: "append", events: [event(2)] })).toMatchObject({
      ok: true,
      value: { receipts: [{ index: 2, duplicate: true }], size: 3 },
    });
    const got = await shop({ org: "bound", mode: "get", id: "shop-2" });
    expect(JSON.parse(got.value)).toMatchObject({
      id: "shop-2",
      key: "shop-api",
      delivery: "binding",
      metadata: { n: 2, price: 1.1 },
    });
    const listed = await shop({ org: "bound", mode: "list", query: { action: "order.*", min_size: "3" } });
    expect(listed.value.data.map((text: string) => JSON.parse(text).id)).toEqual(["shop-2", "shop-1"]);
    expect(await shop({ org: "bound", mode: "verify" })).toMatchObject({ ok: true, value: { ok: true, breaks: [] } });
  });

  it("hands over through the queue and goes on", async () => {
    await api("PUT", "/v1/orgs/handed", {});
    const handed = await shop({ org: "handed", mode: "enqueue", events: [event(7)] });
    expect(handed).toEqual({ ok: true, value: [{ id: "shop-7" }] });
    await expect
      .poll(() => api("GET", "/v1/orgs/handed/events/shop-7"), { timeout: 20_000, interval: 200 })
      .toMatchObject({ delivery: "binding" });
  });

  it.each(["bigint", "nan", "infinity", "date", "map", "undefined"])("refuses %s by pointer", async (mode) => {
    await api("PUT", "/v1/orgs/valued", {});
    const refused = await shop({ org: "valued", mode });
    expect(refused).toMatchObject({
      ok: false,
      refusal: { code: "invalid_event", errors: [{ pointer: "/metadata/odd" }] },
    });
  });

  it("refuses without props, org platform, and orgs that are not there, as values", async () => {
    expect(await shop({ org: "bound", mode: "without_props", events: event(1) })).toMatchObject({
      ok: false,
      refusal: { code: "forbidden" },
    });
    expect(await shop({ org: "platform", mode: "append", events: event(1) })).toMatchObject({
      ok: false,
      refusal: { code: "not_found" },
    });
    expect(await shop({ org: "nobody", mode: "append", events: event(1) })).toMatchObject({
      ok: false,
      refusal: { code: "not_found" },
    });
    expect(await shop({ org: "../x", mode: "enqueue", events: event(1) })).toMatchObject({
      ok: false,
      refusal: { code: "not_found" },
    });
  });
});

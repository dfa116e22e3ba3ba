import { afterEach, describe, expect, it, vi } from "vitest";
import { call, createOrg, event } from "../support/client.ts";
import { list, walk } from "./support.ts";

const MONTH = 31 * 86_400_000;

afterEach(() => {
  vi.useRealTimers();
});

describe("a ledger whose clock is ahead of its reader's", () => {
  it("has its entries listed and got all the same, though they were sequenced in the reader's next month", async () => {
    const org = await createOrg("ahead");
    await call("POST", `/v1/orgs/${org}/events`, { body: event(1, { id: "now" }) });
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + MONTH });
    await call("POST", `/v1/orgs/${org}/events`, { body: event(2, { id: "ahead" }) });
    vi.useRealTimers();
    const page = await list(org, { min_size: 3, source: "client" });
    expect(page.json.data.map(({ id }: any) => id)).toEqual(["ahead", "now"]);
    expect((await call("GET", `/v1/orgs/${org}/events/ahead`)).json).toMatchObject({ index: 2 });
    expect((await call("GET", `/v1/orgs/${org}/events/2`)).json).toMatchObject({ id: "ahead" });
    const upwards = await walk(org, { order: "asc", limit: 1, source: "client" });
    expect(upwards.entries.map(({ id }) => id)).toEqual(["now", "ahead"]);
  });

  it("goes on listing what was sequenced months ago, more than the ring has slots", async () => {
    const org = await createOrg("months");
    const start = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now: start });
    for (let month = 0; month < 20; month++) {
      vi.setSystemTime(start + month * MONTH);
      await call("POST", `/v1/orgs/${org}/events`, { body: event(month, { id: `m-${month}` }) });
    }
    const ids = Array.from({ length: 20 }, (_, month) => `m-${month}`);
    for (const limit of [3, 1_000]) {
      const upwards = await walk(org, { source: "client", min_size: 21, limit, order: "asc" });
      expect(upwards.entries.map(({ id }) => id)).toEqual(ids);
      const { entries } = await walk(org, { source: "client", limit });
      expect(entries.map(({ id }) => id)).toEqual(ids.toReversed());
    }
    const all = await walk(org, { limit: 6 });
    expect(all.entries.map(({ index }) => index)).toEqual(all.entries.map((_, n) => all.entries[0].index - n));
    for (const [n, id] of ids.entries()) {
      expect((await call("GET", `/v1/orgs/${org}/events/${id}`)).json.index).toBe(1 + n);
    }
  });
});

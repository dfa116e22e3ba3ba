import { afterEach, describe, expect, it, vi } from "vitest";
import { networkOf } from "../../src/http/network-of.ts";
import { READERS_KEPT_MAX_COUNT, TREE_READS_PER_SECOND } from "../../src/limits.ts";
import { ReadLimiter } from "../../src/ledger/read-limiter.ts";
import { checkLedger } from "../support/check-ledger.ts";
import { call } from "../support/client.ts";
import { at, publishedOrg } from "./prove-support.ts";
import { platformKey, problemOf } from "./support.ts";

afterEach(() => {
  vi.useRealTimers();
});

describe("reads of the tree", () => {
  it("are limited for each key, and for each network without one", async () => {
    const org = await publishedOrg("limited", 3);
    await call("PUT", `/v1/orgs/${org}`, { body: { public_log: true } });
    const { key } = await platformKey(["events:read"]);
    const from = (address: string) => ({ key: null, headers: { "cf-connecting-ip": address } });
    const path = at(org, "tile/0/000.p/1");
    vi.useFakeTimers({ toFake: ["Date"] });
    const noisy = from("2001:db8::1");
    const all = Array.from({ length: TREE_READS_PER_SECOND }, () => call("GET", path, noisy));
    expect((await Promise.all(all)).every(({ status }) => status === 200)).toBe(true);
    for (const what of [path, at(org, "checkpoint"), at(org, "log-key"), at(org, "proof/consistency?from=0&to=1")]) {
      const refused = await call("GET", what, from("2001:db8:0:0:ffff::2"));
      expect(problemOf(refused, "rate_limited").detail).toContain(String(TREE_READS_PER_SECOND));
      expect(refused.headers.get("retry-after")).toBe("1");
    }
    expect((await call("GET", path, from("2001:db8:0:1::1"))).status).toBe(200);
    expect((await call("GET", path, from("192.0.2.1"))).status).toBe(200);
    expect((await call("GET", path, { key })).status).toBe(200);
    vi.setSystemTime(Date.now() + 1_000);
    expect((await call("GET", path, noisy)).status).toBe(200);
    vi.useRealTimers();
    await checkLedger(org, { archived: true });
  });

  it("come from a network: an IPv4 address, or the first half of an IPv6 one", () => {
    for (const [address, network] of [
      ["192.0.2.1", "192.0.2.1"],
      ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
      ["2001:db8::", "2001:db8:0:0"],
      ["2001:db8::6", "2001:db8:0:0"],
      ["::1", "0:0:0:0"],
      ["1:2:3::4:5:6:7", "1:2:3:0"],
      ["1:2:3:4:5:6:7:8:9:10::", "1:2:3:4"],
      ["::::", "0:0:0:0"],
      [undefined, "unknown"],
    ] as const) {
      expect(networkOf(address), address).toBe(network);
    }
  });
});

describe("a limiter", () => {
  it("gives each reader its share a second, and forgets those it has not seen for long", () => {
    const limiter = new ReadLimiter("test", 2, "no more");
    const take = (reader: string, now: number) => limiter.take(reader, now).ok;
    expect([take("a", 0), take("a", 0), take("a", 0), take("b", 0)]).toEqual([true, true, false, true]);
    expect([take("a", 499), take("a", 500), take("a", 500)]).toEqual([false, true, false]);
    // A clock that was set back gives nobody more.
    expect(take("a", 0)).toBe(false);
    for (let n = 0; n < READERS_KEPT_MAX_COUNT; n++) take(`other ${n}`, 500);
    expect(take("a", 500)).toBe(true);
  });
});

import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { append, batchOf } from "../support/append.ts";
import { archiveDue, checkLedger, later, statusOf, untilProjected, wake } from "../support/check-ledger.ts";
import { call, createOrg, event } from "../support/client.ts";
import { breakD1, breakR2, breakSegments, evict, type Fault, replaceMethod, restoreFaults } from "../support/faults.ts";
import { growthOf } from "../watch/support.ts";

afterEach(restoreFaults);

const isSegmentOf = (org: string, [key]: unknown[]) => new RegExp(`^seg/.*/orgs/${org}/`).test(String(key));

/** R2 answers a read of this org's segment with other bytes, once. */
function spoilReadBack(org: string): Fault {
  let spoiled = false;
  return replaceMethod(env.ARCHIVE, "get", async (original, args) => {
    if (spoiled || !isSegmentOf(org, args)) return original(...args);
    spoiled = true;
    const object = (await original(...args)) as R2ObjectBody;
    const bytes = new Uint8Array(await object.arrayBuffer());
    bytes[bytes.length - 3] = (bytes.at(-3) ?? 0) ^ 1;
    return { arrayBuffer: () => Promise.resolve(bytes.buffer) };
  });
}

const FAULTS: Record<string, (org: string) => Fault> = {
  "put fails": (org) => breakSegments(org, "put", "failed", { times: 1 }),
  "put is stored, but reported as failed": (org) => breakSegments(org, "put", "failed but stored", { times: 1 }),
  "the segment reads back differently": spoilReadBack,
  "the segment cannot be read back": (org) => breakSegments(org, "get", "failed", { times: 1 }),
  "the segment is not there when it is read back": (org) => {
    let asked = false;
    return replaceMethod(env.ARCHIVE, "get", (original, args) => {
      if (asked || !isSegmentOf(org, args)) return original(...args);
      asked = true;
      return Promise.resolve(null);
    });
  },
};
const SIZES = ["the same size", "another size"] as const;
const CASES = Object.keys(FAULTS).flatMap((fault) => SIZES.map((size) => ({ fault, size })));

describe("a segment that is not archived", () => {
  it.each(CASES)("because $fault keeps its entries staged, and is made up for at $size", async ({ fault, size }) => {
    const org = await createOrg("archive");
    await append(org, batchOf([event(1, { id: "a" }), event(2)]));
    await untilProjected(org);
    const inject = FAULTS[fault];
    expect(inject?.(org).hits).toBe(0);
    expect(await archiveDue(org)).toMatchObject({ size: 3, projected: 3, archived: 0, backlog: { entries: 3 } });
    await checkLedger(org);

    if (size === "another size") await append(org, batchOf([event(3), event(4, { id: "b" })]));
    const { ledger, entries, objects } = await later(30_000, () => checkLedger(org, { archived: true }));
    // No segment is left in R2 that the ledger does not know.
    expect(objects).toEqual(ledger.segments.map(({ name }) => name));
    expect(entries.length).toBe(size === "another size" ? 5 : 3);
    const listed = await call("GET", `/v1/orgs/${org}/verify`);
    expect(JSON.parse(listed.text.trim().split("\n").at(-1) ?? "")).toMatchObject({ ok: true, breaks: [] });
  });
});

describe("a segment whose name in R2 is taken by other bytes", () => {
  /** Puts other bytes under the name of this org's next segment, just before the ledger does; answers that name. */
  function takeName(org: string): { name: () => string } {
    let name = "";
    replaceMethod(env.ARCHIVE, "put", async (original, args) => {
      if (name === "" && String(args[0]).includes(`/orgs/${org}/`)) await original((name = args[0]), "damaged\n");
      return original(...args);
    });
    return { name: () => name };
  }

  it("is archived beside them, and read from there; they stay for who looks into it", async () => {
    const org = await createOrg("damaged");
    await append(org, batchOf([event(1, { id: "a" }), event(2)]));
    await untilProjected(org);
    const taken = takeName(org);
    const grown = await growthOf(() => archiveDue(org));
    expect(grown["audit_segments_damaged_total"]).toBe(1);
    expect(grown["audit_archive_failures_total"]).toBeUndefined();
    expect(await statusOf(org)).toMatchObject({ size: 3, archived: 3 });
    await evict(org);
    const rebuilt = await call("POST", `/v1/orgs/${org}/rebuild`);
    expect(rebuilt.status, rebuilt.text).toBe(202);
    await untilProjected(org);
    expect((await call("GET", `/v1/orgs/${org}/events/a`)).json).toMatchObject({ index: 1 });
    expect(await (await env.ARCHIVE.get(taken.name()))?.text()).toBe("damaged\n");
    await env.ARCHIVE.delete(taken.name());
    const { ledger } = await checkLedger(org, { archived: true });
    expect(ledger.segments[0]?.name).toMatch(/-2-[0-9a-f]{64}\.ndjson\.gz$/);
  });

  it("is not adopted by a start as it is: its entries stay staged until they are archived beside it", async () => {
    const org = await createOrg("not-adopted");
    await append(org, batchOf([event(1), event(2)]));
    await untilProjected(org);
    breakSegments(org, "put", "failed but stored", { times: 1 });
    await archiveDue(org);
    const [name = ""] = (await checkLedger(org)).objects;
    await env.ARCHIVE.put(name, "damaged\n");
    await evict(org);
    expect(await wake(org)).toMatchObject({ size: 3, archived: 0, backlog: { entries: 3 } });
    expect(await later(30_000, () => archiveDue(org))).toMatchObject({ archived: 3 });
    await env.ARCHIVE.delete(name);
    await checkLedger(org, { archived: true });
  });
});

describe("R2 down", () => {
  it("does not stop appends or search, and everything is archived afterwards", async () => {
    const org = await createOrg("down");
    breakR2();
    for (let n = 0; n < 3; n++) await append(org, batchOf([event(n), event(n + 1)]));
    await untilProjected(org);
    expect(await archiveDue(org)).toMatchObject({ size: 7, projected: 7, archived: 0, ingestion: "accepting" });
    const listed = await call("GET", `/v1/orgs/${org}/events?min_size=7&source=client`);
    expect(listed.json.data.length).toBe(6);
    restoreFaults();
    await later(30_000, () => checkLedger(org, { archived: true }));
  });

  it("is not asked again with every append, however much there is to archive", async () => {
    const org = await createOrg("often");
    const puts = breakSegments(org, "put", "failed");
    await append(org, batchOf(Array.from({ length: 1_000 }, (_, n) => event(n))));
    await expect.poll(() => puts.hits).toBe(1);
    for (let n = 0; n < 5; n++) await append(org, batchOf([event(n)]));
    await untilProjected(org);
    await wake(org);
    expect(puts.hits).toBe(1);
    await later(15_000, () => wake(org));
    expect(puts.hits).toBe(2);
    restoreFaults();
    await later(30_000, () => wake(org));
    const { ledger } = await checkLedger(org, { archived: true });
    expect(ledger.segments.map(({ first }) => first).slice(0, 1)).toEqual([0]);
  });

  it("hanging is given up after 30 s, and the same segment is put again", async () => {
    const org = await createOrg("hung");
    await append(org, batchOf([event(1), event(2)]));
    await untilProjected(org);
    const puts = breakSegments(org, "put", "hangs, but stored", { times: 1 });
    const wait = globalThis.setTimeout;
    const hurried = vi.spyOn(globalThis, "setTimeout");
    // Only what waits for R2 waits so long.
    hurried.mockImplementation(((act: () => void, ms?: number) => wait(act, ms === 30_000 ? 50 : ms)) as typeof wait);
    await archiveDue(org);
    expect([puts.hits, (await statusOf(org)).archived]).toEqual([1, 0]);
    hurried.mockRestore();
    const { ledger, objects } = await later(90_000, () => checkLedger(org, { archived: true }));
    expect(ledger.segments.map(({ first, last }) => [first, last])).toEqual([[0, 2]]);
    expect(objects).toHaveLength(1);
  });

  it("and D1 down as well do not stop appends, and everything shows up afterwards", async () => {
    const org = await createOrg("both");
    await untilProjected(org);
    breakD1();
    breakR2();
    for (let n = 0; n < 4; n++) {
      const answer = await call("POST", `/v1/orgs/${org}/events`, { body: event(n) });
      expect(answer.status, answer.text).toBe(201);
    }
    await archiveDue(org);
    expect(await statusOf(org)).toMatchObject({ size: 5, projected: 1, archived: 0, backlog: { entries: 5 } });
    restoreFaults();
    await wake(org);
    const { entries } = await later(30_000, () => checkLedger(org, { archived: true }));
    expect(entries.length).toBe(5);
  });
});

describe("segments", () => {
  it("are closed at 1,000 entries or 4 MB at the latest, of whole staged rows", async () => {
    const org = await createOrg("closed");
    const large = (n: number) => event(n, { metadata: "x".repeat(90_000) });
    for (let n = 0; n < 5; n++) await append(org, batchOf(Array.from({ length: 260 }, (_, k) => event(k))));
    for (let n = 0; n < 6; n++) await append(org, batchOf(Array.from({ length: 15 }, (_, k) => large(k))));
    const { ledger, status } = await checkLedger(org, { archived: true });
    expect(status.archived).toBe(1 + 5 * 260 + 6 * 15);
    for (const { first, last, name } of ledger.segments) {
      expect(last - first + 1).toBeLessThanOrEqual(1_000);
      expect((await env.ARCHIVE.head(name))?.size).toBeLessThanOrEqual(4_000_000);
    }
  });
});

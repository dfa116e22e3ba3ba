import { describe, expect, it } from "vitest";
import type { Receipt } from "../../src/schema/ledger.ts";
import { append, batchOf } from "../support/append.ts";
import { checkLedger, untilProjected } from "../support/check-ledger.ts";
import { call, createOrg, event, freshOrg } from "../support/client.ts";
import { evict } from "../support/faults.ts";

const WRITERS = 64;
const APPENDS = 50;
const OCCURRED_AT = "2026-11-21T18:00:00.000Z";

/** What writer `w` sends as its `n`th append: alone or in threes; every tenth carries an id all writers use. */
function eventsOf(w: number, n: number): Record<string, unknown>[] {
  if (n % 10 === 0) return [event(n, { id: `shared-${n}`, occurred_at: OCCURRED_AT })];
  if (n % 2 === 0) return [event(n, { id: `own-${w}-${n}`, occurred_at: OCCURRED_AT })];
  return [0, 1, 2].map((k) => event(k, { occurred_at: OCCURRED_AT, ...(k === 1 ? { id: `own-${w}-${n}` } : {}) }));
}

async function write(org: string, w: number, n: number): Promise<Receipt[]> {
  const events = eventsOf(w, n);
  // Some writers come over HTTP, the others as the queue and bindings do.
  if (w % 8 !== 0) return (await append(org, batchOf(events))).receipts;
  const body = events.length === 1 ? events[0] : { events };
  const answer = await call("POST", `/v1/orgs/${org}/events`, { body });
  expect(answer.status, answer.text).toBe(201);
  return answer.json.data;
}

describe("concurrent writers of one org", () => {
  it("seals 64 writers' 50 appends each into one chain without a fork", { timeout: 120_000 }, async () => {
    const org = await createOrg("crowd");
    const receipts: Receipt[] = [];
    const writer = async (w: number) => {
      for (let n = 0; n < APPENDS; n++) receipts.push(...(await write(org, w, n)));
    };
    await Promise.all(Array.from({ length: WRITERS }, (_, w) => writer(w)));

    // Of 50 appends, 5 share their id with all writers, 20 are single, 25 are of three events.
    const sealed = WRITERS * (20 + 25 * 3) + 5;
    const fresh = receipts.filter(({ duplicate }) => !duplicate);
    expect(receipts.length).toBe(WRITERS * (25 + 25 * 3));
    expect(fresh.length).toBe(sealed);
    expect(new Set(fresh.map(({ index }) => index)).size).toBe(sealed);
    await untilProjected(org);
    const { entries, status } = await checkLedger(org, { archived: true });
    expect(status.size).toBe(1 + sealed);
    for (const { id, index, entry_hash } of receipts) {
      expect(entries[index]).toMatchObject({ id, hash: entry_hash });
    }
    const verified = await call("GET", `/v1/orgs/${org}/verify`);
    const report = JSON.parse(verified.text.trim().split("\n").at(-1) ?? "");
    expect(report).toMatchObject({ ok: true, checked: 1 + sealed, breaks: [], unvouched: [] });
  });

  it("creates an org once when many ask for it at once", async () => {
    const org = freshOrg("created");
    const answers = await Promise.all(Array.from({ length: 8 }, () => call("PUT", `/v1/orgs/${org}`, { body: {} })));
    expect(answers.every(({ status }) => status === 200 || status === 201)).toBe(true);
    const { entries } = await checkLedger(org);
    expect(entries.map(({ action }) => action)).toEqual(["indelible.org.created"]);
  });

  it("keeps one chain while the object is evicted again and again", async () => {
    const org = await createOrg("evicted");
    for (let round = 0; round < 5; round++) {
      const writes = Array.from({ length: 20 }, (_, n) =>
        append(org, batchOf([event(n % 15, { id: `e-${round}-${n % 15}` })])),
      );
      await Promise.all([...writes, ...(round % 2 === 0 ? [evict(org)] : [])]);
      await evict(org);
    }
    const { entries } = await checkLedger(org);
    expect(entries.length).toBe(1 + 5 * 15);
  });
});

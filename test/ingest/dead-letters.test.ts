import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { checkLedger } from "../support/check-ledger.ts";
import { call, createOrg, event, freshOrg } from "../support/client.ts";
import { breakD1, breakMethod, breakR2, breakSequencing, restoreFaults } from "../support/faults.ts";
import { deadLetterOf, deliver, messageOf, RECEIVED_AT, runWatchdog, type Sent } from "./deliver.ts";

afterEach(restoreFaults);

const raw = (text: string): Sent => ({ id: freshOrg("message"), text });

/** Messages no retry can help, and what the dead letter says of each. */
const PERMANENT: Record<string, { of: (org: string) => Sent; code: string; reason: RegExp; named: boolean }> = {
  "is not JSON": { of: () => raw("{nope"), code: "invalid_request", reason: /not JSON/, named: false },
  "is no object": { of: () => raw("[1]"), code: "invalid_request", reason: /kind/, named: false },
  "is of no known kind": {
    of: (org) => messageOf(org, [event(1)], { kind: "export" }),
    ...{ code: "invalid_request", reason: /Unknown kind of message: export/, named: true },
  },
  "is of a later version": {
    of: (org) => messageOf(org, [event(1)], { v: 2 }),
    ...{ code: "invalid_request", reason: /^\/v/, named: true },
  },
  "has a member nobody knows": {
    of: (org) => messageOf(org, [event(1)], { priority: 1 }),
    ...{ code: "invalid_request", reason: /priority|Unrecognized/, named: true },
  },
  "holds an invalid event": {
    of: (org) => messageOf(org, [event(1), { action: "x" }]),
    ...{ code: "invalid_event", reason: /^\/events\/1\/actor/, named: true },
  },
  "uses an id again for another event": {
    of: (org) => messageOf(org, [event(2, { id: "taken" })]),
    ...{ code: "conflict", reason: /^\/events\/0\/id/, named: true },
  },
  "names an org nobody created": {
    of: () => messageOf(freshOrg("nobody"), [event(1)]),
    ...{ code: "not_found", reason: /nothing here/, named: true },
  },
  "names an org no org can be": {
    of: () => messageOf("../x", [event(1)]),
    ...{ code: "invalid_request", reason: /^\/org/, named: true },
  },
};

describe("a message that", () => {
  it.each(Object.keys(PERMANENT))(
    "%s goes to the dead letters at once, and is acknowledged when it is there",
    async (name) => {
      const org = await createOrg("dead");
      await deliver([messageOf(org, [event(1, { id: "taken" })])]);
      const { of, code, reason, named } = PERMANENT[name] as (typeof PERMANENT)[string];
      const sent = of(org);
      const neighbour = messageOf(org, [event(3)]);
      const fates = await deliver([sent, neighbour]);
      expect([...fates.values()]).toEqual(["acked", "acked"]);
      const { row, body } = await deadLetterOf(sent);
      expect(row).toMatchObject({
        state: "dead",
        code,
        attempts: 1,
        next_at: null,
        bytes: Buffer.byteLength(sent.text),
      });
      expect(row?.["reason"]).toMatch(reason);
      expect(row?.["org"]).toBe(named ? (JSON.parse(sent.text) as { org: string }).org : null);
      expect(body).toBe(sent.text);
      // Delivered again, it is the same dead letter.
      await deliver([{ ...sent, attempts: 2 }]);
      expect((await deadLetterOf(sent)).row).toEqual(row);
      expect((await checkLedger(org)).entries.length).toBe(3);
    },
  );
});

describe("a message whose ledger fails", () => {
  it("is tried again after 2 s and 4 s, then parked, and replayed with back-off until it is sequenced", async () => {
    const org = await createOrg("parked");
    const sent = messageOf(org, [event(1, { id: "late" }), event(2)]);
    const broken = await breakSequencing(org, "failed");
    expect([...(await deliver([{ ...sent, attempts: 1 }])).values()]).toEqual([{ retry_s: 2 }]);
    expect([...(await deliver([{ ...sent, attempts: 2 }])).values()]).toEqual([{ retry_s: 4 }]);
    expect((await deadLetterOf(sent)).row).toBe(null);
    expect([...(await deliver([{ ...sent, attempts: 3 }])).values()]).toEqual(["acked"]);
    const { row, body } = await deadLetterOf(sent);
    expect(row).toMatchObject({ state: "parked", code: "internal", attempts: 3, org, received_at: RECEIVED_AT });
    expect(body).toBe(sent.text);

    let due = Date.parse(String(row?.["next_at"]));
    const delays = [(due - Date.parse(String(row?.["stored_at"]))) / 1_000];
    await runWatchdog(due - 1);
    expect((await deadLetterOf(sent)).row).toEqual(row);
    for (let n = 0; n < 9; n++) {
      await runWatchdog(due);
      const next = Date.parse(String((await deadLetterOf(sent)).row?.["next_at"]));
      delays.push((next - due) / 1_000);
      due = next;
    }
    expect(delays).toEqual([30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600]);

    broken.restore();
    await runWatchdog(due);
    expect((await deadLetterOf(sent)).row).toMatchObject({ state: "replayed", next_at: null });
    const { entries } = await checkLedger(org, { archived: true });
    const mine = entries.filter(({ source }) => source === "client");
    expect(mine.map(({ id }) => id)).toEqual(["late", expect.any(String)]);
    for (const { delivery, received_at } of mine) expect([delivery, received_at]).toEqual(["replay", RECEIVED_AT]);
  });

  it("was sequenced after all is not sequenced again by its replay", async () => {
    const org = await createOrg("after");
    const sent = messageOf(org, [event(1)]);
    const broken = await breakSequencing(org, "failed but stored", { times: 1 });
    expect([...(await deliver([{ ...sent, attempts: 3 }])).values()]).toEqual(["acked"]);
    broken.restore();
    const { row } = await deadLetterOf(sent);
    expect(row).toMatchObject({ state: "parked" });
    await runWatchdog(Date.parse(String(row?.["next_at"])));
    expect((await deadLetterOf(sent)).row).toMatchObject({ state: "replayed" });
    expect((await checkLedger(org)).entries.length).toBe(2);
  });

  it("waits for a person once its replay shows that no retry can help", async () => {
    const org = await createOrg("turns");
    const sent = messageOf(org, [event(1, { id: "x" })]);
    const broken = await breakSequencing(org, "failed");
    await deliver([{ ...sent, attempts: 3 }]);
    broken.restore();
    await deliver([messageOf(org, [event(2, { id: "x" })])]);
    await runWatchdog(Date.parse(String((await deadLetterOf(sent)).row?.["next_at"])));
    expect((await deadLetterOf(sent)).row).toMatchObject({ state: "dead", next_at: null, attempts: 4 });
    expect((await checkLedger(org)).entries.length).toBe(2);
  });
});

describe("a message that can be neither sequenced nor stored", () => {
  const STORES = {
    "R2 is down": () => breakR2(),
    "the directory is down": () => breakD1(),
    "R2 stores the body and fails": () => breakMethod(env.ARCHIVE, "put", "failed but stored"),
  };
  it.each(Object.keys(STORES))("stays in the queue while %s, and is one dead letter afterwards", async (name) => {
    const org = await createOrg("store");
    const sent = messageOf(org, [{ action: "x" }]);
    const fine = messageOf(org, [event(1)]);
    STORES[name as keyof typeof STORES]();
    const fates = await deliver([sent, fine]);
    expect([...fates.values()]).toEqual([{ retry_s: 30 }, "acked"]);
    restoreFaults();
    expect((await deadLetterOf(sent)).row).toBe(null);
    expect([...(await deliver([{ ...sent, attempts: 9 }])).values()]).toEqual(["acked"]);
    expect((await deadLetterOf(sent)).row).toMatchObject({ state: "dead", attempts: 9 });
    expect((await deadLetterOf(sent)).body).toBe(sent.text);
    await checkLedger(org);
  });
});

describe("POST /v1/dead-letters/{id}/replay", () => {
  it("sequences through the same validation, once, with the time it was first received", async () => {
    const org = freshOrg("later");
    const sent = messageOf(org, [event(1, { id: "x" }), event(2)]);
    await deliver([sent]);
    const { name, row } = await deadLetterOf(sent);
    expect(row).toMatchObject({ state: "dead", code: "not_found" });
    const early = await call("POST", `/v1/dead-letters/${name}/replay`);
    expect([early.status, early.json.code]).toEqual([404, "not_found"]);
    expect((await deadLetterOf(sent)).row).toMatchObject({ state: "dead", attempts: 2 });

    await call("PUT", `/v1/orgs/${org}`, { body: {} });
    const replayed = await call("POST", `/v1/dead-letters/${name}/replay`);
    expect(replayed.status, replayed.text).toBe(200);
    expect(replayed.json).toMatchObject({ id: name, state: "replayed", org, attempts: 3, received_at: RECEIVED_AT });
    const again = await call("POST", `/v1/dead-letters/${name}/replay`);
    expect([again.status, again.json]).toEqual([200, replayed.json]);
    const { entries } = await checkLedger(org);
    expect(entries.slice(1).map(({ delivery, received_at }) => [delivery, received_at])).toEqual([
      ["replay", RECEIVED_AT],
      ["replay", RECEIVED_AT],
    ]);
  });

  it("refuses what is not valid, names why, and leaves it where it is", async () => {
    const org = await createOrg("invalid");
    const sent = messageOf(org, [event(1), { action: "" }]);
    await deliver([sent]);
    const { name } = await deadLetterOf(sent);
    const refused = await call("POST", `/v1/dead-letters/${name}/replay`);
    expect([refused.status, refused.json.code]).toEqual([422, "invalid_event"]);
    expect(refused.json.detail).toContain("/events/1/");
    expect((await deadLetterOf(sent)).row).toMatchObject({ state: "dead", attempts: 2 });
    const unknown = await call("POST", "/v1/dead-letters/dl_none/replay");
    expect(unknown.status).toBe(404);
    expect((await checkLedger(org)).entries.length).toBe(1);
  });

  it("is listed by state, last stored first, page by page", async () => {
    const org = await createOrg("list");
    const sent = Array.from({ length: 5 }, () => messageOf(org, [{ action: "x" }]));
    for (const one of sent) await deliver([one]);
    const ids: string[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page = await call("GET", `/v1/dead-letters?state=dead&limit=2${cursor}`);
      expect(page.json.data.length).toBeLessThanOrEqual(2);
      for (const { id, state } of page.json.data) {
        expect(state).toBe("dead");
        ids.push(id);
      }
      cursor = page.json.next_cursor === null ? null : `&cursor=${page.json.next_cursor}`;
    }
    const mine = await Promise.all(sent.map(async (one) => (await deadLetterOf(one)).name));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => mine.includes(id)).length).toBe(5);
    expect(ids.slice(0, 5).sort()).toEqual(mine.sort());
    const parked = await call("GET", "/v1/dead-letters?state=parked&limit=1000");
    expect(parked.json.data.filter(({ id }: { id: string }) => mine.includes(id))).toEqual([]);
  });
});

import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { configOf } from "../../src/env.ts";
import { storeDeadLetter } from "../../src/ingest/dead-letters.ts";
import { deadLettersSchema } from "../../src/schema/answers.ts";
import { call, createOrg, event, freshOrg } from "../support/client.ts";
import { conforms, problemOf } from "./support.ts";

const stem = freshOrg("op");

async function store(n: number, state: "dead" | "parked", text = "junk", org: string | null = null): Promise<string> {
  const id = `${stem}-${n}`;
  const refusal = { code: "invalid_request", detail: `reason ${n}` } as const;
  await storeDeadLetter(configOf(env), { id, org, refusal, state, attempts: n, text });
  return id;
}

describe("the list of dead letters", () => {
  beforeAll(async () => {
    for (let n = 0; n < 7; n++) await store(n, n % 2 === 0 ? "dead" : "parked");
  });

  it("walks by cursor, last stored first, each once", async () => {
    const seen: string[] = [];
    let cursor = "";
    do {
      const page = await call("GET", `/v1/dead-letters?limit=2${cursor === "" ? "" : `&cursor=${cursor}`}`);
      const { data, next_cursor } = conforms(deadLettersSchema, page.json);
      expect(data.length).toBeLessThanOrEqual(2);
      seen.push(...data.map(({ id }) => id));
      cursor = next_cursor ?? "";
    } while (cursor !== "");
    expect(new Set(seen).size).toBe(seen.length);
    const ours = seen.filter((id) => id.startsWith(stem));
    expect(ours.toSorted()).toEqual(Array.from({ length: 7 }, (_, n) => `${stem}-${n}`));
  });

  it("filters by state", async () => {
    const { data } = (await call("GET", "/v1/dead-letters?state=parked&limit=1000")).json;
    expect(new Set(data.map(({ state }: any) => state))).toEqual(new Set(["parked"]));
    const ours = data.filter(({ id }: any) => id.startsWith(stem));
    expect(ours).toHaveLength(3);
    for (const { next_at, stored_at } of ours) expect(Date.parse(next_at)).toBeGreaterThan(Date.parse(stored_at));
  });

  it.each(["state=gone", "limit=0", "limit=1001", "limit=x", "cursor=" + "x".repeat(101), "org=acme"])(
    "refuses %s",
    async (query) => {
      problemOf(await call("GET", `/v1/dead-letters?${query}`), "invalid_request");
    },
  );
});

describe("replaying a dead letter", () => {
  it("that does not exist is a 404", async () => {
    problemOf(await call("POST", "/v1/dead-letters/dl_nothing/replay"), "not_found");
  });

  it("that is not valid is refused as the queue refused it, and it stays", async () => {
    const id = await store(100, "dead", '{"v":1,"kind":"unknown"}');
    problemOf(await call("POST", `/v1/dead-letters/${id}/replay`), "invalid_request");
    const { data } = (await call("GET", "/v1/dead-letters?state=dead&limit=1000")).json;
    expect(data.find((letter: any) => letter.id === id)).toMatchObject({ state: "dead", attempts: 101 });
  });

  it("that is valid is sequenced once, with the time it was received, however often it is asked for", async () => {
    const org = await createOrg("replayed");
    const message = { v: 1, kind: "append", org, batch: "b", received_at: "2026-01-02T03:04:05.678Z", key: "shop" };
    const text = JSON.stringify({ ...message, events: [event(1, { id: "late" })] });
    const id = await store(101, "dead", text, org);
    for (const _ of [1, 2]) {
      const replayed = await call("POST", `/v1/dead-letters/${id}/replay`);
      expect(replayed.json).toMatchObject({ id, state: "replayed", next_at: null });
    }
    const { json } = await call("GET", `/v1/orgs/${org}/events/late`);
    expect(json).toMatchObject({ index: 1, delivery: "replay", key: "shop", received_at: "2026-01-02T03:04:05.678Z" });
    expect((await call("GET", `/v1/orgs/${org}/events?source=client`)).json.data).toHaveLength(1);
  });
});

describe("rebuilding", () => {
  it("is an act in the log, and every entry comes back", async () => {
    const org = await createOrg("rebuilt");
    await call("POST", `/v1/orgs/${org}/events`, { body: { events: [event(1), event(2)] } });
    expect((await call("POST", `/v1/orgs/${org}/rebuild`)).status).toBe(202);
    const { data } = (await call("GET", `/v1/orgs/${org}/events?min_size=4`)).json;
    expect(data.map(({ action }: any) => action)).toEqual([
      "indelible.projection.rebuilt",
      "document.share",
      "document.share",
      "indelible.org.created",
    ]);
  });
});

describe("the origin of a log", () => {
  it("is refused when the host makes it too long, and nothing is made", async () => {
    const { exports } = await import("cloudflare:workers");
    const host = `${"h".repeat(60)}.${"h".repeat(60)}.${"h".repeat(60)}.${"h".repeat(60)}.test`;
    const org = freshOrg("long");
    const headers = { authorization: `Bearer ${env.ROOT_KEY}`, "content-type": "application/json" };
    const init = { method: "PUT", body: "{}", headers };
    const refused = await exports.default.fetch(new Request(`http://${host}/v1/orgs/${org}`, init));
    expect(refused.status).toBe(422);
    expect(await refused.json()).toMatchObject({ code: "unprocessable", detail: expect.stringContaining("255") });
    problemOf(await call("GET", `/v1/orgs/${org}`), "not_found");
  });
});

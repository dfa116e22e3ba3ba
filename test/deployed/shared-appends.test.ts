import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Deployed, ROOT_KEY } from "./deployed.ts";

const WRITERS = 50;
const ROUNDS = 4;

const service = new Deployed();

beforeAll(() => service.start());
afterAll(() => service.stop());

async function api(method: string, path: string, { body, key = ROOT_KEY }: { body?: object; key?: string } = {}) {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const answer = await fetch(new URL(path, service.url), {
    method,
    headers,
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return { status: answer.status, text: await answer.text() };
}

const event = (id: string) => ({ id, action: "order.placed", actor: { type: "user", id: "u" } });

/** Sends an event over a connection of its own and hangs up without reading the answer. */
function sendAndHangUp(path: string, id: string): Promise<void> {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${ROOT_KEY}`, "content-type": "application/json" };
    const sent = request(new URL(path, service.url).href, { method: "POST", headers });
    sent.on("error", () => resolve());
    sent.end(JSON.stringify(event(id)), () => setImmediate(() => sent.destroy()));
    sent.on("close", () => resolve());
  });
}

describe("requests to one org that are there at the same time", () => {
  it("are answered each for itself, whoever calls the ledger for them and whoever hangs up", async () => {
    const path = "/v1/orgs/crowd/events";
    await api("PUT", "/v1/orgs/crowd", { body: { name: "Crowd" } });
    const made = await api("POST", "/v1/orgs/crowd/keys", { body: { name: "reader", scopes: ["events:read"] } });
    const reader = JSON.parse(made.text).key as string;
    const sealed = new Map<string, number>();
    for (let round = 0; round < ROUNDS; round++) {
      const hangUps = [sendAndHangUp(path, `gone-${round}-a`), sendAndHangUp(path, `gone-${round}-b`)];
      const forbidden = api("POST", path, { body: event(`no-${round}`), key: reader });
      const answers = Array.from({ length: WRITERS }, async (_, n) => {
        const id = `e-${round}-${n}`;
        const { status, text } = await api("POST", path, { body: event(id) });
        expect(status, text).toBe(201);
        const [receipt] = JSON.parse(text).data;
        expect(receipt.id).toBe(id);
        sealed.set(id, receipt.index);
      });
      await Promise.all([...answers, ...hangUps]);
      expect((await forbidden).status).toBe(403);
    }
    expect(new Set(sealed.values()).size).toBe(WRITERS * ROUNDS);
    const verified = await api("GET", "/v1/orgs/crowd/verify");
    const report = JSON.parse(verified.text.trim().split("\n").at(-1) ?? "");
    expect(report).toMatchObject({ ok: true, breaks: [], unvouched: [] });
    for (const id of ["e-0-0", `e-${ROUNDS - 1}-${WRITERS - 1}`]) {
      const { text } = await api("GET", `${path}/${id}`);
      expect(JSON.parse(text)).toMatchObject({ id, index: sealed.get(id) });
    }
    expect((await api("GET", `${path}/no-0`)).status).toBe(404);
  });
});

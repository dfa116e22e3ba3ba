import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { parseVkey } from "../../src/chain/note/note-key.ts";
import { openCheckpoint } from "../../src/chain/note/open-checkpoint.ts";
import { sha256 } from "../../src/sha256.ts";
import { verifyEd25519 } from "../../src/verify-ed25519.ts";
import { TestWitness } from "../support/witness.ts";
import { Deployed } from "./deployed.ts";

const NAME = "audit.example.com/v1/orgs";
const one = new TestWitness("witness.example/one", 1);
const two = new TestWitness("witness.example/two", 2);
let service: Deployed;

beforeAll(async () => {
  await Promise.all([one.listen(), two.listen()]);
  service = new Deployed({ vars: { LOG_NAME: NAME, WITNESSES: `${one.line}\n${two.line}\n` } });
  await service.start();
});
afterEach(() => {
  one.answer = null;
  one.signsWhole = false;
  two.answer = null;
});
afterAll(async () => {
  await service.stop();
  one.close();
  two.close();
});

async function api(method: string, path: string, body?: unknown): Promise<string> {
  const { status, text } = await service.call(method, path, body);
  expect(status, text).toBeLessThan(300);
  return text;
}

/** Creates an org, and makes both witnesses know its log. */
async function createOrg(org: string): Promise<void> {
  await api("PUT", `/v1/orgs/${org}`, { name: org });
  const key = parseVkey(sha256, (await api("GET", `/v1/orgs/${org}/log-key`)).trim());
  if (!key.ok) throw new Error(key.why);
  for (const witness of [one, two]) witness.logs.set(`${NAME}/${org}`, key.key);
}

async function publish(org: string, events: number): Promise<number> {
  const list = Array.from({ length: events }, () => ({ action: "a.b", actor: { type: "user", id: "u" } }));
  const { size } = JSON.parse(await api("POST", `/v1/orgs/${org}/events`, { events: list }));
  await api("GET", `/v1/orgs/${org}/checkpoint?min_size=${size}`);
  return size;
}

/** Who cosigned the newest checkpoint as it is served; the log's own signature is checked as well. */
async function cosignersOf(org: string): Promise<{ size: number; names: string[] }> {
  const origin = `${NAME}/${org}`;
  const note = await api("GET", `/v1/orgs/${org}/checkpoint`);
  const keys = [one.logs.get(origin), one.key, two.key].filter((key) => key !== undefined);
  const opened = await openCheckpoint(verifyEd25519, { note, origin, keys });
  if (!opened.ok) throw new Error(opened.why);
  for (const { timestamp } of opened.cosigned) expect(Math.abs(Date.now() / 1_000 - timestamp)).toBeLessThan(60);
  return { size: opened.checkpoint.size, names: opened.cosigned.map(({ name }) => name) };
}

const BOTH = ["witness.example/one", "witness.example/two"];

describe("witnesses", () => {
  it("cosign each checkpoint, from one to the next, and their lines are served with it", async () => {
    await createOrg("cosigned");
    for (const events of [1, 300, 5]) {
      const size = await publish("cosigned", events);
      await expect.poll(() => cosignersOf("cosigned"), { timeout: 10_000 }).toEqual({ size, names: BOTH });
    }
    const asked = one.asked.filter(({ size }) => size > 0);
    expect(asked.map(({ old, status }) => [old, status])).toEqual([
      [0, 200],
      [2, 200],
      [302, 200],
    ]);
    const status = JSON.parse(await api("GET", "/v1/orgs/cosigned/status"));
    expect(status.publishing.witnesses).toEqual(BOTH.map((name) => ({ name, size: 307, at: expect.any(String) })));
    const proof = await api("GET", "/v1/orgs/cosigned/events/300/proof");
    for (const name of BOTH) expect(proof).toContain(`— ${name} `);
  });

  it.each([
    ["is not there", (response: any) => response.destroy()],
    ["fails", (response: any) => response.writeHead(500).end()],
    ["does not know the log", (response: any) => response.writeHead(404).end()],
    ["redirects", (response: any) => response.writeHead(307, { location: "http://127.0.0.1:9/" }).end()],
    ["answers with a line of another key", (response: any) => response.writeHead(200).end("— other.example/x AAAA\n")],
    ["answers without end", (response: any) => response.writeHead(200).end("x".repeat(100_000))],
    ["never answers", () => undefined],
  ])("one that %s keeps neither the log nor the other witness", async (what, answer) => {
    const org = `w-${what.replaceAll(/[^a-z]/g, "-")}`;
    await createOrg(org);
    one.answer = (response) => {
      answer(response);
      return true;
    };
    const size = await publish(org, 3);
    await expect.poll(() => cosignersOf(org), { timeout: 10_000 }).toEqual({ size, names: ["witness.example/two"] });
    one.answer = null;
    // With the next checkpoint it is asked again, from what it cosigned last: nothing.
    const next = await publish(org, 1);
    await expect.poll(() => cosignersOf(org), { timeout: 15_000 }).toEqual({ size: next, names: BOTH });
  });

  it("one that signs another text under its own name does not spoil the note", async () => {
    await createOrg("spoiled");
    one.signsWhole = true;
    const size = await publish("spoiled", 3);
    await expect.poll(() => cosignersOf("spoiled"), { timeout: 10_000 }).toEqual({ size, names: BOTH.slice(1) });
    expect(one.asked.at(-1)).toMatchObject({ size, status: 200 });
  });

  it("one that cosigned another size than is remembered is asked again from there", async () => {
    await createOrg("conflict");
    const size = await publish("conflict", 3);
    await expect.poll(() => cosignersOf("conflict"), { timeout: 10_000 }).toEqual({ size, names: BOTH });
    // It saw nothing of this log: it was replaced, or lost what it knew.
    one.seen.delete(`${NAME}/conflict`);
    const next = await publish("conflict", 2);
    await expect.poll(() => cosignersOf("conflict"), { timeout: 10_000 }).toEqual({ size: next, names: BOTH });
    expect(one.asked.slice(-2).map(({ old, status }) => [old, status])).toEqual([
      [size, 409],
      [0, 200],
    ]);
  });

  it("one that saw another tree cosigns no more, and the others go on", async () => {
    await createOrg("forked");
    const size = await publish("forked", 3);
    await expect.poll(() => cosignersOf("forked"), { timeout: 10_000 }).toEqual({ size, names: BOTH });
    one.seen.set(`${NAME}/forked`, { size, root: new Uint8Array(32).fill(9) });
    const next = await publish("forked", 2);
    const names = ["witness.example/two"];
    await expect.poll(() => cosignersOf("forked"), { timeout: 10_000 }).toEqual({ size: next, names });
    expect(one.asked.at(-1)).toMatchObject({ old: size, status: 422 });
  });
});

import { once } from "node:events";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { get, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runVerify } from "../../src/cli/verify.ts";
import { testTerminal } from "../cli/support/run-cli.ts";
import { Deployed, ROOT_KEY } from "./deployed.ts";

const service = new Deployed();
const folder = mkdtempSync(join(tmpdir(), "indelible-live-"));

beforeAll(() => service.start());
afterAll(() => service.stop());

const api = (method: string, path: string, body?: unknown) => service.call(method, path, body);

async function append(org: string, from: number, count: number): Promise<number> {
  const events = Array.from({ length: count }, (_, n) => ({
    id: `order-${from + n}`,
    action: "order.placed",
    actor: { type: "user", id: "u_17", name: "Jane" },
    metadata: { n: from + n, price: 1.1 },
  }));
  const answer = await api("POST", `/v1/orgs/${org}/events`, { events });
  expect(answer.status, answer.text).toBe(201);
  return JSON.parse(answer.text).size;
}

async function saved(path: string, name: string): Promise<string> {
  const answer = await api("GET", path);
  expect(answer.status, answer.text).toBe(200);
  writeFileSync(join(folder, name), answer.text);
  return answer.text;
}

async function verify(args: string[], env: Record<string, string> = {}) {
  const { said, terminal } = testTerminal();
  const around = {
    env: { XDG_STATE_HOME: join(folder, "state"), ...env },
    directory: folder,
    terminal,
    stdin: Readable.from([]),
    signal: new AbortController().signal,
  };
  const outcome = await runVerify(args, around);
  return { code: outcome.ok ? outcome.value : 2, ...said };
}

/** A bundle as it comes over the network, unpacked by nobody. */
async function rawBundle(org: string, wishes: string | null): Promise<{ headers: IncomingHttpHeaders; body: Buffer }> {
  const headers = wishes === null ? {} : { "accept-encoding": wishes };
  const [response] = (await once(
    get(`${service.url.origin}/v1/orgs/${org}/tile/entries/000`, { headers }),
    "response",
  )) as [IncomingMessage];
  return { headers: response.headers, body: await buffer(response) };
}

it("serves entry bundles packed to who takes them so", async () => {
  await api("PUT", "/v1/orgs/packed", { name: "Packed", public_log: true });
  const size = await append("packed", 0, 300);
  await saved(`/v1/orgs/packed/checkpoint?min_size=${size}`, "packed.checkpoint");
  const plain = await rawBundle("packed", null);
  for (const wishes of ["gzip", "br, GZIP;q=0.5, *;q=0"]) {
    const { headers, body } = await rawBundle("packed", wishes);
    expect(headers).toMatchObject({ "content-encoding": "gzip", vary: "accept-encoding" });
    expect(headers["cache-control"]).toBe("public, max-age=31536000, immutable");
    expect(gunzipSync(body).equals(plain.body)).toBe(true);
    expect(body.length).toBeLessThan(plain.body.length * 0.7);
  }
  for (const wishes of ["identity", "gzip;q=0", "br", "x-gzip"]) {
    const { headers, body } = await rawBundle("packed", wishes);
    expect(headers["content-encoding"], wishes).toBeUndefined();
    expect(headers.vary).toBe("accept-encoding");
    expect(body.equals(plain.body)).toBe(true);
  }
});

describe("somebody who trusts nobody", () => {
  it("verifies a log of the real service, its growth, and one event of it", { timeout: 60_000 }, async () => {
    const created = await api("PUT", "/v1/orgs/live", { name: "Live", public_log: true });
    expect(created.status, created.text).toBe(201);
    const size = await append("live", 0, 600);
    await saved(`/v1/orgs/live/checkpoint?min_size=${size}`, "old.checkpoint");
    const vkey = (await saved("/v1/orgs/live/log-key", "log-key")).trim();

    // Public: no key is sent.
    const first = await verify([`${service.url.origin}/v1/orgs/live`, "--key", vkey]);
    expect(first.code, first.out + first.err).toBe(0);
    expect(first.out).toContain("601");

    const proof = await saved("/v1/orgs/live/events/order-417/proof", "event.tlog-proof");
    expect(proof).toContain("c2sp.org/tlog-proof@v1\n");
    const shown = await verify(["event.tlog-proof", "--key", vkey]);
    expect(shown.code, shown.out + shown.err).toBe(0);
    expect(shown.out).toContain("order.placed");
    expect(shown.out).toContain("418");

    const grown = await append("live", 600, 300);
    await saved(`/v1/orgs/live/checkpoint?min_size=${grown}`, "new.checkpoint");
    const since = await verify([`${service.url.origin}/v1/orgs/live`, "--key", vkey, "--since", "old.checkpoint"]);
    expect(since.code, since.out + since.err).toBe(0);

    // What it was sold as a checkpoint of this log, and is not, is found out.
    const forged = readFileSync(join(folder, "old.checkpoint"), "utf8").replace("\n601\n", "\n600\n");
    writeFileSync(join(folder, "forged.checkpoint"), forged);
    const caught = await verify([`${service.url.origin}/v1/orgs/live`, "--key", vkey, "--since", "forged.checkpoint"]);
    expect(caught.code, caught.out).not.toBe(0);
  });

  it("gets nothing of a log that is not public without a key", { timeout: 60_000 }, async () => {
    await api("PUT", "/v1/orgs/closed", { name: "Closed" });
    const size = await append("closed", 0, 3);
    await saved(`/v1/orgs/closed/checkpoint?min_size=${size}`, "closed.checkpoint");
    const refused = await verify([`${service.url.origin}/v1/orgs/closed`]);
    expect(refused.code).toBe(2);
    const opened = await verify([`${service.url.origin}/v1/orgs/closed`, "--api-key", ROOT_KEY]);
    expect(opened.code, opened.out + opened.err).toBe(0);
  });
});

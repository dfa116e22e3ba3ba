import { expect, it } from "vitest";
import { VERIFIER_TRIES } from "../../src/limits.ts";
import { httpSource } from "../../src/verifier/http-source.ts";
import { logServer } from "../cli/support/log-server.ts";
import { published, verified } from "./support.ts";

const LIMIT = { maxBytes: 100 };

async function served() {
  const server = await logServer();
  server.files = new Map([["checkpoint", new TextEncoder().encode("hello")]]);
  const waits: number[] = [];
  const whys: (string | null)[] = [];
  const wait = (milliseconds: number) => (waits.push(milliseconds), Promise.resolve());
  const source = httpSource(`${server.url}/`, {
    wait,
    onWaiting: (why) => whys.push(why),
    headers: { authorization: "Bearer x" },
  });
  return { server, source, waits, whys };
}

it("reads bytes and says what is not there", async () => {
  const { source, server } = await served();
  expect(await source.read("checkpoint", LIMIT)).toEqual({ kind: "bytes", bytes: new TextEncoder().encode("hello") });
  expect(await source.read("tile/0/000", LIMIT)).toEqual({ kind: "absent" });
  expect(server.requests.map(({ path }) => path)).toEqual(["checkpoint", "tile/0/000"]);
});

it("tries again what may pass, as late as it is asked to", async () => {
  const { source, server, waits, whys } = await served();
  const answers = [500, 429, 503];
  server.trouble = (_, response) => {
    const status = answers.shift();
    if (status === undefined) return false;
    response.writeHead(status, status === 429 ? { "retry-after": "7" } : {}).end();
    return true;
  };
  expect(await source.read("checkpoint", LIMIT)).toMatchObject({ kind: "bytes" });
  expect(waits).toEqual([500, 7_000, 2_000]);
  expect(whys).toEqual(["it answered 500", "it answered 429", "it answered 503", null]);
});

it("gives up after some tries, and says why", async () => {
  const { source, server, waits } = await served();
  server.trouble = (_, response) => (response.writeHead(500).end(), true);
  expect(await source.read("checkpoint", LIMIT)).toEqual({ kind: "unread", why: "it answered 500" });
  expect(waits).toHaveLength(VERIFIER_TRIES - 1);
  await server.stop();
  expect(await source.read("checkpoint", LIMIT)).toEqual({ kind: "unread", why: "nothing listens there" });
});

it("refuses redirects, other answers and what is too long, at once", async () => {
  const { source, server, waits } = await served();
  const other = await logServer();
  server.trouble = (_, response) => (response.writeHead(302, { location: `${other.url}/checkpoint` }).end(), true);
  const why = `it redirects to ${other.url}/checkpoint, which is not followed`;
  expect(await source.read("checkpoint", LIMIT)).toEqual({ kind: "unread", status: 302, why });
  expect(other.requests).toEqual([]);
  server.trouble = (_, response) => (response.writeHead(401).end(), true);
  expect(await source.read("checkpoint", LIMIT)).toMatchObject({ kind: "unread", status: 401 });
  server.trouble = (_, response) => (response.writeHead(200).end(Buffer.alloc(101)), true);
  expect(await source.read("checkpoint", LIMIT)).toMatchObject({
    kind: "unread",
    why: "it is longer than the 100 bytes it may have",
  });
  expect(waits).toEqual([]);
});

it("does not take a body that was cut for a whole one", async () => {
  const { source, server } = await served();
  server.trouble = (_, response) => {
    response.writeHead(200, { "content-length": "50" }).write("only this");
    setTimeout(() => response.destroy(), 5);
    return true;
  };
  expect(await source.read("checkpoint", LIMIT)).toMatchObject({ kind: "unread" });
});

it("stops when it is told to", async () => {
  const { server } = await served();
  const stop = new AbortController();
  server.trouble = () => (stop.abort(), true);
  const source = httpSource(server.url, { signal: stop.signal });
  expect(await source.read("checkpoint", LIMIT)).toEqual({ kind: "unread", why: "it was stopped" });
});

it("stops at once though it was told to wait", async () => {
  const { server } = await served();
  const stop = new AbortController();
  server.trouble = (_, response) => (response.writeHead(503, { "retry-after": "3600" }).end(), true);
  const source = httpSource(server.url, { signal: stop.signal, onWaiting: (why) => why !== null && stop.abort() });
  expect(await source.read("checkpoint", LIMIT)).toEqual({ kind: "unread", why: "it was stopped" });
});

it("serves a whole verification, some of whose answers fail at first", async () => {
  const { source, server } = await served();
  const log = published(600);
  server.files = log.files;
  let n = 0;
  server.trouble = (_, response) => {
    if (++n % 3 !== 0) return false;
    response.writeHead(503).end();
    return true;
  };
  expect(await verified(log, { source })).toMatchObject({ ok: true, entries: 600 });
});

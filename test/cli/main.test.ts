import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";

const MAIN = new URL("../../src/cli/main.ts", import.meta.url).pathname;

function start(...args: string[]) {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stderr.on("data", (part) => (said += String(part)));
  return { child, ended: once(child, "close").then(([code]) => ({ code: code as number | null, said })) };
}

it("never ends as if something were broken because of a fault of its own", async () => {
  const { child, ended } = start("--help");
  // Nobody reads what it writes: the write fails where no command can catch it.
  child.stdout.destroy();
  expect(await ended).toEqual({ code: 2, said: "" });
});

it("prints what a service says as text", async () => {
  const hostile = { detail: "\u001b[2J\u009b31m\u202e gone" };
  const server = createServer((_, response) => response.writeHead(418).end(JSON.stringify(hostile)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { code, said } = await start("verify", "--org", "acme", "--url", url, "--key", "k").ended;
  expect(code).toBe(2);
  expect(said).toContain("\\u{1b}[2J\\u{9b}31m\\u{202e} gone");
});

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../start/port.ts";
import { wranglerEnv } from "../start/wrangler.ts";

export type BindingWorker = { url: string | null; why: string; stop: () => void };

const READY_MAX_MS = 40_000;

/** Starts a second Worker that calls ours through its service binding; without it the demo has two doors. */
export async function startBindingWorker({ root, state }: { root: string; state: string }): Promise<BindingWorker> {
  const config = join(root, "test", "binding", "wrangler.toml");
  if (!existsSync(config)) return { url: null, why: "test/binding is not here", stop: () => {} };
  const wrangler = join(dirname(createRequire(import.meta.url).resolve("wrangler/package.json")), "bin", "wrangler.js");
  const port = await freePort();
  const args = [
    wrangler,
    "dev",
    "-c",
    config,
    "--port",
    String(port),
    "--ip",
    "127.0.0.1",
    "--inspector-port",
    "0",
    "--persist-to",
    join(state, "binding"),
  ];
  const child = spawn(process.execPath, args, { cwd: root, env: wranglerEnv(state), stdio: "ignore", detached: true });
  let ended = false;
  child.once("exit", () => (ended = true));
  child.once("error", () => (ended = true));
  const stop = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGTERM");
    } catch {
      // It has ended already.
    }
  };
  process.once("exit", stop);
  const url = `http://127.0.0.1:${port}`;
  const deadline = performance.now() + READY_MAX_MS;
  while (!ended && performance.now() < deadline) {
    if (await reachesTheLog(url)) return { url, why: "", stop };
    await sleep(250);
  }
  stop();
  return {
    url: null,
    why: ended ? "the second Worker ended by itself" : "the second Worker does not reach the service",
    stop,
  };
}

/** An org that no one can have: the answer is a refusal, but it comes from the service. */
async function reachesTheLog(url: string): Promise<boolean> {
  const body = JSON.stringify({
    org: "no-such-org-for-the-demo",
    events: [{ action: "a.b", actor: { type: "t", id: "i" } }],
    mode: "append",
  });
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
      signal: AbortSignal.timeout(5_000),
    });
    return (await response.text()).includes("not_found");
  } catch {
    return false;
  }
}

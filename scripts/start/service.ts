import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { wranglerEnv } from "./wrangler.ts";

type Options = { root: string; state: string; port: number; wrangler: string };

type Ready = { ok: true; note: string } | { ok: false; message: string };
export type Service = {
  url: string;
  /** Where its output goes, as a path from the project. */
  log: string;
  ready: Promise<Ready>;
  ended: Promise<{ code: number; byUs: boolean }>;
  stop: () => Promise<void>;
};

const READY_MAX_MS = 90_000;
const POLL_MS = 200;
const STOP_MAX_MS = 6_000;

/** Starts the service; `ready` settles when it answers, or says why it does not. */
export function startService({ root, state, port, wrangler }: Options): Service {
  mkdirSync(state, { recursive: true });
  const logPath = join(state, "service.log");
  const log = openSync(logPath, "w");
  const args = [
    wrangler,
    "dev",
    "--port",
    String(port),
    "--ip",
    "127.0.0.1",
    "--persist-to",
    state,
    "--inspector-port",
    "0",
  ];
  // A process group of its own: Ctrl-C reaches only us, and one signal from us reaches all of it.
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: wranglerEnv(state),
    stdio: ["ignore", log, log],
    detached: true,
  });
  closeSync(log);
  let stopping = false;
  const ended = new Promise<{ code: number; byUs: boolean }>((resolve) => {
    child.once("error", () => resolve({ code: 1, byUs: stopping }));
    child.once("exit", (code) => resolve({ code: code ?? 1, byUs: stopping }));
  });
  process.once("exit", () => signalGroup(child, "SIGKILL"));
  const service: Service = {
    url: `http://localhost:${port}`,
    log: relative(root, logPath),
    ready: untilHealthy({ url: `http://127.0.0.1:${port}`, ended, logPath, shownLog: relative(root, logPath) }),
    ended,
    stop: async () => {
      if (stopping) return;
      stopping = true;
      signalGroup(child, "SIGTERM");
      await Promise.race([ended, sleep(STOP_MAX_MS, null, { ref: false })]);
      signalGroup(child, "SIGKILL");
    },
  };
  return service;
}

type Waiting = { url: string; ended: Service["ended"]; logPath: string; shownLog: string };

async function untilHealthy({ url, ended, logPath, shownLog }: Waiting): Promise<Ready> {
  let end: { code: number; byUs: boolean } | null = null;
  void ended.then((how) => (end = how));
  let last = "it did not answer";
  const deadline = performance.now() + READY_MAX_MS;
  while (performance.now() < deadline) {
    if (end !== null) {
      const { code, byUs } = end as { code: number; byUs: boolean };
      if (byUs) return { ok: false, message: "stopped before it was ready" };
      return {
        ok: false,
        message: `the service ended before it was ready (code ${code}); all of it is in ${shownLog}\n\n${tail(logPath)}`,
      };
    }
    try {
      const answer = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(5_000) });
      const text = await answer.text();
      if (answer.ok) return { ok: true, note: "healthy" };
      last = `/healthz answers ${answer.status}: ${text.slice(0, 400)}`;
    } catch {
      // Not listening yet.
    }
    await sleep(POLL_MS);
  }
  return {
    ok: false,
    message: `the service is not healthy after ${READY_MAX_MS / 1000} s (${last}); see ${shownLog}\n\n${tail(logPath)}`,
  };
}

function tail(path: string): string {
  return readFileSync(path, "utf8").trimEnd().split("\n").slice(-15).join("\n");
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone.
  }
}

import { makeLog } from "../../chain/support.ts";
import { plainEvents, publish, type Published } from "../../verifier/support.ts";
import { logServer } from "./log-server.ts";
import { workplace } from "./run-cli.ts";

/** A log of so many entries, served, and a place to verify it from. */
export async function place(entries = 600) {
  const server = await logServer();
  const log = makeLog(plainEvents(entries), { log: server.origin });
  const now = publish(log);
  server.files = now.files;
  const { run, path, directory } = await workplace();
  const verify = (...args: string[]) => run("verify", [server.url, ...args]);
  const cut = (size: number): Published => publish(log, { size });
  return { server, now, cut, run, verify, path, directory };
}

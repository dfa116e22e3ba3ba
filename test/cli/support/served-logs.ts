import { predecessorText } from "../../../src/chain/continuation.ts";
import { signer } from "../../chain/note/support.ts";
import { makeLog, sha256 } from "../../chain/support.ts";
import { noteOf, plainEvents, publish, type Published } from "../../verifier/support.ts";
import { logServer } from "./log-server.ts";
import { workplace } from "./run-cli.ts";

/** The logs of an org, each continuing the one before; the n-th has the key of signer n. */
export function logsOf(origin: string, entries: readonly number[]): Published[] {
  const logs: Published[] = [];
  for (const [n, count] of entries.entries()) {
    const before = logs.at(-1);
    const predecessor = before && predecessorText(sha256, { origin: before.log, note: noteOf(before) });
    const log = makeLog(plainEvents(count), {
      log: n === 0 ? origin : `${origin}/${n + 1}`,
      ...(predecessor === undefined ? {} : { predecessor }),
    });
    logs.push(publish(log, { by: signer(n + 1) }));
  }
  return logs;
}

/** The files of all of them by their paths under the org's URL. */
export function filesOf(logs: readonly Pick<Published, "files">[]): Map<string, Uint8Array> {
  return new Map(
    logs.flatMap(({ files }, n) => [...files].map(([path, bytes]) => [n === 0 ? path : `${n + 1}/${path}`, bytes])),
  );
}

/** The logs of an org, served, and a place to verify them from. */
export async function servedLogs(entries: readonly number[] = [300, 7, 20]) {
  const server = await logServer();
  const logs = logsOf(server.origin, entries);
  server.files = filesOf(logs);
  const { run, path } = await workplace();
  const verify = (...args: string[]) => run("verify", [server.url, ...args]);
  const serve = (change: (files: Map<string, Uint8Array>) => void) => {
    const files = filesOf(logs);
    change(files);
    server.files = files;
  };
  return { server, logs, origin: server.origin, run, verify, serve, path };
}

export const without = (pattern: RegExp) => (files: Map<string, Uint8Array>) => {
  for (const path of files.keys()) if (pattern.test(path)) files.delete(path);
};

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { predecessorText } from "../../../src/chain/continuation.ts";
import { makeLog, sha256 } from "../../chain/support.ts";
import { causeEvent, goneOf, listFile, redacted } from "../../verifier/absences.ts";
import { type Exported, exportOf } from "../../verifier/exports.ts";
import { noteOf, publish, type Published } from "../../verifier/support.ts";
import { exportService, KEY } from "./export-service.ts";
import { workplace } from "./run-cli.ts";
import { filesOf } from "./served-logs.ts";

export const REASON = ["--reason", "moving out"];
export const plain = (count: number) => Array.from({ length: count }, () => ({}));

type Place = {
  later?: boolean;
  lost?: { first: number; last: number };
  change?: (exported: Exported) => Exported;
};

/**
 * An org of two logs, 20 sections of the first one erased by an entry of it or (`later`) of the next, and a place to get it from; `lost`:
 * entries of the first that the service has not any more.
 */
export async function exportPlace({ later = false, lost, change = (exported) => exported }: Place = {}) {
  const service = await exportService();
  const origin = `${service.host}/v1/orgs/acme`;
  const gone = goneOf(10, 30);
  const cause = later ? {} : causeEvent("erased", gone);
  const first = publish(makeLog([...plain(299), cause], { log: origin }));
  const predecessor = predecessorText(sha256, { origin, note: noteOf(first) });
  const ends = later ? [causeEvent("erased", gone, { log: 1 })] : [];
  const second = publish(makeLog([...plain(20), ...ends], { log: `${origin}/2`, predecessor }));
  const logs: Published[] = [first, second];
  const [path, list] = listFile(gone);
  service.files = new Map([...filesOf(logs), [later ? `2/${path}` : path, list]]);
  const claim = later ? ({ cause: "erased", by: 20, log: 2 } as const) : ({ cause: "erased", by: 299 } as const);
  const lines = [redacted(first.lines, gone, claim), second.lines];
  const has = (index: number, log: number) => log > 1 || lost === undefined || index < lost.first || index > lost.last;
  const less = lost && { pick: has, missing: [{ log: origin, ...lost }], complete: false };
  const made = (id: string) => change(exportOf(logs, { lines, id, ...less }));
  service.make = made;
  const at = await workplace();
  const env = { INDELIBLE_URL: service.url, INDELIBLE_KEY: KEY };
  const keys = logs.flatMap(({ vkey }) => ["--key", vkey]);
  const exported = (args: string[], more: { signal?: AbortSignal; live?: boolean; columns?: number } = {}) =>
    at.run("export", ["--org", "acme", ...REASON, ...args], { env, ...more });
  return { service, made: made("exp_1"), exported, run: at.run, path: at.path, keys };
}

/** The files below a folder, by their paths. */
export const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name).slice(folder.length + 1))
    .sort();

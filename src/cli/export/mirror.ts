import { mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { placeInOrg } from "../../chain/continuation.ts";
import { EXIT, type ExitCode, failed, type Outcome } from "../outcome.ts";
import { count, counted } from "../terminal/format.ts";
import { printableJson } from "../terminal/printable.ts";
import { showProgress } from "../terminal/progress.ts";
import { inkFor, type Terminal } from "../terminal/terminal.ts";
import { mirrorList, mirrorTree } from "./mirror-log.ts";
import { recordsIn } from "./record-file.ts";
import {
  type ExportRequest,
  type Made,
  makeExport,
  type Making,
  missingText,
  readPart,
  waitingOf,
} from "./remote-export.ts";
import type { Service } from "./service.ts";
import { putFile, writeState } from "./state.ts";

type Task = { service: Service; reason: string; to: string; shown: string; json: boolean; terminal: Terminal };

const PART_DIGITS = 5;

/** What is under way, for the eye. */
export type Mirroring = Making & {
  parts: number;
  of: number | null;
  files: number;
  filesOf: number | null;
};

/**
 * Copies all logs of an org into a folder as it lies under their addresses: checkpoints, keys, tiles, leaves, lists of what
 * is gone, and every entry with its sections, as record lines. Files are whole or not there, so a run cut short goes on
 * where it was. The copy is as of one checkpoint of each log, and is verified without the service.
 */
export async function mirrorOrg({ service, reason, to, shown, json, terminal }: Task): Promise<Outcome<ExitCode>> {
  await mkdir(to, { recursive: true });
  const seen: Mirroring = { rows: 0, percent: 0, error: null, parts: 0, of: null, files: 0, filesOf: null };
  const progress = showProgress(terminal.err, () => readingOf(seen, service));
  try {
    const statePath = join(to, "mirror.state");
    const finished = await stat(join(to, "manifest.json")).catch(() => null);
    if (finished !== null) return failed(`${shown} holds a whole copy already`, "name another folder with --to");
    const request: ExportRequest = { format: "ndjson", reason };
    const made = await makeExport(service, { request, statePath, making: seen });
    if (!made.ok) return made;
    const { said, note } = made.value;
    // Of a log whose top was lost nothing can be proven, and where entries are lost no export is complete: what there is is copied.
    if (!said.complete && said.missing.entries === 0 && said.logs.every(({ checkpoint }) => checkpoint !== null))
      return LEFT_OUT;
    const records = await mirrorRecords(service, { made: made.value, to, statePath, seen });
    if (!records.ok) return records;
    for (const log of said.logs) {
      const folder = folderOf(to, log.log);
      const tree = await mirrorTree(service, { log, folder, seen });
      if (!tree.ok) return tree;
    }
    // Last of all: with it the copy is whole.
    await putFile(join(to, "manifest.json"), note);
    await rm(statePath);
    progress.stop();
    const logs = said.logs.map(({ log, size }) => ({ log, size }));
    const told = { ok: true, folder: shown, entries: said.rows, missing: said.missing, logs };
    if (json) terminal.out.write(`${printableJson(JSON.stringify(told))}\n`);
    else {
      const head = `${inkFor(terminal.out).green("✓")} ${counted(said.rows, "entry", "entries")} of ${said.org}, in ${shown}`;
      terminal.out.write(
        `${head}\n${missingText(said)}  verify it, with nobody to be asked: npx indelible verify ${shown} --complete --key VKEY\n`,
      );
    }
    return { ok: true, value: EXIT.good };
  } finally {
    progress.stop();
  }
}

/** Where a log lies in the copy: the first one at the top, later ones under their numbers. */
function folderOf(to: string, log: string): string {
  const { number } = placeInOrg(log);
  return number === 1 ? to : join(to, String(number));
}

const LEFT_OUT = failed(
  "the service left something out of what this key may have",
  "use a key with personal:read, and release quarantines before",
);

/** Puts the lines of each part into files of their logs, and the lists that causes among them name beside those. */
async function mirrorRecords(
  service: Service,
  { made, to, statePath, seen }: { made: Made; to: string; statePath: string; seen: Mirroring },
): Promise<Outcome<null>> {
  const { said, state } = made;
  seen.of = said.parts.length;
  const [first] = said.logs;
  const org = first === undefined ? "" : placeInOrg(first.log).first;
  // What another export left may not be had any more, or lie in other parts.
  for (const { log } of state.parts === 0 ? said.logs : []) {
    await rm(join(folderOf(to, log), "records"), { recursive: true, force: true });
  }
  for (const n of said.parts.keys()) {
    seen.parts = n;
    if (n < state.parts) continue;
    const read = await readPart(made, n);
    if (!read.ok) return read;
    const logs = recordsIn(read.value);
    if (logs === null)
      return failed(`part ${n + 1} holds lines that are no entries`, "get a later version of this command");
    // Where entries are lost nobody says whether anything else is left out: the lines themselves do.
    if (logs.some(({ withheld }) => withheld > 0)) return LEFT_OUT;
    for (const { number, lines, lists } of logs) {
      const folder = folderOf(to, number === 1 ? org : `${org}/${number}`);
      await mkdir(join(folder, "records"), { recursive: true });
      // A name of the service's own choice is no name for a file here.
      const name = `${String(n + 1).padStart(PART_DIGITS, "0")}.ndjson`;
      await putFile(join(folder, "records", name), `${lines.join("\n")}\n`);
      for (const list of lists) {
        const listed = await mirrorList(service, { number, list, folder });
        if (!listed.ok) return listed;
      }
    }
    // A crash before this does the part once more, which writes the same files.
    state.parts = n + 1;
    await writeState(statePath, state);
  }
  seen.parts = said.parts.length;
  return { ok: true, value: null };
}

function readingOf(seen: Mirroring, service: Service) {
  const { rows, percent, parts, of, files, filesOf } = seen;
  const waiting = waitingOf(seen, service);
  if (filesOf !== null) {
    const unit = `of ${count(filesOf)} tiles and bundles fetched`;
    return { fraction: files / Math.max(1, filesOf), done: files, unit, notes: [], waiting };
  }
  if (of === null) return { fraction: percent / 100, done: rows, unit: "entries made ready", notes: [], waiting };
  return { fraction: parts / Math.max(1, of), done: parts, unit: `of ${count(of)} parts fetched`, notes: [], waiting };
}

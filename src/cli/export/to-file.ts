import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { EXIT, type ExitCode, failed, type Outcome } from "../outcome.ts";
import { bytes as bytesText, count, counted } from "../terminal/format.ts";
import { printableJson } from "../terminal/printable.ts";
import { showProgress } from "../terminal/progress.ts";
import { inkFor, type Terminal } from "../terminal/terminal.ts";
import { manifestPaths } from "../verify/export-file.ts";
import { mirrorList } from "./mirror-log.ts";
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

type Task = {
  service: Service;
  request: ExportRequest;
  out: string;
  shown: (path: string) => string;
  json: boolean;
  terminal: Terminal;
};

/**
 * Has the service make an export and puts it into one file, with its manifest and the lists of what is gone beside it. Each
 * part is compared with the manifest before it is kept; a run cut short goes on after the last one that was.
 */
export async function exportToFile({ service, request, out, shown, json, terminal }: Task): Promise<Outcome<ExitCode>> {
  const [manifest = ""] = manifestPaths(out);
  if (await isThere(out)) return taken(shown(out));
  // What an earlier run put there is its own; another export's would be lost.
  if ((await isThere(manifest)) && !(await isThere(`${out}.state`))) return taken(shown(manifest));
  await mkdir(dirname(out), { recursive: true });
  const seen: Seen = { rows: 0, percent: 0, error: null, parts: 0, of: null };
  const progress = showProgress(terminal.err, () => readingOf(seen, service));
  try {
    const made = await makeExport(service, { request, statePath: `${out}.state`, making: seen });
    if (!made.ok) return made;
    const { said, note } = made.value;
    seen.of = said.parts.length;
    const fetched = await fetchParts(service, { made: made.value, out, format: request.format, seen });
    if (!fetched.ok) return fetched;
    await putFile(manifest, note);
    await rename(`${out}.part`, out);
    // A crash before this leaves a state that nobody looks at.
    await rm(`${out}.state`);
    progress.stop();
    const { id, rows, complete, missing, parts } = said;
    const size = parts.reduce((sum, part) => sum + part.bytes, 0);
    const told = { ok: true, id, rows, bytes: size, complete, missing, file: shown(out), manifest: shown(manifest) };
    if (json) terminal.out.write(`${printableJson(JSON.stringify(told))}\n`);
    else terminal.out.write(textOf(told, made.value, terminal));
    return { ok: true, value: EXIT.good };
  } finally {
    progress.stop();
  }
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}

function taken(name: string) {
  return failed(`${name} is there already`, "name another file with --to, or move it away");
}

/** What is under way, for the eye. */
type Seen = Making & { parts: number; of: number | null };

type Fetching = { made: Made; out: string; format: ExportRequest["format"]; seen: { parts: number } };

/** Puts part after part at the end of the file that is to be the export. */
async function fetchParts(service: Service, { made, out, format, seen }: Fetching): Promise<Outcome<null>> {
  const { said, state } = made;
  const file = await open(`${out}.part`, "a+");
  try {
    const held = (await file.stat()).size;
    let size = 0;
    for (const [n, part] of said.parts.entries()) {
      const from = size;
      size += part.bytes;
      seen.parts = n;
      if (n < state.parts && size <= held) continue;
      const read = await readPart(made, n);
      if (!read.ok) return read;
      const lists = format === "csv" ? null : await fetchLists(service, { bytes: read.value, folder: dirname(out) });
      if (lists?.ok === false) return lists;
      // Whatever follows is of a run cut short, or of another export.
      await file.truncate(from);
      await file.appendFile(read.value);
      await file.sync();
      // A crash before this fetches the part once more.
      state.parts = n + 1;
      await writeState(`${out}.state`, state);
    }
    await file.truncate(size);
    return { ok: true, value: null };
  } finally {
    await file.close();
  }
}

/** Puts the lists that causes in a part name beside the file: with them it explains what is gone. */
async function fetchLists(
  service: Service,
  { bytes, folder }: { bytes: Uint8Array; folder: string },
): Promise<Outcome<null>> {
  for (const { number, lists } of recordsIn(bytes) ?? []) {
    for (const list of lists) {
      const fetched = await mirrorList(service, { number, list, folder });
      if (!fetched.ok) return fetched;
    }
  }
  return { ok: true, value: null };
}

type Told = { rows: number; bytes: number; file: string; manifest: string };

function textOf({ rows, bytes, file, manifest }: Told, { said }: Made, { out }: Terminal): string {
  const head = `${inkFor(out).green("✓")} ${counted(rows, "entry", "entries")}, ${bytesText(bytes)}, in ${file}`;
  return `${head}\n${missingText(said)}  its manifest, signed by the log's key: ${manifest}\n  npx indelible verify ${file} --key VKEY\n`;
}

function readingOf(seen: Seen, service: Service) {
  const { rows, percent, parts, of } = seen;
  const waiting = waitingOf(seen, service);
  if (of === null) return { fraction: percent / 100, done: rows, unit: "entries made ready", notes: [], waiting };
  return {
    fraction: of === 0 ? 1 : parts / of,
    done: parts,
    unit: `of ${count(of)} parts fetched`,
    notes: [],
    waiting,
  };
}

import { open, rename, rm, stat } from "node:fs/promises";
import { EXIT, type ExitCode, failed, type Outcome } from "../outcome.ts";
import { bytes as bytesText, count, counted } from "../terminal/format.ts";
import { printableJson } from "../terminal/printable.ts";
import { showProgress } from "../terminal/progress.ts";
import { inkFor, type Terminal } from "../terminal/terminal.ts";
import { manifestPaths } from "../verify/export-file.ts";
import { type ExportRequest, makeExport, readPart } from "./remote-export.ts";
import type { Service } from "./service.ts";
import { putFile } from "./state.ts";

type Task = {
  service: Service;
  request: ExportRequest;
  out: string;
  shown: (path: string) => string;
  json: boolean;
  terminal: Terminal;
};

/**
 * Has the service make an export and puts it into one file, with its manifest beside it. Each part is compared with the
 * manifest before it is kept; a run cut short goes on after the last one that was.
 */
export async function exportToFile({ service, request, out, shown, json, terminal }: Task): Promise<Outcome<ExitCode>> {
  const [manifest = ""] = manifestPaths(out);
  if (await stat(out).catch(() => null)) {
    return failed(`${shown(out)} is there already`, "name another file with --to, or move it away");
  }
  const seen = { rows: 0, percent: 0, parts: 0, of: null as number | null };
  const progress = showProgress(terminal.err, () => readingOf(seen, service));
  try {
    const made = await makeExport(service, { request, statePath: `${out}.state`, making: seen });
    if (!made.ok) return made;
    const { said, note } = made.value;
    seen.of = said.parts.length;
    const file = await open(`${out}.part`, "a+");
    try {
      let size = 0;
      const held = (await file.stat()).size;
      for (const [n, part] of said.parts.entries()) {
        size += part.bytes;
        seen.parts = n;
        // What lies there whole was compared before it was written.
        if (size <= held) continue;
        const read = await readPart(made.value, n);
        if (!read.ok) return read;
        await file.truncate(size - part.bytes);
        await file.appendFile(read.value);
      }
      await file.truncate(size);
      await file.sync();
    } finally {
      await file.close();
    }
    await putFile(manifest, note);
    await rename(`${out}.part`, out);
    // A crash before this leaves a state that nobody looks at.
    await rm(`${out}.state`);
    progress.stop();
    const { id, rows, complete, parts } = said;
    const size = parts.reduce((sum, part) => sum + part.bytes, 0);
    const told = { ok: true, id, rows, bytes: size, complete, file: shown(out), manifest: shown(manifest) };
    if (json) terminal.out.write(`${printableJson(JSON.stringify(told))}\n`);
    else terminal.out.write(textOf(told, terminal));
    return { ok: true, value: EXIT.good };
  } finally {
    progress.stop();
  }
}

type Told = { rows: number; bytes: number; file: string; manifest: string };

function textOf({ rows, bytes, file, manifest }: Told, { out }: Terminal): string {
  const head = `${inkFor(out).green("✓")} ${counted(rows, "entry", "entries")}, ${bytesText(bytes)}, in ${file}`;
  return `${head}\n  its manifest, signed by the log's key: ${manifest}\n  npx indelible verify ${file} --key VKEY\n`;
}

function readingOf(
  { rows, percent, parts, of }: { rows: number; percent: number; parts: number; of: number | null },
  { backOff }: Service,
) {
  const { reason } = backOff;
  const waiting = reason === null ? null : `waiting · ${reason}`;
  if (of === null) return { fraction: percent / 100, done: rows, unit: "entries made ready", notes: [], waiting };
  return {
    fraction: of === 0 ? 1 : parts / of,
    done: parts,
    unit: `of ${count(of)} parts fetched`,
    notes: [],
    waiting,
  };
}

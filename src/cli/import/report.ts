import { count, counted, bytes, duration } from "../terminal/format.ts";
import { inkFor, type Sink } from "../terminal/terminal.ts";
import { table } from "../terminal/table.ts";
import type { Done, InputFile } from "./input-file.ts";

type Report = {
  files: readonly InputFile[];
  org: string;
  elapsedMs: number;
  sink: Sink;
  shown: (path: string) => string;
};

/** What an import has done, for a reader: this run's numbers, what earlier runs had done, and where rejects lie. */
export function importReport({ files, org, elapsedMs, sink, shown }: Report): string {
  const ink = inkFor(sink);
  const now = sum(files.map((file) => file.done));
  const earlier = sum(files.map((file) => file.before));
  const records = now.records - earlier.records;
  const rejected = now.rejected - earlier.rejected;
  const settled = files.every((file) => file.finished);
  const title = files.length === 1 ? (files[0] as InputFile).name : counted(files.length, "file", "files");
  const mark = !settled ? ink.yellow("•") : now.rejected > 0 ? ink.yellow("•") : ink.green("✓");

  const rows = [
    ["appended", ink.bold(count(now.appended - earlier.appended)), ""],
    ["duplicates", count(now.duplicates - earlier.duplicates), ink.dim("in the log already")],
    ["rejected", rejected > 0 ? ink.red(count(rejected)) : "0", ""],
  ];
  if (earlier.records > 0) {
    const kept = earlier.rejected > 0 ? `, ${count(earlier.rejected)} of them rejected` : "";
    rows.push([
      "skipped",
      count(earlier.records),
      ink.dim(`settled by an earlier run${kept}; --restart sends them again`),
    ]);
  }
  const read = files.reduce((total, file) => total + file.bytesRead, 0);
  const rate = elapsedMs > 0 && records > 0 ? ` · ${count(Math.round((records * 1000) / elapsedMs))}/s` : "";
  const foot = ink.dim(`${counted(records, "record", "records")} · ${bytes(read)} · ${duration(elapsedMs)}${rate}`);
  const places = new Set(files.filter((file) => file.done.rejected > 0).map((file) => shown(file.rejectsPath)));
  const where = places.size === 0 ? "" : `  the rejects, each with its reason: ${[...places].join(", ")}\n`;
  return `${mark} ${ink.bold(title)} → org ${ink.bold(org)}\n${table(rows, [1])}  ${foot}\n${where}`;
}

function sum(all: readonly Done[]): Done {
  const total: Done = { records: 0, appended: 0, duplicates: 0, rejected: 0 };
  for (const done of all) {
    total.records += done.records;
    total.appended += done.appended;
    total.duplicates += done.duplicates;
    total.rejected += done.rejected;
  }
  return total;
}

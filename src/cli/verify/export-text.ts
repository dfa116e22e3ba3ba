import type { ExportReport } from "../../verifier/index.ts";
import { type Fact, facts } from "../terminal/facts.ts";
import { count, counted, duration } from "../terminal/format.ts";
import { printable } from "../terminal/printable.ts";
import { inkFor, type Sink } from "../terminal/terminal.ts";
import { NOT_PROVEN } from "./job.ts";
import { breakFacts, keyText, placeOf } from "./log-text.ts";
import type { ExportVerdict } from "./verify-export.ts";

/** More than this is counted, not listed: `--json` has it all. */
const SHOWN_DOUBTS = 20;

/** What an export shows, for a reader: the verdict first, then log by log what it rests on. */
export function exportText(verdict: ExportVerdict, { sink, complete }: { sink: Sink; complete: boolean }): string {
  const ink = inkFor(sink);
  const { report, trusts, elapsedMs } = verdict;
  const rows = report.logs.reduce((sum, log) => sum + log.rows, 0);
  const rate = elapsedMs > 0 ? Math.round((rows * 1000) / elapsedMs) : 0;
  const all: Fact[] = [
    ...report.faults.map(({ kind, part, detail }): Fact => [part ?? "the file", ink.red(kind), printable(detail), ""]),
    ...report.logs.flatMap((log) => logFacts(log, report, sink)),
    ...trusts.map((trust): Fact => ["key", ...keyText(trust).split("\n")]),
    ["not proven", NOT_PROVEN.time, NOT_PROVEN.log, ...(report.whole ? [] : [NOT_LEFT_OUT])],
  ];
  const foot = rows === 0 ? "" : `  ${ink.dim(`${duration(elapsedMs)} · ${count(rate)} lines/s`)}\n`;
  return `${headline(report, { sink, complete })}\n\n${facts(all, sink)}${foot}`;
}

const NOT_LEFT_OUT = "· that nothing else would have matched: what was asked for chose the entries";

function headline(report: ExportReport, { sink, complete }: { sink: Sink; complete: boolean }): string {
  const ink = inkFor(sink);
  const { logs, faults, ok, format, missing, whole } = report;
  const name = ink.bold(`${printable(report.org)}, export ${printable(report.id)}`);
  const breaks = faults.length + logs.reduce((sum, log) => sum + log.breaks.length, 0);
  const withheld = logs.some(({ absent }) => absent.withheld > 0);
  const unproven = logs.some((log) => log.unproven > 0);
  if (breaks > 0) return `${ink.red("✗")} ${name}: ${ink.red(counted(breaks, "break", "breaks"))}`;
  if (logs.some(({ unvouched }) => unvouched.length > 0)) return `${ink.red("✗")} ${name}: ${ink.red("not whole")}`;
  if (!ok) return `${ink.yellow("•")} ${name}: could not be checked to the end`;
  if (format === "csv") return `${ink.yellow("•")} ${name}: the file that was made; lines of CSV prove nothing`;
  const lines = counted(report.rows, "line", "lines");
  if (withheld) return `${ink.yellow("•")} ${name}: ${lines} as signed, some sections withheld`;
  if (missing.entries > 0) {
    const lost = counted(missing.entries, "entry", "entries");
    return `${ink.yellow("•")} ${name}: all ${lines} verified, and ${lost} not in it: the service had lost them`;
  }
  if (complete && unproven) return `${ink.yellow("•")} ${name}: ${lines} as signed, not every cause is in it`;
  return `${ink.green("✓")} ${name}: all ${lines} verified${whole ? ", no entry is missing" : ""}`;
}

function logFacts(log: ExportReport["logs"][number], { whole, missing }: ExportReport, sink: Sink): Fact[] {
  const { origin, size, root, rows, first, last, breaks, could_not_check: unchecked, unvouched, absent } = log;
  const of = rows === 0 ? "none of its entries" : placeOf({ index: first, to: last ?? 0 });
  const found: Fact[] = [
    ["log", `${printable(origin)}: ${of}`],
    ...breakFacts(breaks, sink),
    ...unvouched.map(
      ({ from, to }): Fact => ["unvouched", `${placeOf({ index: from, to })}: nothing signed says what they were`],
    ),
    ...unchecked
      .slice(0, SHOWN_DOUBTS)
      .map((one): Fact => ["not checked", printable(one.index === null ? one.why : `${placeOf(one)}: ${one.why}`)]),
  ];
  if (unchecked.length > SHOWN_DOUBTS)
    found.push(["", `and ${count(unchecked.length - SHOWN_DOUBTS)} more: --json lists them all`]);
  if (root !== "") found.push(["checkpoint", `${counted(size, "entry", "entries")} · root ${root}`]);
  if (log.proven > 0) {
    const all = whole && log.proven === size ? ", all there are" : "";
    found.push(["lines", `${count(log.proven)} are of entries of the signed tree${all}`]);
  }
  const lost = missing.runs.filter((run) => run.log === origin);
  for (const run of lost.slice(0, SHOWN_DOUBTS)) {
    found.push([
      "missing",
      `${placeOf({ index: run.first, to: run.last })}: lost by the service, as the manifest says`,
    ]);
  }
  if (lost.length > SHOWN_DOUBTS) found.push(["", `and ${count(lost.length - SHOWN_DOUBTS)} more runs of entries`]);
  if (log.sections > 0) found.push(["sections", `${count(log.sections)} are what their leaves commit`]);
  for (const cause of ["erased", "expired"] as const) {
    if (absent[cause] === 0) continue;
    found.push([cause, `${counted(absent[cause], "section", "sections")}, by an entry of this export that lists them`]);
  }
  if (log.unproven > 0) {
    const gone = counted(log.unproven, "section is", "sections are");
    found.push([
      "not there",
      `${gone} said to be erased or expired; the entry that is the cause, or its list, is not part of this export`,
    ]);
  }
  if (absent.withheld > 0)
    found.push(["withheld", `${counted(absent.withheld, "section", "sections")}: not all is verified`]);
  return [...found, ["", ""]];
}

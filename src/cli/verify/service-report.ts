import { originOfLog } from "../../chain/continuation.ts";
import { EXIT } from "../outcome.ts";
import { count, counted, duration } from "../terminal/format.ts";
import { printable } from "../terminal/printable.ts";
import { table } from "../terminal/table.ts";
import { inkFor, type Sink } from "../terminal/terminal.ts";
import { exitOf, type Summary } from "./summary.ts";
import { summaryLine } from "./summary-line.ts";

/** More breaks than this are counted, not listed: `--json` has them all. */
const SHOWN_BREAKS = 20;

/** The result of a check for a reader, log by log: the verdict first, then what it rests on. */
export function serviceReport(
  summaries: readonly Summary[],
  { org, elapsedMs, sink }: { org: string; elapsedMs: number; sink: Sink },
): string {
  const ink = inkFor(sink);
  const checked = summaries.reduce((sum, one) => sum + one.checked, 0);
  const rate = elapsedMs > 0 ? Math.round((checked * 1000) / elapsedMs) : 0;
  const foot = `  ${ink.dim(`${duration(elapsedMs)} · ${count(rate)} entries/s`)}\n`;
  const names = summaries.map((_, n) => originOfLog(org, n + 1));
  const texts = summaries.map((summary, n) => logReport(summary, { name: names[n] ?? org, sink }));
  if (texts.length === 1) return `${texts.join("")}${foot}`;
  const ends = summaries.map((summary, n) => ({ name: names[n] ?? org, code: exitOf(summary) }));
  return `${texts.join("\n")}\n${summaryLine(org, ends, sink)}${foot}`;
}

function logReport(summary: Summary, { name, sink }: { name: string; sink: Sink }): string {
  const ink = inkFor(sink);
  const withheld = summary.absent["withheld"] ?? 0;
  const entries = counted(summary.checked, "entry", "entries");
  if (exitOf(summary) === EXIT.findings) {
    const found = summary.breaks.length === 0 ? "not whole" : counted(summary.breaks.length, "break", "breaks");
    return `${ink.red("✗")} ${ink.bold(name)}: ${ink.red(found)} in ${entries}\n${breaks(summary, sink)}${rest(summary, sink)}`;
  }
  const unsure = withheld > 0 || summary.could_not_check.length > 0;
  const verdict = unsure ? `${entries} checked, no break found` : `all ${entries} verified, no break`;
  return `${unsure ? ink.yellow("•") : ink.green("✓")} ${ink.bold(name)}: ${verdict}\n${rest(summary, sink)}`;
}

function breaks({ breaks: all }: Summary, sink: Sink): string {
  const ink = inkFor(sink);
  const rows = all.slice(0, SHOWN_BREAKS).map((one) => {
    const where = one.section === undefined ? "" : `section ${one.section}`;
    const found = one.found_at === undefined ? "" : `found at ${count(one.found_at)}`;
    const detail = [where, found, one.detail ?? ""].filter((text) => text !== "").join(" · ");
    return [ink.dim("entry"), ink.bold(count(one.index)), ink.red(printable(one.kind)), printable(detail)];
  });
  const more = all.length - rows.length;
  return table(rows, [1]) + (more > 0 ? `  ${ink.dim(`and ${count(more)} more: --json lists them all`)}\n` : "");
}

/** Not breaks, but nothing to keep quiet about. */
function rest({ unvouched, absent, pending, stopped_at, could_not_check: unchecked }: Summary, sink: Sink): string {
  const ink = inkFor(sink);
  const rows: string[][] = [];
  for (const range of unvouched) {
    const span = range.from === range.to ? count(range.from) : `${count(range.from)}–${count(range.to)}`;
    rows.push(["unvouched", span, ink.dim("no intact entry after them says what they were")]);
  }
  for (const [cause, n] of Object.entries(absent)) {
    if (n === 0) continue;
    const withheld =
      cause === "withheld"
        ? "sections this key may not see: not all is verified"
        : "sections, with their cause in the log";
    rows.push([printable(cause), count(n), ink.dim(withheld)]);
  }
  if (pending > 0)
    rows.push(["pending", count(pending), ink.dim("entries on their way to D1, checked as the ledger has them")]);
  for (const { index, why } of unchecked.slice(0, SHOWN_BREAKS))
    rows.push(["not checked", count(index), ink.dim(printable(why))]);
  if (stopped_at !== null) rows.push(["stopped at", count(stopped_at), ink.dim("too many breaks to name them all")]);
  return table(rows, [1]);
}

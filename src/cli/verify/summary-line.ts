import { EXIT, type ExitCode } from "../outcome.ts";
import { printable } from "../terminal/printable.ts";
import { inkFor, type Sink } from "../terminal/terminal.ts";

/** One line about all logs of an org, which names those that are broken or were not checked. */
export function summaryLine(org: string, ends: readonly { name: string; code: ExitCode }[], sink: Sink): string {
  const ink = inkFor(sink);
  const named = (wanted: ExitCode) => ends.filter(({ code }) => code === wanted).map(({ name }) => printable(name));
  const [broken, open] = [named(EXIT.findings), named(EXIT.failed)];
  const parts = [
    ...(broken.length > 0 ? [`broken: ${broken.join(", ")}`] : []),
    ...(open.length > 0 ? [`not checked to the end: ${open.join(", ")}`] : []),
  ];
  const mark = broken.length > 0 ? ink.red("✗") : open.length > 0 ? ink.yellow("•") : ink.green("✓");
  const found = parts.length === 0 ? "nothing broken" : parts.join("; ");
  return `${mark} ${ink.bold(printable(org))}: ${ends.length} logs, ${found}\n`;
}

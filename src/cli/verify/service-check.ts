import type { Connection } from "../options.ts";
import { EXIT, type ExitCode, failed, type Outcome } from "../outcome.ts";
import { count } from "../terminal/format.ts";
import { showProgress } from "../terminal/progress.ts";
import { printableJson } from "../terminal/printable.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { checkPart, type Counter, type Part } from "./check-part.ts";
import { serviceReport } from "./service-report.ts";
import { addPart, type Summary } from "./summary.ts";

type Around = { terminal: Terminal; signal: AbortSignal };

/** Asks the service to check a log against all its stores. It reaches more than anyone else can, but takes its word. */
export async function serviceCheck(
  connection: Connection,
  { json, ...around }: Around & { json: boolean },
): Promise<Outcome<ExitCode>> {
  const { out } = around.terminal;
  const startedAt = performance.now();
  const summary = await checkAll(connection, around);
  if (!summary.ok) return summary;
  const elapsedMs = performance.now() - startedAt;
  if (json) out.write(`${printableJson(JSON.stringify(summary.value))}\n`);
  else out.write(serviceReport(summary.value, { org: connection.org, elapsedMs, sink: out }));
  if (!summary.value.ok) return { ok: true, value: EXIT.findings };
  return { ok: true, value: summary.value.could_not_check.length > 0 ? EXIT.failed : EXIT.good };
}

/** The whole log, in as many requests as it takes: each goes on where the one before says. */
async function checkAll(connection: Connection, { terminal, signal }: Around): Promise<Outcome<Summary>> {
  const counter: Counter = { checked: 0, total: null, breaks: 0, waiting: null };
  let before = { checked: 0, breaks: 0 };
  const progress = showProgress(terminal.err, () => {
    const checked = before.checked + counter.checked;
    const breaks = before.breaks + counter.breaks;
    const total = counter.total;
    return {
      fraction: total === null || total === 0 ? null : Math.min(1, checked / total),
      done: checked,
      unit: total === null ? "entries" : `of ${count(total)} entries`,
      notes: [breaks === 1 ? "1 break" : `${count(breaks)} breaks`],
      waiting: counter.waiting,
    };
  });
  try {
    let summary: Summary | null = null;
    let from: Part | null = null;
    for (;;) {
      const report = await checkPart(connection, { from, counter, signal });
      if (!report.ok) return report;
      summary = addPart(summary, report.value);
      const { continue_from: next, continue_expect: expect } = report.value;
      if (next === null || report.value.stopped_at !== null) return { ok: true, value: summary };
      if (from !== null && next >= from.to) {
        return failed(`the check does not get on: it stopped at ${next} twice`, "tell whoever runs the service");
      }
      from = { to: next, expect };
      before = { checked: summary.checked, breaks: summary.breaks.length };
      counter.checked = 0;
      counter.breaks = 0;
    }
  } finally {
    progress.stop();
  }
}

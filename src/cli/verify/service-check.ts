import type { Connection } from "../options.ts";
import { type ExitCode, failed, type Outcome, worstOf } from "../outcome.ts";
import { count } from "../terminal/format.ts";
import { showProgress } from "../terminal/progress.ts";
import { printableJson } from "../terminal/printable.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { checkPart, type Counter, type Part } from "./check-part.ts";
import { serviceReport } from "./service-report.ts";
import { addPart, exitOf, type Summary, uncheckedSummary } from "./summary.ts";

/** `reason` goes into the trace of the check; null for none. */
type Around = { terminal: Terminal; signal: AbortSignal; reason: string | null };

/**
 * Asks the service to check all logs of an org against all its stores: the newest, whose report says which it is, then
 * those before it. The service reaches more than anyone else can, but takes its own word.
 */
export async function serviceCheck(
  connection: Connection,
  { json, ...around }: Around & { json: boolean },
): Promise<Outcome<ExitCode>> {
  const { out } = around.terminal;
  const startedAt = performance.now();
  const newest = await checkLog(connection, { number: null, ...around });
  if (!newest.ok) return newest;
  const summaries = [newest.value];
  for (let number = numberOf(newest.value, connection) - 1; number > 0; number--) {
    const earlier = await checkLog(connection, { number, ...around });
    // What was found of the others is not given up for it.
    summaries.unshift(earlier.ok ? earlier.value : uncheckedSummary(earlier.failure));
  }
  const elapsedMs = performance.now() - startedAt;
  if (json) {
    const [first, ...later] = summaries;
    const all = { ...first, ok: summaries.every(({ ok }) => ok), later };
    out.write(`${printableJson(JSON.stringify(all))}\n`);
  } else out.write(serviceReport(summaries, { org: connection.org, elapsedMs, sink: out }));
  return { ok: true, value: worstOf(summaries.map(exitOf)) };
}

/** Which of the org's logs was checked; what does not say so has one. */
function numberOf({ log }: Summary, { org }: Connection): number {
  const [last = "", before = ""] = log?.split("/").reverse() ?? [];
  return before === org && /^[1-9]\d*$/.test(last) ? Number(last) : 1;
}

/** A whole log, in as many requests as it takes: each goes on where the one before says. */
async function checkLog(
  connection: Connection,
  { number, terminal, signal, reason }: Around & { number: number | null },
): Promise<Outcome<Summary>> {
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
      // The newest may be another one by now; what is gone on with is the one that was begun.
      const begun: number | null = number ?? (summary?.log === undefined ? null : numberOf(summary, connection));
      const report = await checkPart(connection, { log: begun, from, counter, signal, reason });
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

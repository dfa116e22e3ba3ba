import { parseArgs } from "node:util";
import { COMMON_HELP, COMMON_OPTIONS, type Connection, connectionOf, type Surroundings } from "./options.ts";
import { EXIT, type ExitCode, failed, type Outcome } from "./outcome.ts";
import { count } from "./terminal/format.ts";
import { showProgress } from "./terminal/progress.ts";
import type { Terminal } from "./terminal/terminal.ts";
import { checkPart, type Counter, type Part } from "./verify/check-part.ts";
import { addPart, type Summary } from "./verify/summary.ts";
import { verifyReport } from "./verify/report.ts";

const VERIFY_HELP = `Checks an org's log: every section, every leaf, every link, from the newest entry to the oldest.

  npm run verify -- --org acme

  --org ORG      the org whose log is checked
  --json         the report as JSON
${COMMON_HELP}
Ends with 0 when the log is whole, 1 when it is broken, 2 when it could not be checked.
`;

const OPTIONS = { ...COMMON_OPTIONS, json: { type: "boolean", default: false } } as const;

type Around = Surroundings & { terminal: Terminal; signal: AbortSignal };

/** The verb `verify`. */
export async function runVerify(args: string[], around: Around): Promise<Outcome<ExitCode>> {
  let values: ReturnType<typeof parse>["values"];
  try {
    values = parse(args).values;
  } catch (error) {
    return failed(error instanceof Error ? (error.message.split(". ")[0] ?? "") : "wrong options", "see --help");
  }
  const { out } = around.terminal;
  if (values.help) {
    out.write(VERIFY_HELP);
    return { ok: true, value: EXIT.good };
  }
  const connection = connectionOf(values, around);
  if (!connection.ok) return connection;
  const startedAt = performance.now();
  const summary = await checkAll(connection.value, around);
  if (!summary.ok) return summary;
  const elapsedMs = performance.now() - startedAt;
  if (values.json) out.write(`${JSON.stringify(summary.value)}\n`);
  else out.write(verifyReport(summary.value, { org: connection.value.org, elapsedMs, sink: out }));
  if (!summary.value.ok) return { ok: true, value: EXIT.findings };
  return { ok: true, value: summary.value.could_not_check.length > 0 ? EXIT.failed : EXIT.good };
}

function parse(args: string[]) {
  return parseArgs({ args, options: OPTIONS, strict: true });
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

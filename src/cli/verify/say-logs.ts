import { hex } from "../../chain/encoding.ts";
import { formatVkey } from "../../chain/note/note-key.ts";
import type { LogReport } from "../../verifier/verify-log.ts";
import { EXIT, type ExitCode, worstOf } from "../outcome.ts";
import { printableJson } from "../terminal/printable.ts";
import type { Job } from "./job.ts";
import { logText } from "./log-text.ts";
import { summaryLine } from "./summary-line.ts";
import type { LogVerdict } from "./verify-log.ts";

/** Says what was found of a log as soon as it is known. As JSON all logs are one document, which comes at the end. */
export function sayLog(
  verdict: LogVerdict,
  { job, elapsedMs, first }: { job: Job; elapsedMs: number; first: boolean },
): void {
  const { out } = job.terminal;
  if (job.json) return;
  if (!first) out.write("\n");
  out.write(logText(verdict, { elapsedMs, sink: out, complete: job.complete }));
}

/** Says what there is to say of all logs together. The JSON document is the first one's report, with the others in it. */
export function sayLogs(verdicts: readonly LogVerdict[], job: Job): void {
  const { out } = job.terminal;
  if (!job.json) {
    if (verdicts.length === 1) return;
    const ends = verdicts.map(({ report }) => ({ name: report.origin, code: exitOfOne(report, job) }));
    const [first] = verdicts;
    const name = `${first?.report.origin}${first?.place.unseen === null ? "" : " and after"}`;
    return out.write(`\n${summaryLine(name, ends, out)}`);
  }
  const [first, ...later] = verdicts.map((verdict) => jsonOf(verdict, job));
  const all = { ...first, ok: exitOf(verdicts, job) === EXIT.good, later };
  out.write(`${printableJson(JSON.stringify(all))}\n`);
}

function jsonOf({ report, trust, cosigned, older, evidence }: LogVerdict, job: Job) {
  const keys = trust?.keys.filter(({ type }) => type === "ed25519") ?? [];
  const key = trust && { how: trust.how, ids: keys.map(({ id }) => hex(id)), vkeys: keys.map(formatVkey) };
  return { ...report, ok: exitOfOne(report, job) === EXIT.good, key, cosigned, since: older.since, evidence };
}

/** How the command ends. */
export function exitOf(verdicts: readonly LogVerdict[], job: Job): ExitCode {
  return worstOf(verdicts.map(({ report }) => exitOfOne(report, job)));
}

function exitOfOne({ ok, breaks, unvouched, sections_unseen }: LogReport, { complete }: Job): ExitCode {
  if (breaks.length > 0 || unvouched.length > 0) return EXIT.findings;
  return ok && !(complete && sections_unseen > 0) ? EXIT.good : EXIT.failed;
}

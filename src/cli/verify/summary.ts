import { EXIT, type ExitCode, type Failure } from "../outcome.ts";
import type { Report } from "./check-part.ts";

/** The reports of all parts of one check, as one. */
export type Summary = Omit<Report, "continue_from" | "continue_expect">;

export function addPart(
  before: Summary | null,
  { continue_from: _from, continue_expect: _expect, ...part }: Report,
): Summary {
  if (before === null) return part;
  const absent = { ...before.absent };
  for (const [cause, n] of Object.entries(part.absent)) absent[cause] = (absent[cause] ?? 0) + n;
  return {
    ok: before.ok && part.ok,
    log: before.log,
    checked: before.checked + part.checked,
    // Entries appended while the check ran are not part of it: the first report says how large the log was.
    size: before.size,
    breaks: [...before.breaks, ...part.breaks],
    unvouched: [...before.unvouched, ...part.unvouched],
    absent,
    could_not_check: [...before.could_not_check, ...part.could_not_check],
    stopped_at: part.stopped_at,
    pending: before.pending,
  };
}

/** A log that something kept from being checked. */
export function uncheckedSummary({ what, remedy }: Failure): Summary {
  return {
    ok: false,
    checked: 0,
    size: 0,
    breaks: [],
    unvouched: [],
    absent: {},
    could_not_check: [{ index: 0, why: `${what}; ${remedy}` }],
    stopped_at: null,
    pending: 0,
  };
}

/** What a service calls not ok is broken, unless it says that it only could not check all of it. */
export function exitOf({ ok, breaks, unvouched, could_not_check, stopped_at }: Summary): ExitCode {
  if (could_not_check.length === 0) return ok ? EXIT.good : EXIT.findings;
  return breaks.length + unvouched.length > 0 || stopped_at !== null ? EXIT.findings : EXIT.failed;
}

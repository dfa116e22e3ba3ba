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

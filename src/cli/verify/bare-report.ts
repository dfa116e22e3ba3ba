import type { LogReport } from "../../verifier/verify-log.ts";

/** The report of a log of which no entry was read. */
export function bareReport(
  origin: string,
  { breaks = [], could_not_check = [] }: Partial<Pick<LogReport, "breaks" | "could_not_check">>,
): LogReport {
  return {
    ok: false,
    origin,
    size: 0,
    root: "",
    breaks,
    could_not_check,
    unvouched: [],
    older: [],
    stopped_at: null,
    entries: 0,
    records: 0,
    sections: 0,
    sections_unseen: 0,
    beyond: 0,
    absent: { erased: 0, expired: 0, withheld: 0 },
  };
}

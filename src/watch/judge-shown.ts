import type { Config } from "../env.ts";
import { logsOf } from "../query/logs.ts";
import type { ReadGrant } from "../schema/ledger.ts";
import { foreignMarksOf, marksOf } from "./canary-event.ts";
import type { Path, Shown, Wanted } from "./canary-paths.ts";

type Question = { org: string; grant: ReadGrant; path: Path; wanted: Wanted };

/** What an answer of a canary's log is: it shows what was appended, or lacks it, or (at these indexes) shows what is another's. */
type Verdict = { kind: "found" } | { kind: "lacking" } | { kind: "misrouted"; indexes: number[] };

export function judgeShown(config: Config, { org, grant, path, wanted }: Question, shown: readonly Shown[]): Verdict {
  const own = logsOf(grant).map(({ log }) => log);
  const holds = (text: string, marks: string[]) => marks.some((mark) => text.includes(mark));
  const foreign = foreignMarksOf(config, org);
  const misrouted = shown.filter(({ log, text }) => !own.includes(log) || holds(text, foreign));
  if (misrouted.length > 0) return { kind: "misrouted", indexes: misrouted.map(({ index }) => index) };
  const marks = marksOf(config, org);
  const found = shown.some(
    ({ log, index, text }) => log === grant.log && index === wanted.index && (path.bare === true || holds(text, marks)),
  );
  return { kind: found ? "found" : "lacking" };
}

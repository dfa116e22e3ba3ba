import { type Claimed, Claims } from "../chain/claims.ts";
import { originOfLog, placeInOrg } from "../chain/continuation.ts";
import type { Leaf } from "../chain/leaf.ts";
import type { Absence } from "../chain/record.ts";
import type { Sha256 } from "../chain/sha256.ts";
import type { Cause, Verdict } from "../chain/verify-causes.ts";
import { ABSENCE_LIST_MAX_BYTES } from "../limits.ts";
import type { LogFindings } from "./report.ts";
import type { LogSource } from "./source.ts";

/**
 * A log whose claims are judged: how large it is, and where what is found of it goes. `complete`: nothing may be withheld.
 * `unproven`: only a part of it is there, so that what its causes are is counted, and not missed.
 */
export type ClaimingLog = {
  size: number;
  findings: LogFindings;
  complete: boolean;
  unproven: { sections: number } | null;
};

/** Claims that a fitting cause was found for, and the hash of the list that has to name them. */
type Unlisted = { claimed: Claimed; named: Cause["list"] };

/**
 * Sections said to be absent, until the entry that is their cause is read: logs are read from the oldest entry on, and a
 * cause comes after what it takes. Those that name one cause are kept as one, and then compared with the list that it
 * commits to. A log is named by its origin; a cause may lie in a later log of the org.
 */
export class AbsenceClaims {
  readonly #sha256: Sha256;
  readonly #logs = new Map<string, ClaimingLog>();
  readonly #later: boolean;
  readonly #claims = new Claims();
  #unlisted: Unlisted[] = [];

  /** `later`: logs that come after those that were added will be read too. */
  constructor(sha256: Sha256, { later = false } = {}) {
    this.#sha256 = sha256;
    this.#later = later;
  }

  /** Adds a log, by its origin, before anything of it is read. */
  addLog(log: string, claiming: ClaimingLog): void {
    this.#logs.set(log, claiming);
  }

  /** Takes the claim that a section of an intact leaf is absent. */
  claim(leaf: Leaf, { section, cause, by, log }: Absence): void {
    const { findings, complete } = this.#logOf(leaf.log);
    if (cause === "withheld") {
      findings.counts.absent.withheld++;
      const detail = "The section is withheld, and all of them were asked for.";
      if (complete) findings.add({ kind: "unexplained_gap", index: leaf.index, section, detail });
      return;
    }
    const one = { log: leaf.log, cause, first: { index: leaf.index, section }, sections: 1 };
    const { first, number } = placeInOrg(leaf.log);
    if (by === undefined || (log === undefined ? by <= leaf.index : log <= number)) {
      return this.#refuse(one, "it names no later entry as its cause");
    }
    const origin = originOfLog(first, log ?? number);
    const there = this.#logs.get(origin);
    if (there === undefined && !this.#later) {
      return this.#leave(one, `the cause, entry ${by}, lies in ${origin}, which was not read`);
    }
    if (there !== undefined && by >= there.size)
      return this.#leave(one, `the cause, entry ${by}, lies above the checkpoint`);
    const claim = { section, cause, by, ...(log === undefined ? {} : { log }) };
    if (!this.#claims.add(leaf, claim)) this.#leave(one, "too many causes to keep in mind");
  }

  /** An intact entry was read: what claims it as its cause is judged. */
  entry(log: string, cause: Cause): void {
    if (this.#claims.size === 0) return;
    for (const claimed of this.#claims.take({ log: placeInOrg(log).number, by: cause.index })) {
      const verdict = claimed.judge(cause);
      if (verdict.kind === "excused") this.#unlisted.push({ claimed, named: cause.list });
      else this.#end(claimed, verdict);
    }
  }

  /** Compares what has its cause with the list of that, from the files of the log that `source` is. */
  async compare(source: LogSource | null): Promise<void> {
    const unlisted = this.#unlisted;
    this.#unlisted = [];
    for (const { claimed, named } of unlisted) {
      const read = typeof named === "string" || source === null ? null : await readList(source, named.sha256);
      this.#end(claimed, claimed.judgeList(this.#sha256, { named, text: null, ...read }));
    }
  }

  /** Whether anything names a cause that was not read yet. */
  get waiting(): boolean {
    return this.#claims.size > 0;
  }

  /** Leaves open what names a cause that was never seen: of a log that was read to its end, or (null) of all. */
  finish(log: string | null): void {
    const number = log === null ? null : placeInOrg(log).number;
    for (const claimed of this.#claims.takeAll(number)) {
      this.#leave(claimed, `the cause, entry ${claimed.at.by}, could not be read`);
    }
  }

  #end(claimed: Claimed, verdict: Verdict): void {
    if (verdict.kind === "excused") this.#logOf(claimed.log).findings.counts.absent[claimed.cause] += claimed.sections;
    else if (verdict.kind === "unknown") this.#leave(claimed, verdict.why);
    else this.#refuse(claimed, verdict.why);
  }

  #refuse({ log, cause, sections, first: { index, section } }: About, why: string): void {
    const detail = `The section is said to be ${cause}, but ${why}.${andMore(sections)}`;
    this.#logOf(log).findings.add({ kind: "unexplained_gap", index, section, detail });
  }

  #leave({ log, cause, sections, first: { index, section } }: About, why: string): void {
    const { findings, unproven } = this.#logOf(log);
    if (unproven !== null) {
      unproven.sections += sections;
      return;
    }
    const more = andMore(sections);
    findings.addUnchecked({
      index,
      why: `${section} is said to be ${cause}: ${why}${more === "" ? "" : `.${more}`}`,
    });
  }

  #logOf(log: string): ClaimingLog {
    const found = this.#logs.get(log);
    if (found === undefined) throw new Error(`invariant broken: claims are of a log that is read, not of ${log}`);
    return found;
  }
}

type About = Pick<Claimed, "log" | "cause" | "first" | "sections">;

/** The list of this name among the files of a log; `why` says what keeps it from being read. */
async function readList(source: LogSource, name: string): Promise<{ text: string | null; why?: string }> {
  const path = `absences/${name}`;
  const read = await source.read(path, { maxBytes: ABSENCE_LIST_MAX_BYTES });
  if (read.kind === "bytes")
    return { text: new TextDecoder("utf-8", { fatal: false, ignoreBOM: true }).decode(read.bytes) };
  return { text: null, why: read.kind === "absent" ? `${path}, its list, is not there` : `${path}: ${read.why}` };
}

function andMore(sections: number): string {
  return sections === 1 ? "" : ` So are ${sections - 1} more sections by the same cause.`;
}

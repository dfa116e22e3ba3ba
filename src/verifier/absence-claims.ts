import type { Leaf } from "../chain/leaf.ts";
import type { Absence } from "../chain/record.ts";
import { Causes } from "../chain/verify-causes.ts";
import { VERIFY_MAX_CAUSES } from "../limits.ts";
import type { LogFindings } from "./report.ts";

/** Claims that name one cause: how many, the first of them, and of those expired the one to be kept the longest. */
type Claimed = { cause: "erased" | "expired"; sections: number; index: number; section: string; hardest: Leaf };

/**
 * Sections said to be absent, until the entry that is their cause is read: a log is read from the oldest entry on, and
 * a cause comes after what it takes. Claims on one cause are kept as one, so memory grows with causes and not with claims.
 */
export class AbsenceClaims {
  readonly #findings: LogFindings;
  readonly #size: number;
  readonly #complete: boolean;
  readonly #claims = new Map<string, { by: number; claimed: Claimed }>();

  constructor(findings: LogFindings, { size, complete }: { size: number; complete: boolean }) {
    this.#findings = findings;
    this.#size = size;
    this.#complete = complete;
  }

  /** Takes the claim that a section of an intact leaf is absent. */
  claim(leaf: Leaf, { section, cause, by }: Absence): void {
    if (cause === "withheld") {
      this.#findings.counts.absent.withheld++;
      const detail = "The section is withheld, and all of them were asked for.";
      if (this.#complete) this.#findings.add({ kind: "unexplained_gap", index: leaf.index, section, detail });
      return;
    }
    const claimed: Claimed = { cause, sections: 1, index: leaf.index, section, hardest: leaf };
    if (by === undefined || by <= leaf.index) return this.#refuse(claimed, "it names no later entry as its cause");
    if (by >= this.#size) return this.#leave(claimed, `the cause, entry ${by}, lies above the checkpoint`);
    const key = `${by} ${cause}`;
    const known = this.#claims.get(key);
    if (known === undefined) {
      if (this.#claims.size >= VERIFY_MAX_CAUSES) return this.#leave(claimed, "too many causes to keep in mind");
      this.#claims.set(key, { by, claimed });
      return;
    }
    known.claimed.sections++;
    // "forever" sorts after every day.
    if (leaf.keep_until > known.claimed.hardest.keep_until) known.claimed.hardest = leaf;
  }

  /** An intact entry was read: what claims it as its cause is judged. `action` is null when its section is not there. */
  entry(leaf: Leaf, action: string | null): void {
    if (this.#claims.size === 0) return;
    for (const cause of ["erased", "expired"] as const) {
      const key = `${leaf.index} ${cause}`;
      const known = this.#claims.get(key);
      if (known === undefined) continue;
      this.#claims.delete(key);
      this.#judge(known.claimed, { by: leaf, action });
    }
  }

  /** Claims whose cause was never seen. */
  finish(): void {
    for (const { by, claimed } of this.#claims.values()) {
      this.#leave(claimed, `the cause, entry ${by}, could not be read`);
    }
    this.#claims.clear();
  }

  #judge(claimed: Claimed, { by, action }: { by: Leaf; action: string | null }): void {
    const causes = new Causes(this.#size);
    causes.keep(by, action);
    const { cause, section, hardest } = claimed;
    const verdict = causes.judge(hardest, { section, cause, by: by.index }, () => false);
    if (verdict.kind === "excused") this.#findings.counts.absent[cause] += claimed.sections;
    else if (verdict.kind === "unknown") this.#leave(claimed, verdict.why);
    else this.#refuse(claimed, verdict.why);
  }

  #refuse({ cause, sections, index, section }: Claimed, why: string): void {
    const detail = `The section is said to be ${cause}, but ${why}.${andMore(sections)}`;
    this.#findings.add({ kind: "unexplained_gap", index, section, detail });
  }

  #leave({ cause, sections, index, section }: Claimed, why: string): void {
    const more = andMore(sections);
    this.#findings.addUnchecked({
      index,
      why: `${section} is said to be ${cause}: ${why}${more === "" ? "" : `.${more}`}`,
    });
  }
}

function andMore(sections: number): string {
  return sections === 1 ? "" : ` So are ${sections - 1} more sections by the same cause.`;
}

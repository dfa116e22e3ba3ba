import { env } from "cloudflare:workers";
import type { Kind } from "../../src/jobs/kind.ts";
import { type AnyKind, KINDS } from "../../src/jobs/kinds.ts";
import type { NewJob } from "../../src/schema/job.ts";
import { ROOT } from "../support/append.ts";
import { must } from "../support/check/check-entry.ts";
import { restoreFaults } from "../support/faults.ts";

type Counting = Kind<{ to: number }, { at: number }, { counted: number }>;

const known = { ...KINDS };

/** Takes every fault away, and the kinds of tests. */
export function restoreKinds(): void {
  restoreFaults();
  Object.assign(KINDS, known);
}

/** Puts a kind of the test's own in place of one, which counts to a number, for one org; answers what its steps were told. */
export function countingKind(mine: string, more: Partial<Counting> = {}) {
  const steps: { org: string; id: string; at: number | null }[] = [];
  const settled: unknown[] = [];
  const kind: Counting = {
    step: async ({ org, id }, { to }, progress) => {
      steps.push({ org, id, at: progress?.at ?? null });
      const at = (progress?.at ?? 0) + 1;
      return { progress: { at }, result: at >= to ? { counted: at } : null };
    },
    settle: async ({ id }, _, ended) => {
      settled.push({ id, ...ended });
    },
    ...more,
  };
  // What a test before this one left goes on in the same workerd.
  const step: Counting["step"] = async (context, request, progress) =>
    context.org === mine ? kind.step(context, request, progress) : { progress: { at: 0 }, result: { counted: 0 } };
  KINDS.cooling = { ...kind, step } as unknown as AnyKind;
  return { steps, settled };
}

export const stub = (org: string) => env.ORG_JOBS.getByName(org);

export async function created(org: string, id: string, request: unknown = { to: 3 }) {
  const job: NewJob = { id, kind: "cooling", request, by: ROOT };
  const made = await stub(org).create(org, job);
  must(made.ok, `not created: ${JSON.stringify(made)}`);
  return made.value;
}

export async function listed(org: string): Promise<string[]> {
  const rows = await env.DIRECTORY.prepare("select id from unfinished_job where org = ?").bind(org).all();
  return rows.results.map(({ id }) => String(id));
}

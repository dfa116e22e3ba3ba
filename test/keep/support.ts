import { env } from "cloudflare:workers";
import type { AbsenceList } from "../../src/chain/absence-list.ts";
import { configOf } from "../../src/env.ts";
import { beginRemoval } from "../../src/keep/begin-removal.ts";
import { type Holding, removeStep, REMOVAL_BEGUN, type RemoveProgress } from "../../src/keep/remove.ts";
import type { Removal } from "../../src/schema/keep.ts";
import { utcDay } from "../../src/schema/policy.ts";
import { append, batchOf } from "../support/append.ts";
import { archiveDue, untilProjected } from "../support/check-ledger.ts";
import { must } from "../support/check/check-entry.ts";
import { createOrg } from "../support/client.ts";

export const config = configOf(env);

const NOBODY: Holding = { version: 0, covers: () => false };

/** What is asked for in place of anything personal, so that a search for its bytes finds it wherever it is. */
export const JANE = { type: "user", id: "u_jane-4711", name: "Jane Roe-4711", email: "jane-4711@example.com" };

/** An event that Jane did, with all that can be said of her. */
export function byJane(n: number, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { id: `jane-${n}`, action: "document.share", actor: JANE, reason: `of ${n}`, metadata: { n }, ...more };
}

/** An org whose entries 1 to `entries.length` are these, in R2 and in D1. */
export async function archivedOrg(events: readonly Record<string, unknown>[], stem = "remove"): Promise<string> {
  const org = await createOrg(stem);
  await append(org, batchOf(events));
  await untilProjected(org);
  await archiveDue(org);
  return org;
}

let removals = 0;
/** Seals the cause of a removal of the newest log. */
export async function begun(
  org: string,
  list: AbsenceList,
  {
    cause = "erased",
    once = `test-${removals++}`,
    log = 1,
    holds_version = 0,
    before = utcDay(Date.now()),
  }: Partial<Pick<Removal, "cause" | "log" | "before"> & { once: string; holds_version: number }> = {},
): Promise<Removal> {
  const action = cause === "erased" ? "indelible.erasure.begun" : "indelible.retention.run";
  const act = { action, actor: { type: "service", id: "test" }, key: "service", metadata: {} } as const;
  const removal = await beginRemoval(config, org, {
    cause,
    log,
    ...(cause === "expired" ? { before } : {}),
    list,
    holds_version,
    act,
    once,
  });
  must(removal.ok, `refused: ${JSON.stringify(removal)}`);
  return removal.value;
}

/** Takes the steps of a removal until it is done; what is between them has been stored in between. A step that throws is taken again. */
export async function carriedOut(
  org: string,
  removal: Removal,
  { holds = async () => NOBODY, failures = 0 }: { holds?: () => Promise<Holding>; failures?: number } = {},
): Promise<RemoveProgress> {
  let progress: RemoveProgress = REMOVAL_BEGUN;
  for (let steps = 0, failed = 0; progress.at !== "done"; steps++) {
    must(steps < 100, "a removal ends");
    try {
      ({ progress } = await removeStep(config, org, { removal, progress, holds }));
      progress = JSON.parse(JSON.stringify(progress)) as RemoveProgress;
    } catch (error) {
      if (failed++ >= failures) throw error;
    }
  }
  return progress;
}

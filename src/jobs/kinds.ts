import { exportKind } from "../export/step.ts";
import { ERASURE } from "../keep/erase.ts";
import { retentionStep } from "../keep/retention-step.ts";
import { COOLING } from "../keep/cool-step.ts";
import type { JobKind } from "../schema/job.ts";
import type { Kind } from "./kind.ts";

/** Each kind knows the shapes of its own requests and progress, which are stored as text; the runner knows none. */
export type AnyKind = Kind<unknown, unknown, unknown>;

/** Every kind of job there is. */
export const KINDS: Partial<Record<JobKind, AnyKind>> = {
  export: anyKind(exportKind),
  retention: anyKind({ step: retentionStep }),
  erasure: anyKind(ERASURE),
  cooling: anyKind(COOLING),
};

/** A row's kind says whose its texts are: a job is stepped by the kind that it was created for. */
function anyKind<R, P, T>(kind: Kind<R, P, T>): AnyKind {
  return kind as unknown as AnyKind;
}

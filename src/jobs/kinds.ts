import type { JobKind } from "../schema/job.ts";
import type { Kind } from "./kind.ts";

/** Each kind knows the shapes of its own requests and progress, which are stored as text; the runner knows none. */
export type AnyKind = Kind<unknown, unknown, unknown>;

/** Every kind of job there is. */
export const KINDS: Partial<Record<JobKind, AnyKind>> = {};

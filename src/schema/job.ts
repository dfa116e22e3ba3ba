import type { Caller } from "./caller.ts";

/** Long work that an org's jobs do in steps. */
export type JobKind = "export" | "retention" | "erasure" | "cooling";

export type JobState = "queued" | "running" | "done" | "failed" | "cancelled";

/** A job as it is to begin. `id` makes it one: created again it is the one there is. */
export type NewJob = { id: string; kind: JobKind; request: unknown; by: Caller };

/**
 * A job as it stands; `request`, `progress` and `result` are JSON texts, of shapes that its kind alone knows. `attempts`:
 * how often the step that is due failed, `error` how. Times in ms.
 */
export type Job = {
  id: string;
  kind: JobKind;
  state: JobState;
  request: string;
  progress: string | null;
  result: string | null;
  created_at: number;
  updated_at: number;
  ended_at: number | null;
  ended_by: string | null;
  attempts: number;
  error: string | null;
};

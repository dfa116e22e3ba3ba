import type * as z from "zod";
import type { Scope } from "../../src/schema/caller.ts";
import type { Answer } from "../support/client.ts";

export type Request_ = { method: string; path: string; body?: unknown; headers?: Record<string, string> };

/**
 * One route: `make` prepares and answers a request that succeeds with the right key, a new one each time; `shape` is
 * that of the answer, null where it is not JSON. `of` says whose keys open it: an org's, the platform's, or nobody's.
 */
export type Route = {
  of: "org" | "platform" | "root" | "public";
  make: (org: string) => Promise<Request_> | Request_;
  status: number;
  shape: z.ZodType | null;
  /** Scopes it takes beside the one that is documented as its own. */
  also?: readonly Scope[];
  /** Who may with a viewer token: any viewer, or only who is not restricted; nobody unless it says so. */
  viewers?: "any" | "whole";
  /** How many entries an answer shows; one that does not say shows none, and leaves no trace. */
  shown?: (answer: Answer) => number;
};

import type * as z from "zod";
import type { ErrorCode } from "../errors.ts";
import type { Scope } from "../schema/caller.ts";

/** What OpenAPI says of one route; written beside its handler, in the same file. */
export type Operation = {
  method: "get" | "post" | "put" | "delete";
  /** With `{name}` parameters, as in OpenAPI; one called `path` is all that follows. */
  path: string;
  id: string;
  summary: string;
  description?: string;
  tag: "Orgs" | "Events" | "Verify" | "Prove" | "Exports" | "Keys" | "Keep" | "Operate";
  /** Null: no key needed. */
  scope: Scope | null;
  /** Whether no key is needed where the log is public. */
  open?: boolean;
  /** Whether each answer is traced in the org's log, and goes on while reads are closed: headers and errors follow from it. */
  traced?: "while_open" | "always";
  query?: z.ZodObject;
  headers?: Record<string, string>;
  /** Media type to shape; null is any text of that type. */
  body?: Record<string, z.ZodType | null>;
  answers: Record<number, { description: string; body: Record<string, z.ZodType | null> }>;
  errors: readonly ErrorCode[];
};

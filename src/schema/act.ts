import type { ServiceAction } from "../chain/summary.ts";
import type { Category } from "./names.ts";

/** An act of the service itself, or of somebody through it, that belongs into the org's log. */
export type Act = {
  action: ServiceAction;
  category: Category;
  actor: { type: string; id: string };
  key: string;
  targets?: { type: string; id: string; role?: string }[];
  /** Purpose and what was asked: may quote a person, so it lies in `note`. */
  note?: { reason?: string; query?: string };
  context?: Record<string, string>;
  metadata?: Record<string, unknown>;
  /** Whether the entry is kept for ever, whatever its category: a cause outlives what it excuses. */
  forever?: boolean;
};

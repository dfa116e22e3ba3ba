import type { Category } from "./names.ts";

/** Days a category is kept at least; `forever` beats any number. */
const RETENTION_DAYS: Record<Category, number> = {
  log_access: 365,
  config_change: 2555,
  user_management: 2555,
  data_modification: 2555,
  login: 90,
  general: 365,
  telemetry: 365,
};

const DAY_MS = 86_400_000;

/**
 * The UTC date until which an entry is kept: that of its sequencing plus the longest of what the decided and the
 * client's category ask. A client's word lengthens keeping, never shortens it.
 */
export function keepUntil({
  sequencedAt,
  decided,
  sent,
}: {
  sequencedAt: number;
  decided: Category;
  sent: Category | null;
}): string {
  const days = Math.max(RETENTION_DAYS[decided], sent === null ? 0 : RETENTION_DAYS[sent]);
  return new Date(sequencedAt + days * DAY_MS).toISOString().slice(0, 10);
}

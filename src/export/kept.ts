import type { ExportResult } from "../schema/export.ts";

const DAY_MS = 86_400_000;

/** When the files of an export that ended then go, in ms. */
export function expiryOf({ keep_days }: Pick<ExportResult, "keep_days">, ended_at: number): number {
  return ended_at + keep_days * DAY_MS;
}

/** What is left of an export whose files go, and why; what was withdrawn before stays so. */
export function withdrawnFor(because: string, { result, now }: { result: ExportResult; now: number }): ExportResult {
  return { ...result, withdrawn: result.withdrawn ?? { at: new Date(now).toISOString(), because } };
}

import type { ExportPart, MissingEntries } from "../chain/export-manifest.ts";
import type { NumberedLog } from "../schema/export.ts";

/** Where an export is. `logs` are the org's, oldest first; the next entry to read is `index` of `logs[log]`. */
export type ExportProgress = {
  logs: NumberedLog[];
  /** The quarantines that are withheld from all of it. */
  quarantines: string[];
  began_at: number;
  /** How long it has waited for entries that are lost. */
  waited_ms: number;
  log: number;
  index: number;
  /** The last row found, of which the next one decides whether it needs a proof of its own. */
  held: { log: number; index: number; text: string } | null;
  read: number;
  /** Entries that no segment in R2 holds as it was stored. */
  missing: MissingEntries<number>;
  rows: number;
  bytes: number;
  parts: ExportPart[];
  /** Parts that were looked at again after the last was stored. */
  checked: number;
};

/** How many entries are to be read. */
export function totalOf({ logs }: Pick<ExportProgress, "logs">): number {
  return logs.reduce((sum, { size }) => sum + size, 0);
}

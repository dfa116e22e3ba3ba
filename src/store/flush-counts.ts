import { METRICS_FLUSH_MS } from "../limits.ts";
import { log } from "../log.ts";
import { restoreCounts, takeCounts } from "../meter.ts";
import { addMetrics } from "./metric.ts";

let flushedAt = 0;

/** Adds this isolate's counts to the directory, every ten seconds at most unless `force` asks for now; never throws. */
export async function flushCounts(directory: D1Database, { force = false } = {}): Promise<void> {
  if (!force && Date.now() - flushedAt < METRICS_FLUSH_MS) return;
  flushedAt = Date.now();
  const taken = takeCounts();
  if (taken.length === 0) return;
  try {
    await addMetrics(directory, taken);
  } catch (error) {
    restoreCounts(taken);
    log("warn", { message: "metrics not flushed; kept for the next time", error: String(error) });
  }
}

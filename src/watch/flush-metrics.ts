import type { Config } from "../env.ts";
import { flushCounts } from "../store/flush-counts.ts";

/** Adds this isolate's counts to the directory, every ten seconds at most unless `force` asks for now; never throws. */
export async function flushMetrics({ directory }: Config, { force = false } = {}): Promise<void> {
  await flushCounts(directory, { force });
}

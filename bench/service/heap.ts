import { setTimeout as sleep } from "node:timers/promises";
import { inspect, WORKER_ISOLATE } from "./inspector.ts";

/** Bytes of the Worker's own isolate: its heap and the buffers it holds. `highest` has garbage in it that nobody collected yet. */
export type HeapUse = { idle: number; highest: number; after: number };

const SAMPLE_MS = 20;
const WAKE_MS = 500;

/**
 * What the Worker's isolate holds before, while and after `use`: what counts against the 128 MB of an isolate. `wake` is any
 * request: an isolate at rest may leave the inspector unanswered.
 */
export async function heapDuring(
  inspector: string,
  { wake, use }: { wake: () => Promise<unknown>; use: () => Promise<void> },
): Promise<HeapUse> {
  const { call, close } = await inspect(inspector, WORKER_ISOLATE);
  const held = async () => {
    const usage = (await call("Runtime.getHeapUsage")) as Record<string, number>;
    return (usage["usedSize"] ?? Number.NaN) + (usage["backingStorageSize"] ?? 0);
  };
  const collected = async () => {
    const waking = setInterval(() => void wake(), WAKE_MS);
    try {
      await call("HeapProfiler.collectGarbage");
    } finally {
      clearInterval(waking);
    }
    return await held();
  };
  await call("HeapProfiler.enable");
  const idle = await collected();
  let highest = idle;
  let done = false;
  const sampling = (async () => {
    for (; !done; await sleep(SAMPLE_MS)) highest = Math.max(highest, await held());
  })();
  try {
    await use();
  } finally {
    done = true;
    await sampling;
  }
  const after = await collected();
  close();
  return { idle, highest, after };
}

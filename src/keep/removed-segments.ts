import { deleteSegments, type Segment, segmentsOver } from "../archive/segment.ts";
import { callLedger } from "../ledger/client.ts";
import { REMOVE_STEP_SEGMENTS } from "../limits.ts";
import type { RemoveWork } from "./remove.ts";

/**
 * The segments that hold an index: of the newest log the one its ledger names, of an earlier one all that R2 has. `past`: the first index after
 * them. `sweep` takes away what R2 holds of the same entries and the ledger does not name; answers whether there was any.
 */
export async function listSegmentsOf(
  { config, org, log, newest }: RemoveWork,
  index: number,
): Promise<{ named: Segment[]; past: number; sweep: () => Promise<boolean> }> {
  const { archive } = config;
  const at = { from: index, to: index + 1 };
  if (!newest) {
    const held = await segmentsOver(archive, log.log, at);
    if (held.length === 0) throw new Error(`entry ${index} of ${log.log} is not in the archive`);
    return { named: held, past: Math.min(...held.map(({ last }) => last)) + 1, sweep: () => Promise.resolve(false) };
  }
  const named = await namedOver(index, index + 1);
  const [only] = named;
  if (only === undefined) throw new Error(`the ledger names no segment of entry ${index}`);
  const { first, last } = only;
  return { named, past: last + 1, sweep };

  async function namedOver(from: number, to: number): Promise<Segment[]> {
    const asked = { log: log.number, low: from, high: to, order: "asc", limit: REMOVE_STEP_SEGMENTS } as const;
    const found = await callLedger(config, org, async (ledger) => await ledger.segmentsAt(org, asked));
    if (!found.ok) throw new Error(found.refusal.detail);
    return found.value;
  }

  async function sweep(): Promise<boolean> {
    const held = await segmentsOver(archive, log.log, { from: first, to: last + 1 });
    if (held.length === 1) return false;
    const low = Math.min(...held.map((one) => one.first));
    const high = Math.max(...held.map((one) => one.last));
    // Asked after R2: what was put and named meanwhile is named.
    const names = new Set((await namedOver(low, high + 1)).map(({ name }) => name));
    const strays = held.filter(({ name }) => !names.has(name));
    await deleteSegments(archive, strays);
    return strays.length > 0;
  }
}

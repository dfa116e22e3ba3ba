import { inspect, WORKER_ISOLATE } from "./inspector.ts";

type Node = { id: number; callFrame: { functionName: string; url: string; lineNumber: number }; children?: number[] };
type CpuProfile = { nodes: Node[]; samples: number[] };

/** Time spent in a function itself, and in it with everything it called; in samples. */
export type Spent = { name: string; place: string; self: number; total: number };

export type Profiler = { stop: () => Promise<CpuProfile> };

const SAMPLE_US = 200;

/** Samples the Worker's isolate until stopped. */
export async function startProfile(inspector: string): Promise<Profiler> {
  const { call, close } = await inspect(inspector, WORKER_ISOLATE);
  await call("Profiler.enable");
  await call("Profiler.setSamplingInterval", { interval: SAMPLE_US });
  await call("Profiler.start");
  return {
    stop: async () => {
      const { profile } = (await call("Profiler.stop")) as { profile: CpuProfile };
      close();
      return profile;
    },
  };
}

/** What a profile says of each function, most time in itself first. */
export function spentIn(profile: CpuProfile): Spent[] {
  // Samples are counted, not timed: a time would hold what other processes took of the CPU meanwhile.
  const self = new Map<number, number>();
  for (const id of profile.samples) self.set(id, (self.get(id) ?? 0) + 1);
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const spent = new Map<string, Spent>();
  const walk = (node: Node, around: ReadonlySet<string>): number => {
    const { functionName, url, lineNumber } = node.callFrame;
    const place = url === "" ? "" : `${url.slice(url.lastIndexOf("/") + 1)}:${lineNumber + 1}`;
    const key = `${functionName} ${place}`;
    const own = self.get(node.id) ?? 0;
    const inside = new Set(around).add(key);
    const total = (node.children ?? []).reduce((sum, id) => sum + walk(nodes.get(id) as Node, inside), own);
    const held = spent.get(key) ?? { name: functionName || "(anonymous)", place, self: 0, total: 0 };
    // A recursive function's time is counted once, at the outermost call.
    spent.set(key, { ...held, self: held.self + own, total: held.total + (around.has(key) ? 0 : total) });
    return total;
  };
  const [root] = profile.nodes;
  if (root !== undefined) walk(root, new Set());
  return [...spent.values()].sort((a, b) => b.self - a.self);
}

type Node = { id: number; callFrame: { functionName: string; url: string; lineNumber: number }; children?: number[] };
type CpuProfile = { nodes: Node[]; samples: number[] };

/** Time spent in a function itself, and in it with everything it called; in samples. */
export type Spent = { name: string; place: string; self: number; total: number };

export type Profiler = { stop: () => Promise<CpuProfile> };

const SAMPLE_US = 200;

/** Samples one isolate of workerd, named as its inspector names it, until stopped. */
export async function startProfile(inspector: string, isolate: string): Promise<Profiler> {
  const socket = new WebSocket(inspector + isolate);
  const waiting = new Map<number, (message: { result: unknown }) => void>();
  let calls = 0;
  const call = (method: string, params: object = {}): Promise<any> => {
    const id = ++calls;
    socket.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve) => waiting.set(id, ({ result }) => resolve(result)));
  };
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(String(data)) as { id?: number; result: unknown };
    if (message.id !== undefined) waiting.get(message.id)?.(message);
  });
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", () => reject(new Error(`no inspector for ${isolate}`)));
  });
  await call("Profiler.enable");
  await call("Profiler.setSamplingInterval", { interval: SAMPLE_US });
  await call("Profiler.start");
  return {
    stop: async () => {
      const { profile } = (await call("Profiler.stop")) as { profile: CpuProfile };
      socket.close();
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

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Bench, Table } from "../bench.ts";
import { ROOT } from "../root.ts";
import { type Spent, spentIn, startProfile } from "../service/profile.ts";
import { appendRound, nameOf, type Shape } from "./append.ts";

const SHAPES: Shape[] = [
  { events: 1, connections: 50, orgs: 1 },
  { events: 100, connections: 8, orgs: 1 },
];
const SHOWN = 25;
/** Engines compile what runs often: what runs before that is not what is asked for. */
const WARM_UP_ROUNDS = 2;

/**
 * A profile of the Worker's own isolate under appends, as shares of the time spent in it, and as files a browser's developer
 * tools open. What workerd does outside of JavaScript, and D1 and R2, are not in it.
 */
export async function profile(bench: Bench): Promise<Table[]> {
  const { inspector } = bench.service;
  if (inspector === null) throw new Error("a profile needs a service with an inspector");
  const folder = join(ROOT, "bench", "results");
  mkdirSync(folder, { recursive: true });
  const tables: Table[] = [];
  for (const shape of SHAPES) {
    for (let n = 0; n < WARM_UP_ROUNDS; n++) await appendRound(bench, shape);
    bench.say(`profile: ${nameOf(shape)}`);
    const profiler = await startProfile(inspector);
    await appendRound(bench, shape);
    const taken = await profiler.stop();
    const file = join(folder, `${shape.events}-a-request.cpuprofile`);
    writeFileSync(file, JSON.stringify(taken));
    tables.push(tableOf(shape, spentIn(taken), file));
  }
  return tables;
}

function tableOf(shape: Shape, spent: readonly Spent[], file: string): Table {
  const busy = spent.filter(({ name }) => name !== "(idle)" && name !== "(root)");
  const all = busy.reduce((sum, { self }) => sum + self, 0);
  const share = (samples: number) => `${((samples / all) * 100).toFixed(1)} %`;
  return {
    title: `Profile: ${nameOf(shape)}`,
    head: ["", "in it", "with what it calls"],
    rows: busy.slice(0, SHOWN).map(({ name, place, self, total }) => [`${name} ${place}`, share(self), share(total)]),
    notes: [`The whole of it: ${file}`],
  };
}

/** A Worker of the benchmark alone: runs one stage of an event's way again and again, in workerd, on the service's code. */
import { DurableObject } from "cloudflare:workers";
import { cutsOf } from "./stages/request.ts";
import { type Stages, stagesOf } from "./stages/stages.ts";

type StagesEnv = { RUNNER: DurableObjectNamespace<Runner>; CELL_0: D1Database; ARCHIVE: R2Bucket };

export class Runner extends DurableObject<StagesEnv> {
  #stages: Stages | null = null;

  /** Makes everything the stages need, so that `run` holds the stage alone; answers their names. */
  async prepare(bodies: string[]): Promise<string[]> {
    const { CELL_0: cell, ARCHIVE: archive } = this.env;
    this.#stages = await stagesOf(bodies, { org: this.ctx.id.name ?? "", storage: this.ctx.storage, cell, archive });
    return Object.keys(this.#stages);
  }

  async run(stage: string, rounds: number): Promise<void> {
    const work = this.#stages?.[stage];
    if (work === undefined) throw new Error(`no stage ${stage}`);
    for (let round = 0; round < rounds; round++) await work(round);
  }

  /** What a call with events costs at both ends, when nothing is done with them. */
  async take(_events: unknown): Promise<void> {}
}

const CALLS = "the call to the ledger";
let batches: unknown[] = [];

export default {
  async fetch(request: Request, env: StagesEnv): Promise<Response> {
    const url = new URL(request.url);
    const runner = env.RUNNER.getByName(url.searchParams.get("org") ?? "");
    if (url.pathname === "/prepare") {
      const bodies = await request.json<string[]>();
      batches = bodies.map(cutsOf);
      return Response.json([...(await runner.prepare(bodies)), CALLS]);
    }
    const stage = url.searchParams.get("stage") ?? "";
    const rounds = Number(url.searchParams.get("rounds"));
    if (stage !== CALLS) await runner.run(stage, rounds);
    else for (let round = 0; round < rounds; round++) await runner.take(batches[round % batches.length]);
    return new Response("done");
  },
};

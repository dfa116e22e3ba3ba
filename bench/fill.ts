import type { Bench } from "./bench.ts";
import { bodiesOf, DAY_MS, eventTexts } from "./events.ts";
import type { Request } from "./load/job.ts";
import { ROOT_KEY } from "./service/start.ts";

/** An org with many entries, all of them in D1 and but for the last few in R2. */
export type FilledLog = { org: string; entries: number; fromMs: number; toMs: number; perSecond: number };

const CHUNK_ENTRIES = 20_000;
const BODY_EVENTS = 500;
const CONNECTIONS = 4;
const SPREAD_DAYS = 90;
const SEGMENT_ENTRIES = 1_000;

/** Appends through the API what is listed and verified later. No event is sent twice. */
export async function fill(bench: Omit<Bench, "filled">, entries: number): Promise<FilledLog> {
  const { client, load, service } = bench;
  const [org = ""] = await client.createOrgs(1);
  const chunks = Math.ceil(entries / CHUNK_ENTRIES);
  const days = SPREAD_DAYS / chunks;
  const toMs = Date.now();
  const fromMs = toMs - SPREAD_DAYS * DAY_MS;
  const began = performance.now();
  for (let chunk = 0; chunk < chunks; chunk++) {
    const done = chunk * CHUNK_ENTRIES;
    bench.say(`filling: ${done.toLocaleString("en-US")} of ${entries.toLocaleString("en-US")} entries`);
    const endMs = fromMs + (chunk + 1) * days * DAY_MS;
    const count = Math.min(CHUNK_ENTRIES, entries - done);
    const texts = eventTexts(`fill-${chunk}`, count, { endMs, days });
    const requests = bodiesOf(texts, Math.min(BODY_EVENTS, count)).map((body): Request => {
      return { method: "POST", path: `/v1/orgs/${org}/events`, key: ROOT_KEY, body };
    });
    const maxRequests = requests.length;
    await load.run({ port: service.port, connections: CONNECTIONS, ms: 600_000, requests, maxRequests });
    // The backlog stays small: what is measured later shall not have the rest of this beside it.
    await client.until([org], ({ size, projected }) => size - projected < CHUNK_ENTRIES);
  }
  bench.say("filling: waiting for D1 and R2");
  await client.until([org], ({ size, projected }) => projected === size);
  const perSecond = (entries * 1000) / (performance.now() - began);
  await client.until([org], ({ size, archived }) => size - archived < SEGMENT_ENTRIES);
  const { size } = await client.standing(org);
  return { org, entries: size, fromMs, toMs, perSecond };
}

import { METERS_PATH, type Meters } from "../cost/meters.ts";
import { ROOT_KEY } from "./start.ts";

/** Where an org stands: entries sealed, in D1, in R2, and under a checkpoint. */
export type Standing = { size: number; projected: number; archived: number; published: number };

const POLL_MS = 10;
const PATIENCE_MS = 600_000;

/** Requests of who measures, next to those of the load process. */
export class Client {
  readonly #port: number;
  #orgs = 0;

  constructor(port: number) {
    this.#port = port;
  }

  async call(method: string, path: string, body?: unknown): Promise<any> {
    const response = await fetch(`http://127.0.0.1:${this.#port}${path}`, {
      method,
      headers: { authorization: `Bearer ${ROOT_KEY}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return response.headers.get("content-type") === "application/json" ? JSON.parse(text) : text;
  }

  /** Orgs nobody has used before. */
  async createOrgs(count: number): Promise<string[]> {
    const orgs = Array.from({ length: count }, () => `bench-${process.pid}-${this.#orgs++}`);
    for (const org of orgs) await this.call("PUT", `/v1/orgs/${org}`, {});
    return orgs;
  }

  /** Keys that may read an org: each may 50 times a second. */
  async createKeys(org: string, count: number): Promise<string[]> {
    const keys: string[] = [];
    for (let n = 0; n < count; n++) {
      const scopes = ["events:read", "personal:read"];
      keys.push((await this.call("POST", `/v1/orgs/${org}/keys`, { name: `reader ${n}`, scopes })).key);
    }
    return keys;
  }

  async list(org: string, query: string): Promise<{ data: unknown[]; next_cursor: string | null }> {
    return this.call("GET", `/v1/orgs/${org}/events?${query}`);
  }

  async standing(org: string): Promise<Standing> {
    const { ingestion, projection, archive, publishing } = await this.call("GET", `/v1/orgs/${org}/status`);
    const [projected, archived, published] = [projection.size, archive.size, publishing.size];
    return { size: ingestion.size, projected, archived, published };
  }

  /** Has all entries of an org put under a checkpoint, and waits until they are. */
  async publish(org: string): Promise<void> {
    const { size } = await this.standing(org);
    // It answers after five seconds at the latest, out or not; what was asked for goes on.
    await this.call("GET", `/v1/orgs/${org}/checkpoint?min_size=${size}`).catch(() => undefined);
    await this.until([org], ({ published }) => published >= size);
  }

  /** What a metered service counted so far. */
  meters(): Promise<Meters> {
    return this.call("GET", METERS_PATH);
  }

  async metersSince(before: Meters): Promise<Meters> {
    const now = Object.entries(await this.meters()) as [keyof Meters, number][];
    return Object.fromEntries(now.map(([name, value]) => [name, value - before[name]])) as Meters;
  }

  /** Waits until `done` says so of each org. */
  async until(orgs: readonly string[], done: (standing: Standing) => boolean): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    for (const org of orgs) {
      while (!done(await this.standing(org))) {
        if (performance.now() > deadline) throw new Error(`${org} does not get on`);
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    }
  }
}

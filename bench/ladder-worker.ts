/** What a small append costs before it is one: rungs that each do one thing more than the one before. */
import { DurableObject } from "cloudflare:workers";
import { configOf } from "../src/env.ts";
import { appendAlone, appendShared } from "../src/ingest/append-shared.ts";
import { log } from "../src/log.ts";
import type { Caller } from "../src/schema/caller.ts";
import type { Append, AppendAnswer, Batch } from "../src/schema/ledger.ts";
import { type RungName, RUNGS } from "./ladder/rungs.ts";
import { cutsOf } from "./stages/request.ts";

const RECEIPT = {
  id: `evt_${"a".repeat(24)}.0`,
  index: 1_000_000,
  entry_hash: "h".repeat(43),
  sequenced_at: "2026-11-22T00:00:00.000Z",
  duplicate: false,
};
const APPENDED: AppendAnswer = { ok: true, value: [{ ok: true, value: { receipts: [RECEIPT], size: 1_000_001 } }] };
const ANSWER = JSON.stringify({ data: [RECEIPT], size: 1_000_001 });
const CALLER: Caller = { kind: "trusted", name: "root", scopes: ["events:append"], orgs: "all" };
/** As long as a record line of the benchmark's events. */
const LINE = "x".repeat(1_400);

export { OrgJobs } from "../src/jobs/org-jobs.ts";

/** In place of a ledger: answers, and as `stored` keeps what a ledger would keep, with nothing sealed. */
export class OrgLedger extends DurableObject<Env> {
  #size = 0;

  append(org: string, caller: Caller, batches: Batch[]): AppendAnswer {
    this.appendAll(org, [{ caller, batches }]);
    return APPENDED;
  }

  appendAll(org: string, appends: Append[]): { ok: true; value: AppendAnswer[] } {
    if (org === "stored") this.#store(appends);
    return { ok: true, value: appends.map(() => APPENDED) };
  }

  #store(appends: Append[]): void {
    const { storage } = this.ctx;
    if (this.#size === 0) {
      storage.sql.exec("create table staged (first integer primary key, lines text not null)");
      storage.sql.exec("create table receipt (batch text primary key, hashes blob not null) without rowid");
    }
    storage.transactionSync(() => {
      const lines = appends.map(() => LINE).join("\n");
      storage.sql.exec("insert into staged (first, lines) values (?, ?)", this.#size, lines);
      for (const { batches } of appends) {
        const batch = `${batches[0]?.batch}${this.#size++}`;
        storage.sql.exec("insert into receipt (batch, hashes) values (?, ?)", batch, new Uint8Array(48));
      }
    });
  }
}

type Rung = (request: Request, env: Env, ctx: ExecutionContext) => Response | Promise<Response>;

const DOES: Record<RungName, Rung> = {
  "answers and does nothing": () => new Response("ok"),
  "+ reads the body": async (request) => {
    await textOf(request);
    return new Response("ok");
  },
  "+ answers a receipt as JSON": async (request) => {
    await textOf(request);
    return receipt();
  },
  "+ writes a log line, after the answer": async (request, _, ctx) => {
    await textOf(request);
    return logged(ctx);
  },
  "+ parses, validates and cuts": async (request, _, ctx) => {
    appendOf(await textOf(request));
    return logged(ctx);
  },
  "+ a call to a Durable Object of its own": async (request, env, ctx) => {
    await appendAlone(configOf(env), "answered", appendOf(await textOf(request)));
    return logged(ctx);
  },
  "instead, a call shared with others": async (request, env, ctx) => {
    await appendShared(configOf(env), "answered", appendOf(await textOf(request)), ctx);
    return logged(ctx);
  },
  "+ which stores: a row a call, a receipt a request": async (request, env, ctx) => {
    await appendShared(configOf(env), "stored", appendOf(await textOf(request)), ctx);
    return logged(ctx);
  },
};

async function textOf(request: Request): Promise<string> {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(await request.arrayBuffer());
}

function appendOf(text: string): Append {
  const batch = `bat_${"b".repeat(26)}`;
  const received_at = "2026-11-22T00:00:00.000Z";
  const rest = { batch, received_at, delivery: "direct", position: 0, part_of: null, fresh: true } as const;
  return { caller: CALLER, batches: [{ ...rest, events: cutsOf(text) }] };
}

function receipt(): Response {
  const headers = { "content-type": "application/json", "x-request-id": "req_aaaaaaaaaaaaaaaaaaaa" };
  return new Response(ANSWER, { status: 201, headers });
}

function logged(ctx: ExecutionContext): Response {
  ctx.waitUntil(after());
  return receipt();
}

async function after(): Promise<void> {
  await Promise.resolve();
  log("info", { message: "request", method: "POST", route: "/v1/orgs/{org}/events", org: "acme", status: 201, ms: 10 });
}

const rungs = RUNGS.map((name) => DOES[name]);

export default {
  // The path is the number of a rung: parsing a URL would be on every one of them.
  fetch: (request, env, ctx) => (rungs[Number(request.url.at(-1))] as Rung)(request, env, ctx),
} satisfies ExportedHandler<Env>;

import { createHash } from "node:crypto";
import * as z from "zod";
import { IMPORT_ANSWER_MAX_MS } from "../limits.ts";
import { failureOf, type Problem, problemOf, reasonOf } from "../answer.ts";
import type { Connection } from "../options.ts";
import { failed, type Outcome } from "../outcome.ts";
import type { BackOff } from "./back-off.ts";
import { retryAfterMs } from "./back-off.ts";
import type { Item } from "./batches.ts";
import type { Refused } from "./mapping.ts";

export type Sender = {
  connection: Connection;
  backOff: BackOff;
  giveUpMs: number;
  signal: AbortSignal;
  /** Part of every Idempotency-Key: a retry repeats the answer, a later run asks anew and hears of duplicates. */
  run: string;
};

/** An event that was taken; `entryHash` is what tells this log from another. */
type Taken = { item: EventItem; entryHash: string; duplicate: boolean };
export type EventItem = Item & { event: string };
export type Settled = { taken: Taken[]; refused: { item: Item; refusal: Refused }[] };

const receiptsSchema = z.object({
  data: z.array(z.object({ id: z.string(), entry_hash: z.string(), duplicate: z.boolean().optional() })),
});

/**
 * Sends events until each is taken or refused by itself: a batch that is refused goes again without the events that
 * were named, or in halves when none was. Waits out what passes; fails on what no second try changes.
 */
export async function sendBatch(sender: Sender, items: readonly EventItem[], settled: Settled): Promise<Outcome<null>> {
  let rest = items;
  while (rest.length > 0) {
    const answer = await post(sender, rest);
    if (!answer.ok) return answer;
    if ("taken" in answer.value) {
      settled.taken.push(...answer.value.taken);
      return { ok: true, value: null };
    }
    const problem = answer.value.problem;
    const named = namedEvents(problem, rest);
    const single = rest.length === 1 ? rest[0] : undefined;
    if (named.size === 0 && problem.status === 400)
      return { ok: false, failure: failureOf(problem, sender.connection) };
    if (named.size === 0 && single !== undefined) named.set(single, refusalOf(problem));
    if (named.size === 0) return sendHalves(sender, rest, settled);
    for (const [item, refusal] of named) settled.refused.push({ item, refusal });
    rest = rest.filter((item) => !named.has(item));
  }
  return { ok: true, value: null };
}

async function sendHalves(sender: Sender, items: readonly EventItem[], settled: Settled): Promise<Outcome<null>> {
  const middle = items.length >> 1;
  const first = await sendBatch(sender, items.slice(0, middle), settled);
  return first.ok ? sendBatch(sender, items.slice(middle), settled) : first;
}

/** The events a problem names, each with its first complaint in full and the others after it. */
function namedEvents(problem: Problem, items: readonly EventItem[]): Map<EventItem, Refused> {
  const named = new Map<EventItem, Refused>();
  for (const { pointer, message } of problem.errors) {
    const match = /^(?:\/events)?\/(\d+)(\/.*)?$/.exec(pointer);
    const item = match === null ? (items.length === 1 ? items[0] : undefined) : items[Number(match[1])];
    if (item === undefined) continue;
    const inside = match === null ? pointer : (match[2] ?? "");
    const before = named.get(item);
    if (before === undefined)
      named.set(item, { ok: false, reason: `${inside || "the event"} ${message}`, pointer: inside });
    else before.reason += `; ${inside || "the event"} ${message}`;
  }
  return named;
}

function refusalOf(problem: Problem): Refused {
  if (problem.status !== 409) return { ok: false, reason: problem.detail };
  return { ok: false, reason: `an event with this id and other content is in the log already (${problem.detail})` };
}

type Answer = { taken: Taken[] } | { problem: Problem };

/** One request, again and again while the service is away, overloaded or in trouble. */
async function post(sender: Sender, items: readonly EventItem[]): Promise<Outcome<Answer>> {
  const { connection, backOff } = sender;
  const request = requestOf(sender, items);
  for (;;) {
    await backOff.pass();
    if (sender.signal.aborted) return failed("the import was stopped", "the same command goes on where it was");
    const tried = await attempt(connection, request);
    if ("unreached" in tried) backOff.failed(tried.unreached, tried.retryMs);
    else {
      backOff.succeeded();
      return judge(tried.status, tried.body, { connection, items });
    }
    if (backOff.stuckMs() > sender.giveUpMs) {
      const minutes = `${Math.round(sender.giveUpMs / 6_000) / 10} minutes`;
      return failed(
        `nothing was taken for ${minutes}: ${tried.unreached}`,
        "see to the service, then run the same command: it goes on where it was",
      );
    }
  }
}

function judge(
  status: number,
  body: string,
  { connection, items }: { connection: Connection; items: readonly EventItem[] },
): Outcome<Answer> {
  if (status === 201) {
    const receipts = receiptsOf(body);
    if (receipts === null || receipts.length !== items.length) {
      return failed(`${connection.url} answered 201 without a receipt for each event`, "is it an Indelible service?");
    }
    const taken = receipts.map((receipt, n) => ({
      item: items[n] as EventItem,
      entryHash: receipt.entry_hash,
      duplicate: receipt.duplicate === true,
    }));
    return { ok: true, value: { taken } };
  }
  const problem = problemOf(status, body);
  if ([400, 409, 413, 422].includes(status)) return { ok: true, value: { problem } };
  return { ok: false, failure: failureOf(problem, connection) };
}

function receiptsOf(body: string) {
  try {
    return receiptsSchema.parse(JSON.parse(body)).data;
  } catch {
    return null;
  }
}

type Request = { url: string; headers: Record<string, string>; body: string };

function requestOf({ connection, run }: Sender, items: readonly EventItem[]): Request {
  const events = items.map((item) => item.event);
  // A record written over several lines keeps its line breaks: such events travel in a list, not one a line.
  const lines = !events.some((event) => event.includes("\n") || event.includes("\r"));
  const body = lines ? events.join("\n") : `{"events":[${events.join(",")}]}`;
  return {
    url: `${connection.url}/v1/orgs/${connection.org}/events`,
    headers: {
      authorization: `Bearer ${connection.key}`,
      "content-type": lines ? "application/x-ndjson" : "application/json",
      "audit-delivery": "import",
      "idempotency-key": `import-${createHash("sha256").update(run).update("\0").update(body).digest("base64url")}`,
    },
    body,
  };
}

type Tried = { status: number; body: string } | { unreached: string; retryMs: number | null };

async function attempt(connection: Connection, { url, headers, body }: Request): Promise<Tried> {
  try {
    const signal = AbortSignal.timeout(IMPORT_ANSWER_MAX_MS);
    const response = await fetch(url, { method: "POST", headers, body, signal, redirect: "error" });
    const text = await response.text();
    const passing = response.status === 408 || response.status === 429 || response.status >= 500;
    if (!passing) return { status: response.status, body: text };
    const asked = retryAfterMs(response.headers.get("retry-after"), Date.now());
    return { unreached: `${response.status}: ${problemOf(response.status, text).detail}`, retryMs: asked };
  } catch (error) {
    return { unreached: reasonOf(error, connection.url), retryMs: null };
  }
}

import * as z from "zod";
import { EXPORT_ANSWER_MAX_MS, EXPORT_GIVE_UP_MINUTES } from "../limits.ts";
import { failureOf, problemOf, reasonOf } from "../answer.ts";
import { BackOff, retryAfterMs } from "../import/back-off.ts";
import type { Connection } from "../options.ts";
import { failed, type Outcome } from "../outcome.ts";

/** A request: `bearer` for the API, none where the address itself is the permission. `bytes`: from, to (exclusive). */
type Asked = {
  method?: "GET" | "POST";
  url: string;
  body?: unknown;
  idempotencyKey?: string;
  bearer: boolean;
  bytes?: { from: number; to: number };
  maxBytes: number;
};

/** `status` 404 and 410 are answers too: what was there may be gone. */
type Answer = { status: number; bytes: Uint8Array };

const JSON_MAX_BYTES = 4_000_000;

/** The service as the command asks it: what passes is waited out, what no second try changes is a failure. */
export class Service {
  readonly connection: Connection;
  readonly backOff: BackOff;
  readonly signal: AbortSignal;

  constructor(connection: Connection, signal: AbortSignal) {
    this.connection = connection;
    this.backOff = new BackOff(signal);
    this.signal = signal;
  }

  /** An answer in JSON, null for what is not there. */
  async json<T extends z.ZodType>(
    schema: T,
    path: string,
    more: Pick<Asked, "method" | "body" | "idempotencyKey"> = {},
  ): Promise<Outcome<z.infer<T> | null>> {
    const { url, org } = this.connection;
    const asked = { ...more, url: `${url}/v1/orgs/${org}/${path}`, bearer: true, maxBytes: JSON_MAX_BYTES };
    const answer = await this.ask(asked);
    if (!answer.ok) return answer;
    const { status, bytes } = answer.value;
    if (status === 404 || status === 410) return { ok: true, value: null };
    const read = schema.safeParse(parsed(bytes));
    if (read.success) return { ok: true, value: read.data };
    return failed(`${url} answered what this command does not understand`, "check the versions of both sides");
  }

  /** One answer of at most so many bytes. */
  async ask(asked: Asked): Promise<Outcome<Answer>> {
    for (;;) {
      await this.backOff.pass();
      if (this.signal.aborted) return failed("the export was stopped", "the same command goes on where it was");
      const tried = await this.#attempt(asked);
      if (!("unreached" in tried)) {
        this.backOff.succeeded();
        return tried.done;
      }
      this.backOff.failed(tried.unreached, tried.afterMs);
      if (this.backOff.stuckMs() < EXPORT_GIVE_UP_MINUTES * 60_000) continue;
      const what = `there was no answer for ${EXPORT_GIVE_UP_MINUTES} minutes: ${tried.unreached}`;
      return failed(what, "see to the service, then run the same command: it goes on where it was");
    }
  }

  async #attempt(asked: Asked): Promise<{ done: Outcome<Answer> } | { unreached: string; afterMs: number | null }> {
    const { connection } = this;
    const { method = "GET", url, body, bearer, maxBytes } = asked;
    try {
      const signal = AbortSignal.any([this.signal, AbortSignal.timeout(EXPORT_ANSWER_MAX_MS)]);
      const text = body === undefined ? {} : { body: JSON.stringify(body) };
      const response = await fetch(url, {
        method,
        headers: headersOf(asked, connection),
        ...text,
        redirect: "error",
        signal,
      });
      const { status } = response;
      const bytes = await bytesOf(response, maxBytes);
      if (bytes === null) return { done: failed(`${url} answered with more than it may`, "check --url") };
      if (status < 300 || status === 404 || status === 410) return { done: { ok: true, value: { status, bytes } } };
      const problem = problemOf(status, new TextDecoder().decode(bytes));
      if (status === 408 || status === 429 || status >= 500) {
        const afterMs = retryAfterMs(response.headers.get("retry-after"), Date.now());
        return { unreached: `${status}: ${problem.detail}`, afterMs };
      }
      // A link that has expired is no matter of the key.
      if (!bearer && status === 401) return { done: { ok: true, value: { status, bytes } } };
      return { done: { ok: false, failure: failureOf(problem, connection) } };
    } catch (error) {
      return { unreached: reasonOf(error, connection.url), afterMs: null };
    }
  }
}

function headersOf({ body, bearer, bytes, idempotencyKey }: Asked, { key }: Connection): Record<string, string> {
  return {
    ...(bearer ? { authorization: `Bearer ${key}` } : {}),
    ...(body === undefined ? {} : { "content-type": "application/json" }),
    ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
    ...(bytes === undefined ? {} : { range: `bytes=${bytes.from}-${bytes.to - 1}`, "accept-encoding": "identity" }),
  };
}

/** The body; null when it is longer than it may be. */
async function bytesOf(response: Response, maxBytes: number): Promise<Uint8Array | null> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += part.length;
    if (length > maxBytes) return null;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}

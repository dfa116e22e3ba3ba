import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

type Stored = { index: number; entry_hash: string; text: string };
export type Fault = (request: { events: string[]; key: string; count: number }, response: ServerResponse) => boolean;

/**
 * A stand-in for the service that keeps to the contract of append: all or nothing, ids and batches deduplicated, bad
 * events named by pointer. `fault` may answer (or cut) a request before it is looked at.
 */
export class ContractServer {
  readonly log = new Map<string, Stored>();
  readonly order: string[] = [];
  readonly requests: { headers: IncomingMessage["headers"]; events: string[]; bytes: number }[] = [];
  readonly #batches = new Map<string, { body: string; answer: string }>();
  fault: Fault = () => false;
  /** Refuses an event by its parsed copy: the pointer inside it and the message. */
  refuse: (event: Record<string, unknown>) => { pointer: string; message: string } | null = () => null;
  verifyAnswers: { status?: number; lines: unknown[]; seen?: string; reason?: unknown }[] = [];
  readonly #server = createServer((request, response) => void this.#handle(request, response));
  #salt = "";

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** As if the service had been set up anew under the same address. */
  wipe(): void {
    this.log.clear();
    this.order.length = 0;
    this.#batches.clear();
    this.#salt += "x";
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts).toString();
    if (request.url?.includes("/verify")) return this.#verify(request, response);
    if (request.headers.authorization !== "Bearer ind_test")
      return problem(response, 401, "unauthorized", "The key is not known.");
    if (!request.url?.startsWith("/v1/orgs/acme/")) return problem(response, 404, "not_found", "There is no such org.");
    const events =
      request.headers["content-type"] === "application/json"
        ? listOf(body)
        : body.split("\n").filter((line: string) => line.trim() !== "");
    this.requests.push({ headers: request.headers, events, bytes: body.length });
    const key = String(request.headers["idempotency-key"]);
    if (this.fault({ events, key, count: this.requests.length }, response)) return;
    const answer = this.#append(events, body, key);
    response.writeHead(answer.status, { "content-type": "application/json" }).end(answer.text);
  }

  #append(events: string[], body: string, key: string): { status: number; text: string } {
    const known = this.#batches.get(key);
    if (known !== undefined)
      return known.body === body ? { status: 201, text: known.answer } : problemText(409, "conflict", "Other body.");
    const parsed = events.map((text) => JSON.parse(text) as Record<string, unknown>);
    const errors = parsed.flatMap((event, n) => {
      const found = this.refuse(event);
      return found === null ? [] : [{ pointer: `/events/${n}${found.pointer}`, message: found.message }];
    });
    if (errors.length > 0) return problemText(422, "invalid_event", "Nothing was appended.", errors);
    const fresh = new Map<string, string>();
    for (const [n, event] of parsed.entries()) {
      const id = String(event["id"]);
      const text = events[n] as string;
      const there = this.log.get(id)?.text ?? fresh.get(id);
      if (there !== undefined && there !== text)
        return problemText(409, "conflict", "An id was sent before with other content.");
      fresh.set(id, text);
    }
    const data = parsed.map((event, n) => this.#entry(String(event["id"]), events[n] as string));
    const text = JSON.stringify({ data, size: this.log.size });
    this.#batches.set(key, { body, answer: text });
    return { status: 201, text };
  }

  #entry(id: string, text: string) {
    const there = this.log.get(id);
    const stored = there ?? {
      index: this.log.size,
      entry_hash: createHash("sha256")
        .update(this.#salt + text)
        .digest("base64url"),
      text,
    };
    if (there === undefined) {
      this.log.set(id, stored);
      this.order.push(id);
    }
    return {
      id,
      index: stored.index,
      entry_hash: stored.entry_hash,
      sequenced_at: "2026-11-21T18:00:00.123Z",
      duplicate: there !== undefined,
    };
  }

  #verify({ url = "", headers }: IncomingMessage, response: ServerResponse): void {
    const answer = this.verifyAnswers.shift();
    if (answer === undefined) return problem(response, 404, "not_found", "There is no such org.");
    answer.seen = url;
    answer.reason = headers["audit-reason"];
    if (answer.status !== undefined) {
      response.setHeader("retry-after", "1");
      return problem(response, answer.status, "overloaded", "Another check is running.");
    }
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    for (const line of answer.lines) response.write(`${JSON.stringify(line)}\n`);
    response.end();
  }
}

/** The events of `{"events":[…]}` by their source, found by a parser of its own kind: the reviver's source text. */
function listOf(body: string): string[] {
  const inner = body.slice('{"events":['.length, -2);
  const events: string[] = [];
  let depth = 0;
  let from = 0;
  let inString = false;
  for (let at = 0; at < inner.length; at++) {
    const character = inner[at];
    if (inString && character === "\\") at++;
    else if (character === '"') inString = !inString;
    else if (inString) continue;
    else if (character === "{" || character === "[") depth++;
    else if ((character === "}" || character === "]") && --depth === 0) {
      events.push(inner.slice(from, at + 1));
      from = at + 2;
    }
  }
  return events;
}

function problemText(status: number, code: string, detail: string, errors?: unknown[]) {
  return { status, text: JSON.stringify({ code, detail, request_id: "r1", errors }) };
}

export function problem(response: ServerResponse, status: number, code: string, detail: string): void {
  response
    .writeHead(status, { "content-type": "application/problem+json" })
    .end(problemText(status, code, detail).text);
}

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { type Exported, textOf } from "../../verifier/exports.ts";
import { problem } from "./contract-server.ts";

export const KEY = "ind_test";

/** A stand-in for the service that keeps to the contract of exports, and serves the files of the org's logs. */
export class ExportService {
  /** By their paths under the org's URL. */
  files: ReadonlyMap<string, Uint8Array> = new Map();
  /** What an export of this id is; null: no key may have one. */
  make: ((id: string) => Exported) | null = null;
  readonly requests: string[] = [];
  readonly asked: { body: unknown; id: string }[] = [];
  /** How often an export is asked for before it is done. */
  steps = 0;
  linkSeconds = 900;
  /** Why one that is not done waits. */
  error: string | null = null;
  /** Answers in place of the service; false leaves it to the service. */
  trouble: (path: string, response: ServerResponse) => boolean = () => false;
  host = "";
  readonly #states = new Map<string, { left: number; state: string; made: Exported }>();
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    this.host = `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get url(): string {
    return `http://${this.host}`;
  }

  /** Ends all exports there are in this state. */
  end(state: string): void {
    for (const one of this.#states.values()) one.state = state;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const path = request.url ?? "";
    this.requests.push(`${request.method} ${path}`);
    if (this.trouble(path, response)) return;
    const link = /^\/v1\/exports\/(data|manifest)-(.+)-(\d+)$/.exec(path);
    if (link !== null) return this.#download(request, response, link as unknown as [string, string, string, string]);
    if (request.headers.authorization !== `Bearer ${KEY}`)
      return problem(response, 401, "unauthorized", "Unknown key.");
    const inOrg = /^\/v1\/orgs\/acme\/(.+)$/.exec(path)?.[1];
    if (inOrg === undefined) return problem(response, 404, "not_found", "There is no such org.");
    if (request.method === "POST" && inOrg === "exports")
      return this.#create(response, Buffer.concat(parts).toString());
    const id = /^exports\/(.+)$/.exec(inOrg)?.[1];
    if (id !== undefined) return this.#show(response, id, 200);
    const bytes = this.files.get(inOrg);
    if (bytes === undefined) return problem(response, 404, "not_found", "There is nothing there.");
    response.writeHead(200, { "content-type": "application/octet-stream" }).end(bytes);
  }

  #create(response: ServerResponse, body: string): void {
    const id = `exp_${this.#states.size + 1}`;
    this.asked.push({ body: JSON.parse(body), id });
    if (this.make === null) return problem(response, 403, "forbidden", "This takes the scope exports:write.");
    this.#states.set(id, { left: this.steps, state: "running", made: this.make(id) });
    this.#show(response, id, 202);
  }

  #show(response: ServerResponse, id: string, status: number): void {
    const found = this.#states.get(id);
    if (found === undefined) return problem(response, 404, "not_found", "There is no such export.");
    if (found.state === "running" && found.left-- <= 0) found.state = "done";
    const expires = Date.now() + this.linkSeconds * 1000;
    const link = (file: string) => ({
      url: `/v1/exports/${file}-${id}-${expires}`,
      expires_at: new Date(expires).toISOString(),
    });
    const links = found.state === "done" ? { data: link("data"), manifest: link("manifest") } : null;
    const answer = {
      id,
      state: found.state,
      error: links === null ? this.error : null,
      rows: found.made.said.rows,
      bytes: 1,
      links,
    };
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
  }

  #download(
    { headers }: IncomingMessage,
    response: ServerResponse,
    [, file, id, expires]: [string, string, string, string],
  ): void {
    const found = this.#states.get(id);
    if (found === undefined || found.state !== "done") return problem(response, 404, "not_found", "Nothing is there.");
    if (Date.now() > Number(expires)) return problem(response, 401, "unauthorized", "This link has expired.");
    const bytes = Buffer.from(file === "data" ? textOf(found.made) : found.made.manifest);
    const range = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? "");
    if (range === null) return void response.writeHead(200).end(bytes);
    response.writeHead(206).end(bytes.subarray(Number(range[1]), Number(range[2]) + 1));
  }
}

export async function exportService(): Promise<ExportService> {
  const service = new ExportService();
  await service.start();
  onTestFinished(() => service.stop());
  return service;
}

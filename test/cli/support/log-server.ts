import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import type { Published } from "../../verifier/support.ts";

/** Answers a request in place of the server; false leaves it to the server. */
export type Trouble = (request: IncomingMessage, response: ServerResponse) => boolean;

/** A log served over HTTP on loopback, as `…/v1/orgs/acme/<path>`. `trouble` may answer first. */
export class LogServer {
  files: ReadonlyMap<string, Uint8Array> = new Map();
  readonly requests: { path: string; authorization: string | undefined }[] = [];
  trouble: Trouble = () => false;
  /** When set, the log is not public. */
  apiKey: string | null = null;
  host = "";
  readonly #server = createServer((request, response) => this.#answer(request, response));

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    this.host = `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get origin(): string {
    return `${this.host}/v1/orgs/acme`;
  }

  get url(): string {
    return `http://${this.origin}`;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { authorization } = request.headers;
    const path = (request.url ?? "").replace("/v1/orgs/acme/", "");
    this.requests.push({ path, authorization });
    if (this.trouble(request, response)) return;
    if (this.apiKey !== null && authorization !== `Bearer ${this.apiKey}`)
      return void response.writeHead(401).end("{}");
    const bytes = this.files.get(path);
    if (bytes === undefined) response.writeHead(404).end("{}");
    else response.writeHead(200, { "content-type": "application/octet-stream" }).end(bytes);
  }
}

export async function logServer(): Promise<LogServer> {
  const server = new LogServer();
  await server.start();
  onTestFinished(() => server.stop());
  return server;
}

/** Writes a log's files, and record files, into a folder. */
export function writeLog(
  folder: string,
  { files }: Pick<Published, "files">,
  records: Record<string, string | Uint8Array> = {},
): void {
  for (const [path, bytes] of [...files, ...Object.entries(records)]) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
}

/** The peer's process: an HTTP server that appends to PostgreSQL over a pool of connections. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import pg from "pg";
import { insertOf } from "./peer/rows.ts";

const POOL = 20;
const KEY = "Bearer bench";

const [port, user] = process.argv.slice(2);
const pool = new pg.Pool({
  host: "127.0.0.1",
  port: Number(port),
  user: user as string,
  database: "postgres",
  max: POOL,
});

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    response.writeHead(500).end(String(error));
  });
});
server.keepAliveTimeout = 600_000;
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object" && address !== null) process.send?.(address.port);
});
process.on("disconnect", () => process.exit(0));

/** 201 when the transaction is committed; a single statement is one. */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const org = /^\/v1\/orgs\/([a-z0-9-]+)\/events$/.exec(request.url ?? "")?.[1];
  if (request.headers.authorization !== KEY || org === undefined) {
    response.writeHead(401).end();
    return;
  }
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { rows } = await pool.query(insertOf(org, Buffer.concat(chunks).toString()));
  const body = JSON.stringify({ data: rows });
  response.writeHead(201, { "content-type": "application/json", "content-length": Buffer.byteLength(body) }).end(body);
}

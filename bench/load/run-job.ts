import { quantile } from "../sample.ts";
import { Connection } from "./connection.ts";
import type { Job, Outcome, Request } from "./job.ts";

const LATENCIES_MAX_COUNT = 20_000;

/** Runs a job to its end. Refused requests are counted by status; a broken connection fails the job. */
export async function runJob(job: Job): Promise<Outcome> {
  const bytes = job.requests.map((request) => bytesOf(request, job.port));
  const connections = Array.from({ length: job.connections }, () => new Connection(job.port));
  const run = {
    sent: 0,
    latencies: [] as number[],
    statuses: {} as Record<string, number>,
    refused: null as string | null,
  };
  const began = performance.now();
  const most = job.maxRequests ?? Number.POSITIVE_INFINITY;

  /** When the next request is to be sent; null when no more are. */
  const nextDue = (): number | null => {
    const now = performance.now();
    const due = job.perSecond === undefined ? now : began + (run.sent * 1000) / job.perSecond;
    return run.sent >= most || Math.max(now, due) - began >= job.ms ? null : due;
  };
  const sendAll = async (connection: Connection) => {
    for (let due = nextDue(); due !== null; due = nextDue()) {
      const request = bytes[run.sent++ % bytes.length] as Buffer;
      const early = due - performance.now();
      if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
      const { status, body } = await connection.request(request);
      run.latencies.push(performance.now() - Math.min(due, performance.now()));
      run.statuses[status] = (run.statuses[status] ?? 0) + 1;
      run.refused ??= body;
    }
  };
  try {
    await Promise.all(connections.map(sendAll));
  } finally {
    for (const connection of connections) connection.close();
  }
  const endedAt = performance.timeOrigin + performance.now();
  const inTurn = run.latencies.length <= LATENCIES_MAX_COUNT ? [...run.latencies] : [];
  const sorted = Float64Array.from(run.latencies).sort();
  return {
    answered: sorted.length,
    statuses: run.statuses,
    beganAt: performance.timeOrigin + began,
    endedAt,
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
    max: sorted.at(-1) ?? Number.NaN,
    refused: run.refused,
    latencies: inTurn,
  };
}

function bytesOf({ method, path, key, body, prefer }: Request, port: number): Buffer {
  const content = body === undefined ? Buffer.alloc(0) : Buffer.from(body);
  const lines = [`${method} ${path} HTTP/1.1`, `Host: 127.0.0.1:${port}`, `Authorization: Bearer ${key}`];
  if (body !== undefined) lines.push("Content-Type: application/json", `Content-Length: ${content.length}`);
  if (prefer !== undefined) lines.push(`Prefer: ${prefer}`);
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), content]);
}

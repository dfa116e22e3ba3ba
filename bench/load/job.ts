/** One request; the load process writes its bytes once and sends them again and again. */
export type Request = { method: "GET" | "POST" | "PUT"; path: string; key: string; body?: string; prefer?: string };

/**
 * Requests in turn over `connections` kept alive, for `ms`. Without `perSecond` each connection sends the next as soon as
 * it has an answer; with it they are sent at that pace, and an answer's time counts from when its request was due.
 */
export type Job = {
  port: number;
  connections: number;
  ms: number;
  requests: Request[];
  perSecond?: number;
  /** Ends the job when so many requests are answered, before `ms` are over. */
  maxRequests?: number;
};

/** Times in milliseconds; `beganAt` and `endedAt` since the epoch, so that another process can go on from them. */
export type Outcome = {
  answered: number;
  statuses: Record<string, number>;
  beganAt: number;
  endedAt: number;
  p50: number;
  p99: number;
  max: number;
  /** An answer that was neither 2xx, as text, if there was one. */
  refused: string | null;
  /** Latencies of each request in turn, when the job has few. */
  latencies: number[];
};

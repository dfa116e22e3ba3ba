import { env } from "cloudflare:workers";
import { call, event, freshOrg } from "../support/client.ts";
import { replaceMethod } from "../support/faults.ts";

export const ASYNC = { prefer: "respond-async" };

/** Sends events for the queue. */
export function handOver(org: string, events: readonly Record<string, unknown>[], key?: string) {
  const headers = key === undefined ? ASYNC : { ...ASYNC, "idempotency-key": key };
  return call("POST", `/v1/orgs/${org}/events`, { body: { events }, headers });
}

/** Sends events for the ledger. */
export function appendNow(org: string, events: readonly Record<string, unknown>[], key: string) {
  return call("POST", `/v1/orgs/${org}/events`, { body: { events }, headers: { "idempotency-key": key } });
}

/** `count` events that need several messages: about 900 bytes each. */
export const many = (count: number) =>
  Array.from({ length: count }, (_, n) => event(n, { metadata: { n, text: "x".repeat(800) } }));

/** Keeps what is sent to the queue from it: the test delivers by hand. */
export function catchMessages(): { id: string; text: string }[][] {
  const caught: { id: string; text: string }[][] = [];
  replaceMethod(env.INGEST_QUEUE, "sendBatch", (_, [messages]) => {
    const batch = [...(messages as { body: string }[])];
    caught.push(batch.map(({ body }) => ({ id: freshOrg("message"), text: body })));
    return Promise.resolve();
  });
  return caught;
}

import { expect } from "vitest";
import { type Answer, call, createOrg, event } from "../support/client.ts";

export const WHY = "entries of another org were seen";

export const reads = (org: string, key?: string): Promise<Answer> =>
  call("GET", `/v1/orgs/${org}/reads`, key === undefined ? {} : { key });

export const putReads = (org: string, body: unknown, key?: string): Promise<Answer> =>
  call("PUT", `/v1/orgs/${org}/reads`, { body, ...(key === undefined ? {} : { key }) });

export async function close(org: string, more: Record<string, unknown> = {}): Promise<Answer> {
  const answer = await putReads(org, { enabled: false, reason: WHY, ...more });
  expect(answer.status, answer.text).toBe(200);
  return answer;
}

export const reopen = (org: string, more: Record<string, unknown> = {}, key?: string): Promise<Answer> =>
  putReads(org, { enabled: true, reason: "verified and whole", ...more }, key);

/** An org of `count` events after its first entry, all of them in D1. */
export async function orgOf(count: number): Promise<string> {
  const org = await createOrg("reads");
  const events = Array.from({ length: count }, (_, n) => event(n, { id: `e-${n}` }));
  await call("POST", `/v1/orgs/${org}/events`, { body: { events } });
  await call("GET", `/v1/orgs/${org}/events?limit=1&min_size=${count + 1}`);
  return org;
}

/** The status of a plain list. */
export async function listStatus(org: string): Promise<number> {
  return (await call("GET", `/v1/orgs/${org}/events?limit=1`)).status;
}

import { expect } from "vitest";
import type { Caller, Trusted } from "../../src/schema/caller.ts";
import type { ErasureAnswer } from "../../src/schema/erasure.ts";
import { ROOT } from "../support/append.ts";
import { archiveDue, untilProjected } from "../support/check-ledger.ts";
import { call, freshOrg } from "../support/client.ts";
import { finishJob } from "../support/jobs.ts";

/** Somebody nobody else in this run is. */
export function person() {
  const id = freshOrg("u_jane");
  return { type: "user", id, name: `Jane Röe ${id}`, email: `${id}@example.com`, metadata: { phone: `+43 ${id}` } };
}

export async function asked(org: string, body: object): Promise<ErasureAnswer> {
  const answer = await call("POST", `/v1/orgs/${org}/erasures`, { body: { reason: "she asked for it", ...body } });
  expect(answer.status, answer.text).toBe(202);
  return answer.json;
}

export async function standing(org: string, id: string): Promise<ErasureAnswer> {
  const answer = await call("GET", `/v1/orgs/${org}/erasures/${id}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.json;
}

/** Who may ask for erasures, and for nothing else. */
export const ERASER: Caller = { ...(ROOT as Trusted), scopes: ["erasures:write"] };

/** Erases to the end; answers the certificate. */
export async function erased(org: string, body: object) {
  const { id } = await asked(org, body);
  await finishJob(org, "erasure", id);
  const { state, certificate, error } = await standing(org, id);
  expect([state, error]).toEqual(["done", null]);
  if (certificate === null) throw new Error("a certificate");
  return { id, certificate };
}

export async function archived(org: string): Promise<void> {
  await untilProjected(org);
  await archiveDue(org);
}

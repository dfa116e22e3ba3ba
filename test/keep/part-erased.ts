import { expect } from "vitest";
import type { ERASURE } from "../../src/keep/erase.ts";
import type { Certificate } from "../../src/schema/erasure.ts";
import { append, batchOf } from "../support/append.ts";
import { checkLedger } from "../support/check-ledger.ts";
import { createOrg, event } from "../support/client.ts";
import { splitSegments } from "../support/cool.ts";
import { verified } from "../support/tamper.ts";
import { archived, person } from "./erasure-support.ts";

export type Progress = NonNullable<Parameters<typeof ERASURE.step>[2]>;

export const ENTRIES = 25;

/** An org with entries of somebody, a segment each: their removal takes two steps. */
export async function janes() {
  const org = await createOrg("ended");
  const jane = person();
  await append(org, batchOf(Array.from({ length: ENTRIES }, (_, n) => event(n, { actor: jane }))));
  await archived(org);
  await splitSegments(org);
  return { org, jane, subject: { type: jane.type, id: jane.id } };
}

/** Whether part of what a cause names has gone, and part has not. */
export const partWay = ({ removing }: Progress) =>
  (removing?.progress.from ?? 0) > 0 && removing?.progress.at === "entries";

/** What went is gone from every store, what did not is in all of them, and nothing is found to be wrong. */
export async function expectEven(org: string, { removed, causes }: Certificate): Promise<void> {
  const { entries } = await checkLedger(org, { archived: true });
  expect(entries.filter(({ gone }) => gone.includes("actor"))).toHaveLength(removed.entries);
  const listed = causes.reduce((sum, cause) => sum + cause.entries + cause.left, 0);
  expect([listed, removed.entries > 0, removed.entries < ENTRIES]).toEqual([ENTRIES, true, true]);
  expect(await verified(org)).toMatchObject({ ok: true, breaks: [] });
}

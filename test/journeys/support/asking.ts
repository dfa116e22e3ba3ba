import { expect } from "vitest";
import type { Certificate } from "../../../src/schema/erasure.ts";
import type { ExportAnswer } from "../../../src/schema/export.ts";
import type { RunAnswer } from "../../../src/schema/retention.ts";
import { verified } from "../../support/auditor.ts";
import { HERS, JANE, type Lived, type Past, seenIn } from "./life.ts";
import { asked, finishJobs, walked } from "./org.ts";
import { QUESTIONS } from "./questions.ts";

/** How a piece of long work stands that has to be done. */
async function doneAt(path: string): Promise<any> {
  const ended = await asked("GET", path);
  expect([ended.state, ended.error]).toEqual(["done", null]);
  return ended;
}

async function made(org: string, what: string, body: object): Promise<any> {
  const { id } = await asked("POST", `/v1/orgs/${org}/${what}`, body);
  await finishJobs(org);
  return doneAt(`/v1/orgs/${org}/${what}/${id}`);
}

export function exported(org: string, body: object): Promise<ExportAnswer> {
  return made(org, "exports", body);
}

/** A run of retention that looks and takes nothing. */
export function dryRun(org: string, as_of: string): Promise<RunAnswer> {
  return made(org, "retention/runs", { dry_run: true, as_of });
}

/** The run of a night. */
export function nightlyRun(org: string, day: string): Promise<RunAnswer> {
  return doneAt(`/v1/orgs/${org}/retention/runs/run_nightly_${day}`);
}

/** Forgets the person, with what she said and what was said beside it. */
export async function forgotten(org: string): Promise<Certificate> {
  const subject = { type: JANE.type, id: JANE.id };
  const body = { subject, reason: "request 114", sections: ["note", "metadata"] };
  const { certificate } = await made(org, "erasures", body);
  return certificate;
}

/** Asks every question: each is answered as a filter in memory answers it, of what has to be there by now. */
export async function answersAreRight(org: string, lived: readonly Lived[], past: Past): Promise<void> {
  const wanted: Record<string, number[]> = {};
  for (const one of lived) {
    const seen = seenIn(one, past);
    for (const [name, { test }] of Object.entries(QUESTIONS)) if (test(seen)) (wanted[name] ??= []).push(one.index);
  }
  for (const [name, { params }] of Object.entries(QUESTIONS)) {
    const { indexes, tiers } = await walked(org, { source: "client", ...params });
    // None is answered by nothing: it would show nothing.
    expect(params["order"] === "asc" ? indexes : indexes.toReversed(), name).toEqual(wanted[name]);
    expect(
      tiers.some((tier) => tier !== "hot"),
      name,
    ).toBe(true);
  }
}

/** Indexes of the entries in which somebody who lists everything finds her. */
export async function showingHer(org: string): Promise<number[]> {
  const found: number[] = [];
  await walked(org, { order: "asc" }, (entry) => JSON.stringify(entry).includes(HERS) && found.push(entry.index));
  return found;
}

/** What the service itself says of all of its log, in as many calls as it takes: nothing is wrong, and so much is absent. */
export async function serviceSays(org: string): Promise<{ checked: number; absent: Record<string, number> }> {
  const sum = { checked: 0, absent: { erased: 0, expired: 0, withheld: 0 } };
  for (let query: string | null = ""; query !== null; ) {
    const { checked, absent, continue_from, continue_expect, ...rest } = await verified(org, query);
    expect(rest).toMatchObject({ ok: true, breaks: [], unvouched: [], could_not_check: [] });
    sum.checked += checked;
    for (const cause of ["erased", "expired", "withheld"] as const) sum.absent[cause] += absent[cause];
    query = continue_from === null ? null : `?to=${continue_from}&expect=${continue_expect}`;
  }
  return sum;
}

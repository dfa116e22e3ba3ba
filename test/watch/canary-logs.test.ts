import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { CANARY_COMPARED_ENTRIES } from "../../src/limits.ts";
import { statusOf } from "../support/check-ledger.ts";
import { call, event } from "../support/client.ts";
import { strand } from "../support/strand.ts";
import { A, findingsOf, goodAt, lateBy, nextMinute, round, rounds, untilPlatform } from "./canary-support.ts";
import { growthOf } from "./support.ts";

beforeEach(async () => {
  for (const level of ["info", "warn", "error"] as const) vi.spyOn(console, level).mockImplementation(() => undefined);
  await untilPlatform();
});
afterEach(() => void vi.restoreAllMocks());

it("a canary that was continued as a new log is not misrouted: lists show its old log too", async () => {
  await rounds(2);
  const { log } = await strand(A);
  const body = { reason: "done by the test" };
  expect((await call("POST", `/v1/orgs/${A}/continue`, { body })).status).toBe(201);
  const last = await rounds();
  expect((await statusOf(A)).log).toBe(`${log}/2`);
  expect(await findingsOf(`${log}/2`)).toEqual([]);
  expect(await goodAt()).toBe(last);
});

it("a canary of which others fill the newest entries is late, not young", async () => {
  await rounds();
  const events = Array.from({ length: CANARY_COMPARED_ENTRIES }, (_, n) => event(n));
  expect((await call("POST", `/v1/orgs/${A}/events`, { body: { events } })).status).toBe(201);
  const grown = await growthOf(() => round(nextMinute()));
  expect(lateBy(grown, "list")).toBe(1);
  // The next event is among the newest again, and what is proved later is looked for in the old ones.
  const next = await growthOf(() => round(nextMinute()));
  expect(lateBy(next, "list")).toBe(0);
  expect(lateBy(next, "inclusion")).toBe(1);
});

import { afterEach, describe, expect, it } from "vitest";
import { orgKey } from "../http/support.ts";
import type { Said } from "../store/cells.ts";
import { later, untilProjected, wake } from "../support/check-ledger.ts";
import { readLedger } from "../support/check/read-stores.ts";
import { call, createOrg } from "../support/client.ts";
import { choicesOf, type Choices } from "../support/random.ts";
import { shrinkCells, unshrinkCells } from "../support/shrink-cells.ts";
import { strand } from "../support/strand.ts";
import { hasAny, hasPhrase, seenBy, type Test } from "./plain-filter.ts";
import { walk } from "./support.ts";

/** Events of each part: the first cell, the second, and the log that continues both. */
const PART = 60;
const QUESTIONS = 30;
const FIRST = Date.parse("2026-11-01T00:00:00.000Z");
const MINUTE_MS = 60_000;
const SPAN_MINUTES = 3 * PART * 7;

const ACTORS = ["u_1", "u_2", "u_3", "bot"];
const ACTIONS = ["document.share", "document.read", "user.role.grant", "login"];
const WORDS = ["alpha", "beta", "gamma", "delta", "naïve"];
const RESULTS = ["success", "failure", "denied"];

const someText = ({ many, pick }: Choices) => ["because", ...many(4, () => pick(WORDS))].join(" ");

function someSaid(choices: Choices, n: number): Said & { id: string } {
  const { pick, below, many } = choices;
  return {
    id: `e-${n}`,
    action: pick(ACTIONS),
    actor: { type: "user", id: pick(ACTORS) },
    targets: ["document", ...many(1, () => "user")].map((type) => ({ type, id: `d_${below(9)}` })),
    result: pick(RESULTS),
    reason: someText(choices),
    occurred_at: new Date(FIRST + below(SPAN_MINUTES) * MINUTE_MS + below(MINUTE_MS)).toISOString(),
  };
}

async function send(org: string, said: readonly (Said & { id: string })[]): Promise<void> {
  const events = said.map(({ result, ...one }) => ({ ...one, outcome: { result } }));
  const sent = await call("POST", `/v1/orgs/${org}/events`, { body: { events } });
  expect(sent.status, sent.text).toBe(201);
  await untilProjected(org);
}

/** A log in two cells, and the one that continues it, all through the front door. */
async function split() {
  const org = await createOrg("parts");
  const choices = choicesOf(5);
  const said = Array.from({ length: 3 * PART }, (_, n) => someSaid(choices, n));
  await send(org, said.slice(0, PART));
  await shrinkCells(org);
  await send(org, said.slice(PART, PART + 1));
  unshrinkCells();
  await send(org, said.slice(PART + 1, 2 * PART));
  expect(new Set((await readLedger(org)).placements.map(({ cell }) => cell)).size).toBe(2);
  await later(61_000, () => wake(org));
  await strand(org);
  const continued = await call("POST", `/v1/orgs/${org}/continue`, { body: { reason: "entries are gone for good" } });
  expect(continued.status, continued.text).toBe(201);
  await send(org, said.slice(2 * PART));
  const made = await Promise.all(Array.from({ length: 5 }, () => orgKey(org, ["events:read", "personal:read"])));
  const seen = said.map((one) => ({ id: one.id, seen: seenBy(one, { personal: true, hidden: false }) }));
  return { org, keys: made.map(({ key }) => key), seen };
}
afterEach(unshrinkCells);

const VALUES: Record<string, (choices: Choices) => string> = {
  actor: ({ pick }) => pick(ACTORS),
  action: ({ pick }) => pick([...ACTIONS, "document.*", "user.*", "nothing.*"]),
  target: ({ below }) => `d_${below(10)}`,
  target_type: ({ pick }) => pick(["document", "user", "none"]),
  result: ({ pick }) => pick(RESULTS),
};

function someQuestion(choices: Choices): { params: Record<string, string>; test: Test } {
  const { chance, pick, below, some } = choices;
  const params: Record<string, string> = { source: "client", order: pick(["asc", "desc"]), limit: pick(["7", "50"]) };
  const tests: Test[] = [];
  for (const field of choices.many(2, () => pick(Object.keys(VALUES)))) {
    const exclude = chance(0.3);
    const name = exclude ? `-${field}` : field;
    if (name in params) continue;
    params[name] = VALUES[field]!(choices);
    const holds = hasAny(field, [params[name]]);
    tests.push(exclude ? (one) => !holds(one) : holds);
  }
  const text = some(0.4, () => someText(choices).split(" ").slice(below(2), 3).join(" "));
  if (text !== undefined) {
    params["q"] = `"${text}"`;
    tests.push(hasPhrase(text));
  }
  const instant = () => FIRST + below(SPAN_MINUTES) * MINUTE_MS;
  const [from, to] = [some(0.4, instant), some(0.4, instant)];
  if (from !== undefined) params["from"] = new Date(from).toISOString();
  if (to !== undefined) params["to"] = new Date(to).toISOString();
  tests.push(({ at }) => at >= (from ?? -Infinity) && at <= (to ?? Infinity));
  return { params, test: (one) => tests.every((test) => test(one)) };
}

describe("search over a log in two cells and the one that continues it", () => {
  it(`finds what a plain filter finds, walked to the end, for ${QUESTIONS} random questions`, async () => {
    const { org, keys, seen } = await split();
    const choices = choicesOf(6);
    let found = 0;
    for (let n = 0; n < QUESTIONS; n++) {
      const { params, test } = someQuestion(choices);
      const right = seen.filter((one) => test(one.seen)).map(({ id }) => id);
      const mine = [keys[n % keys.length] as string];
      const { entries } = await walk(org, params, { keys: mine });
      const shown = entries.map(({ id }) => id);
      expect(shown, JSON.stringify(params)).toEqual(params["order"] === "asc" ? right : right.toReversed());
      found += shown.length;
    }
    expect(found).toBeGreaterThan(5 * QUESTIONS);
  });
});

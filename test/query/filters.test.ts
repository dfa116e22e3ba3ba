import { beforeAll, describe, expect, it } from "vitest";
import { matches } from "../../src/query/matches.ts";
import { parseListQuery } from "../../src/query/query.ts";
import { call, createOrg } from "../support/client.ts";
import { randomOf } from "../support/random.ts";
import { orgKey } from "../http/support.ts";
import { entriesOf, list, walk } from "./support.ts";

const COUNT = 500;

const random = randomOf(20261121);
const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
const some = <T>(value: () => T): T | undefined => (random() < 0.5 ? undefined : value());

const ACTORS = ["u_1", "u_2", "U_1", "u_1 ", "jürgen", "a b", "don't", "1"];
const ACTIONS = ["user.created", "user.deleted", "user.role.changed", "user", "users.created", "login", "doc.share"];
const TARGETS = ["d_1", "d_2", "u_1", "folder/1"];
const TYPES = ["document", "user", "Document"];
const CATEGORIES = ["log_access", "config_change", "login", "general"];
const RESULTS = ["success", "failure", "denied"];
const IPS = ["192.0.2.1", "192.0.2.10", "2001:db8::1"];
const ZONES = ["Z", "+01:00", "-08:30"];

/** A time between 2019 and 2027, in some zone and precision. */
function someTime(): string {
  const at = new Date(Date.UTC(2019, 0, 1) + Math.floor(random() * 8 * 365 * 86_400_000));
  return at.toISOString().slice(0, 19) + pick(["", ".5", ".123456"]) + pick(ZONES);
}

function someEvent(n: number) {
  const targets = some(() =>
    Array.from({ length: 1 + Math.floor(random() * 3) }, () => ({ type: pick(TYPES), id: pick(TARGETS) })),
  );
  const result = some(() => pick(RESULTS));
  return {
    id: `e-${n}`,
    action: pick(ACTIONS),
    actor: { type: "user", id: pick(ACTORS) },
    category: some(() => pick(CATEGORIES)),
    occurred_at: some(someTime),
    on_behalf_of: some(() => ({ type: "user", id: pick(ACTORS) })),
    targets,
    outcome: result === undefined ? undefined : { result },
    context: some(() => ({ ip: pick(IPS), session_id: pick(["s1", "s2"]), request_id: pick(["r1", "r2"]) })),
  };
}

type Sent = ReturnType<typeof someEvent>;
type Filter = Record<string, string[]>;

/** What each filter asks of an event as sent: written anew here, so that it can disagree with the code. */
const ASKS: Record<string, (event: Sent, value: string) => boolean> = {
  actor: (event, value) => event.actor.id === value,
  on_behalf_of: (event, value) => event.on_behalf_of?.id === value,
  action: ({ action }, value) =>
    value.endsWith(".*") ? action.startsWith(value.slice(0, -1)) && action !== value : action === value,
  target: (event, value) => event.targets?.some(({ id }) => id === value) ?? false,
  target_type: (event, value) => event.targets?.some(({ type }) => type === value) ?? false,
  category: (event, value) => (event.category ?? "general") === value,
  result: (event, value) => (event.outcome?.result ?? "success") === value,
  ip: (event, value) => event.context?.ip === value,
  session_id: (event, value) => event.context?.session_id === value,
  request_id: (event, value) => event.context?.request_id === value,
  from: (event, value) => Date.parse(event.occurred_at ?? received) >= Date.parse(value),
  to: (event, value) => Date.parse(event.occurred_at ?? received) <= Date.parse(value),
};

const VALUES: Record<string, readonly string[]> = {
  actor: [...ACTORS, "nobody"],
  on_behalf_of: ACTORS,
  action: [...ACTIONS, "user.*", "user.role.*", "doc.*", "login.*"],
  target: TARGETS,
  target_type: TYPES,
  category: CATEGORIES,
  result: RESULTS,
  ip: IPS,
  session_id: ["s1", "s2"],
  request_id: ["r1", "r2"],
};

/** One to three filters, some of them with several values, now and then a time. */
function someFilter(): Filter {
  const filter: Filter = {};
  for (let n = 0; n <= random() * 2.5; n++) {
    const name = pick(Object.keys(VALUES));
    filter[name] = [...new Set([pick(VALUES[name]!), ...(random() < 0.4 ? [pick(VALUES[name]!)] : [])])];
  }
  if (random() < 0.4) filter["from"] = [someTime()];
  if (random() < 0.4) filter["to"] = [someTime()];
  return filter;
}

const sent: Sent[] = [];
const keys: string[] = [];
let org = "";
let received = "";

beforeAll(async () => {
  org = await createOrg("filters");
  for (let n = 0; n < COUNT; n++) sent.push(someEvent(n));
  for (let n = 0; n < 8; n++) keys.push((await orgKey(org, ["events:read", "personal:read"])).key);
  for (let at = 0; at < COUNT; at += 100) {
    const answer = await call("POST", `/v1/orgs/${org}/events`, { body: { events: sent.slice(at, at + 100) } });
    expect(answer.status, answer.text).toBe(201);
  }
  received = (await call("GET", `/v1/orgs/${org}/events/e-0`)).json.received_at;
});

function expected(filter: Filter): string[] {
  const holds = (event: Sent) =>
    Object.entries(filter).every(([name, values]) => values.some((value) => ASKS[name]?.(event, value)));
  return sent.filter(holds).map(({ id }) => id);
}

describe("filters over 500 random entries", () => {
  it.each(Array.from({ length: 60 }, () => someFilter()))("%j finds what it should, in both orders", async (filter) => {
    const right = expected(filter);
    const asked = { ...filter, source: "client", min_size: COUNT + 9, limit: 40 };
    const { entries } = await walk(org, asked, { keys });
    expect(entries.map(({ id }) => id)).toEqual(right.toReversed());
    const upwards = await walk(org, { ...asked, order: "asc" }, { keys: keys.toReversed() });
    expect(upwards.entries.map(({ id }) => id)).toEqual(right);
  });

  it("are checked on each opened entry as well: what the index merely proposes is not answered", async () => {
    const entries = (await entriesOf(org)).filter(({ leaf }) => leaf.source === "client");
    for (let n = 0; n < 300; n++) {
      const asked = someFilter();
      const params = new URLSearchParams(Object.entries(asked).flatMap(([name, all]) => all.map((one) => [name, one])));
      const query = parseListQuery(params);
      if (!query.ok) throw new Error(query.refusal.detail);
      const found = entries.filter((entry) => matches(query.value.filter, entry)).map(({ id }) => id);
      expect(found, params.toString()).toEqual(expected(asked));
    }
  });

  it("tells entries of the service from those of clients", async () => {
    const { entries } = await walk(org, { source: "service", limit: 1_000 }, { keys });
    expect(entries.length).toBeGreaterThan(8);
    for (const { action, source } of entries)
      expect([action.startsWith("indelible."), source]).toEqual([true, "service"]);
    const both = await walk(org, { source: ["service", "client"], limit: 1_000 }, { keys });
    expect(both.entries.length).toBeGreaterThanOrEqual(entries.length + COUNT);
  });

  it("finds by a time to the millisecond, both ends included", async () => {
    const one = sent.find(({ occurred_at }) => occurred_at !== undefined)!;
    const at = Date.parse(one.occurred_at!);
    const ids = async (from: number, to: number) => {
      const range = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
      return (await list(org, range, keys[0])).json.data.map((entry: any) => entry.id);
    };
    expect(await ids(at, at)).toContain(one.id);
    expect(await ids(at + 1, at + 1)).not.toContain(one.id);
    expect(await ids(at - 1, at - 1)).not.toContain(one.id);
    expect(await ids(at + 1, at - 1)).toEqual([]);
  });

  it("takes an offset's plus sign unescaped", async () => {
    const answer = await call("GET", `/v1/orgs/${org}/events?from=2019-01-01T00:00:00+01:00&limit=1`);
    expect(answer.json.data).toHaveLength(1);
  });
});

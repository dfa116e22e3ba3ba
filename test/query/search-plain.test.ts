import { beforeAll, describe, expect, it } from "vitest";
import type { ReadGrant } from "../../src/schema/ledger.ts";
import { wordsOf } from "../../src/store/words.ts";
import type { Said } from "../store/cells.ts";
import { choicesOf, type Choices } from "../support/random.ts";
import { type Granted, projected, walkPages } from "./grants.ts";
import { hasAny, hasPhrase, type Seen, seenBy, type Test } from "./plain-filter.ts";
import * as random from "./random-log.ts";

const COUNT = 20_000;
/** Of each with many results a stretch of so many is walked to its end, of some the whole. */
const QUERIES = 2_000;
const PARTS = 10;
const STRETCH = 60;
const WALKED_WHOLE = 0.003;

const NOW = Date.now();
const FIRST = NOW - random.DAYS * random.DAY_MS;

let of: Granted;
let said: Said[];
/** What readers with and without `personal:read` see of each. */
let seen: Record<"true" | "false", Seen[]>;
let hidden: Record<"true" | "false", Seen[]>;

beforeAll(async () => {
  said = random.someLog(choicesOf(20_261_122), COUNT, FIRST);
  of = await projected(said, { first: FIRST, last: NOW });
  const all = (personal: boolean, under: boolean) => said.map((one) => seenBy(one, { personal, hidden: under }));
  seen = { true: all(true, false), false: all(false, false) };
  hidden = { true: all(true, true), false: all(false, true) };
}, 300_000);

const VALUES: Record<string, (choices: Choices) => string> = {
  actor: random.someName,
  on_behalf_of: random.someName,
  action: ({ pick }) => pick([...random.ACTIONS, "document.*", "user.role.*", "a.*", "a.b.c.*", "nothing.*"]),
  target: (choices) => (choices.chance(0.4) ? random.someName(choices) : `d_${choices.below(310)}`),
  target_type: ({ pick }) => pick([...random.TYPES, "none"]),
  category: ({ pick }) => pick([...random.CATEGORIES, "config_change"]),
  source: ({ pick }) => pick(["client", "client", "service"]),
  result: ({ pick }) => pick(random.RESULTS),
  ip: ({ pick }) => pick(random.IPS),
  session_id: ({ below }) => `s-${below(500)}`,
  request_id: (choices) => random.someText(choices) || "none",
};
const PERSONAL = ["ip", "session_id", "request_id"];

/** A question as parameters, and as a test of what a reader sees. */
type Question = { params: URLSearchParams; test: Test };

function someQuestion(choices: Choices, personal: boolean): Question {
  const { chance, below, pick, some } = choices;
  const params = new URLSearchParams();
  const tests: Test[] = [];
  const search: string[] = [];
  const add = (test: Test, exclude: boolean) => tests.push(exclude ? (one) => !test(one) : test);
  const fields = Object.keys(VALUES).filter((name) => personal || !PERSONAL.includes(name));
  const positive = !chance(0.05);
  for (let n = positive ? 1 + below(3) : 1; n > 0; n--) {
    const field = pick(fields);
    const exclude = !positive || (n > 1 && chance(0.3));
    const name = `${exclude ? "-" : ""}${field}`;
    const value = () => VALUES[field]!(choices);
    if (chance(0.3)) {
      const one = value();
      search.push(`${name}:${quoted(choices, one)}`);
      add(hasAny(field, [one]), exclude);
    } else if (!params.has(name)) {
      const values = [value(), ...choices.many(2, value)];
      for (const one of values) params.append(name, one);
      add(hasAny(field, values), exclude);
    }
  }
  for (const text of choices.many(chance(0.5) ? 2 : 0, () => somePhrase(choices))) {
    if (wordsOf(text).length === 0) continue;
    const exclude = chance(0.3);
    search.push(`${exclude ? "-" : ""}"${text.replaceAll(/["\\]/g, "\\$&")}"`);
    add(hasPhrase(text), exclude);
  }
  const instant = () => FIRST + below(random.DAYS * random.DAY_MS) - (chance(0.1) ? 300 * random.DAY_MS : 0);
  const [from, to] = [some(0.25, instant), some(0.25, instant)];
  if (from !== undefined) params.set("from", new Date(from).toISOString());
  if (to !== undefined) params.set("to", new Date(to).toISOString());
  tests.unshift(({ at }) => at >= (from ?? -Infinity) && at <= (to ?? Infinity));
  if (search.length > 0) params.set("q", search.join(pick([" ", "  ", "\t", "\u3000"])));
  return { params, test: (one) => tests.every((test) => test(one)) };
}

/** The indexes of all entries a reader sees and asked for. */
function allOf({ view, may }: Reader, test: Test): number[] {
  const all: number[] = [];
  for (let index = 0; index < COUNT; index++) {
    const one = view(index);
    if (test(one) && may(one)) all.push(index);
  }
  return all;
}

/** Of many a stretch, cut out by bounds of indexes. */
function someOf({ below }: Choices, all: number[], params: URLSearchParams): number[] {
  if (all.length <= STRETCH) return all;
  const start = below(all.length - STRETCH);
  const stretch = all.slice(start, start + STRETCH);
  params.set("after_index", String(stretch[0]));
  params.set("before_index", String(all[start + STRETCH]));
  return stretch.slice(1);
}

function quoted({ chance }: Choices, value: string): string {
  return chance(0.5) && !/[\s"]/u.test(value) ? value : `"${value.replaceAll(/["\\]/g, "\\$&")}"`;
}

/** Words of some entry in their order, words in an order that none may have, or what nobody wrote. */
function somePhrase(choices: Choices): string {
  const { pick, chance, below } = choices;
  if (chance(0.3)) return pick(random.WORDS);
  const { reason = "", metadata = "" } = pick(said);
  const words = (chance(0.5) ? reason : metadata).split(" ");
  const start = below(words.length);
  const part = words.slice(start, start + 1 + below(3));
  return (chance(0.2) ? part.toReversed() : part).join(" ").slice(0, 100).toWellFormed();
}

/** What a reader may see at most, with the test it amounts to. */
type Reader = { grant: ReadGrant; view: (index: number) => Seen; may: Test };

function someReader(choices: Choices): Reader {
  const { chance, below, pick, some } = choices;
  const personal = chance(0.5);
  const quarantined = choices
    .many(chance(0.2) ? 3 : 0, () => below(COUNT))
    .map((from, n) => {
      return { id: `q_${n}`, from, to: from + below(600) };
    });
  const targets = pick(said).targets ?? [];
  const target = chance(0.1) ? targets[0] : undefined;
  const categories = some(0.1, () => [...new Set([pick(random.CATEGORIES), pick(random.CATEGORIES)])]);
  const restriction =
    target === undefined && categories === undefined
      ? null
      : {
          ...(target === undefined ? {} : { target: { type: target.type, id: target.id } }),
          ...(categories === undefined ? {} : { categories: categories as "general"[] }),
        };
  const [shown, leaves] = [seen[`${personal}`], hidden[`${personal}`]];
  const under = (index: number) => quarantined.some(({ from, to }) => from <= index && index < to);
  const may: Test = ({ said: { targets: all = [] }, values }) =>
    (target === undefined ||
      (values["target"] !== undefined && all.some(({ type, id }) => type === target.type && id === target.id))) &&
    (categories === undefined || categories.includes(values["category"]?.[0] ?? ""));
  return {
    grant: { ...of.grant, personal, restriction, quarantined },
    view: (index) => (under(index) ? leaves : shown)[index] as Seen,
    may,
  };
}

describe(`search over ${COUNT} random entries`, () => {
  it.each(Array.from({ length: PARTS }, (_, n) => n))(
    "finds what a plain filter finds, walked to the end: part %i of thousands of random questions",
    async (part) => {
      const choices = choicesOf(part);
      let found = 0;
      for (let n = 0; n < QUERIES / PARTS; n++) {
        const reader = someReader(choices);
        const { grant } = reader;
        const { params, test } = someQuestion(choices, grant.personal);
        const order = choices.pick(["asc", "desc"]);
        const all = allOf(reader, test);
        const right = choices.chance(WALKED_WHOLE) ? all : someOf(choices, all, params);
        // A page of one for each of many would take minutes, and says no more than for a few.
        const limit = choices.pick(right.length > 10 ? [20, 150, 1_000] : [1, 7, 1_000]);
        params.set("order", order);
        params.set("limit", String(limit));
        const { entries } = await walkPages(of.log, grant, params);
        const shown = entries.map(({ index }) => index);
        expect(shown, `${n}: ${params.toString()} ${JSON.stringify(grant.restriction)}`).toEqual(
          order === "asc" ? right : right.toReversed(),
        );
        found += shown.length;
      }
      expect(found).toBeGreaterThan(QUERIES / PARTS);
    },
    300_000,
  );
});

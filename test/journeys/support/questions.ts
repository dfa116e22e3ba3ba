import { hasAny, hasPhrase, type Test } from "../../query/plain-filter.ts";
import { CASE, JANE } from "./life.ts";

type Question = { params: Record<string, string | string[]>; test: Test };

const all =
  (...tests: Test[]): Test =>
  (seen) =>
    tests.every((test) => test(seen));
const not =
  (test: Test): Test =>
  (seen) =>
    !test(seen);
const between =
  (from: string, to: string): Test =>
  ({ at }) =>
    at >= Date.parse(from) && at <= Date.parse(to);

/** What people ask, and what has to be found of what they may see. */
export const QUESTIONS: Record<string, Question> = {
  "an actor, oldest first": { params: { actor: "u_3", order: "asc" }, test: hasAny("actor", ["u_3"]) },
  "what she did": { params: { actor: JANE.id }, test: hasAny("actor", [JANE.id]) },
  "what was done to her, or for her": {
    params: { q: `"${JANE.email}"` },
    test: hasPhrase(JANE.email),
  },
  "a session's words": {
    params: { q: '"foo bar" -result:success', action: "session.*" },
    test: all(hasAny("action", ["session.*"]), hasPhrase("foo bar"), not(hasAny("result", ["success"]))),
  },
  "a category, without two actions": {
    params: { category: "login", "-action": ["session.end", "document.read"] },
    test: all(hasAny("category", ["login"]), not(hasAny("action", ["session.end", "document.read"]))),
  },
  "any of two targets in a stretch where the tiers meet": {
    params: { target: ["d_1", "d_2"], from: "2031-06-10T00:00:00Z", to: "2031-07-10T00:00:00Z", order: "asc" },
    test: all(hasAny("target", ["d_1", "d_2"]), between("2031-06-10T00:00:00Z", "2031-07-10T00:00:00Z")),
  },
  "sessions and addresses": {
    params: { session_id: ["s-1", "s-2", "s-3"], "-ip": "192.0.2.7" },
    test: all(hasAny("session_id", ["s-1", "s-2", "s-3"]), not(hasAny("ip", ["192.0.2.7"]))),
  },
  "words without spaces": {
    params: { q: "東京 -actor:u_1" },
    test: all(hasPhrase("東京"), not(hasAny("actor", ["u_1"]))),
  },
  "the case": {
    params: { ...CASE.filter, from: CASE.from, to: CASE.to },
    test: all(hasAny("target", [CASE.filter.target]), between(CASE.from, CASE.to)),
  },
};

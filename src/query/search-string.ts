import { ok, refuse, type Result } from "../errors.ts";
import { SEARCH_STRING_MAX_CHARACTERS, SEARCH_STRING_MAX_TERMS, SEARCH_STRING_MAX_WORDS } from "../limits.ts";
import type { Clause } from "../store/match.ts";
import { wordsOf } from "../store/words.ts";
import { FIELDS, faultOf, instantAt, isEnd, isField, NO_EXCLUDED_END, NO_INSTANT } from "./fields.ts";

/** What a search string asks for; `text` is its canonical spelling: the same for every spelling of one question. */
export type SearchString = { clauses: Clause[]; text: string };

type Term = { clause: Clause; text: string };

/**
 * Reads the search string for people: `actor:u_17 -result:success "exact words" word -word`, every term of which must
 * hold. A value may be quoted, and in quotes `\"` is a quote and `\\` a backslash. What cannot be read is refused with the
 * position of its character, counted from 1 in code points, and the remedy.
 */
export function parseSearchString(string: string): Result<SearchString> {
  // Of what is too long, no more is looked at than tells that it is.
  const characters = [...string.slice(0, 2 * SEARCH_STRING_MAX_CHARACTERS + 2)];
  try {
    if (characters.length > SEARCH_STRING_MAX_CHARACTERS) {
      throw new Fault(null, `may have at most ${SEARCH_STRING_MAX_CHARACTERS} characters: use the other parameters`);
    }
    const terms = [...termsOf(characters)];
    if (terms.length === 0) throw new Fault(null, "must not be empty: leave it out");
    const texts = [...new Set(terms.map(({ text }) => text))].sort();
    return ok({ clauses: terms.map(({ clause }) => clause), text: texts.join(" ") });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const where = error.at === null ? "" : `at character ${error.at + 1}: `;
    const message = `${where}${error.message}`;
    return refuse("invalid_request", `q ${message}.`, { errors: [{ pointer: "/q", message }] });
  }
}

/** A term as it is written in a search string, in the one spelling that is canonical. */
export function spellTerm({
  field,
  value,
  exclude,
}: {
  field: string | null;
  value: string;
  exclude: boolean;
}): string {
  return `${exclude ? "-" : ""}${field === null ? "" : `${field}:`}"${value.replaceAll(/["\\]/g, "\\$&")}"`;
}

/** Where a search string cannot be read, as an index of its characters; null is the whole of it. */
class Fault extends Error {
  readonly at: number | null;

  constructor(at: number | null, message: string) {
    super(message);
    this.at = at;
  }
}

const SPACE = /\s/u;

function* termsOf(characters: readonly string[]): Generator<Term> {
  let words = 0;
  let terms = 0;
  let at = 0;
  for (;;) {
    while (at < characters.length && SPACE.test(characters[at] as string)) at++;
    if (at >= characters.length) return;
    if (++terms > SEARCH_STRING_MAX_TERMS) throw new Fault(at, `there may be at most ${SEARCH_STRING_MAX_TERMS} terms`);
    const { term, end } = readTerm(characters, at);
    if (term.clause.field === "words") words += (term.clause.values[0] ?? "").split(" ").length;
    if (words > SEARCH_STRING_MAX_WORDS) throw new Fault(at, `there may be at most ${SEARCH_STRING_MAX_WORDS} words`);
    yield term;
    at = end;
  }
}

function readTerm(characters: readonly string[], begin: number): { term: Term; end: number } {
  const exclude = characters[begin] === "-";
  const at = exclude ? begin + 1 : begin;
  const next = characters[at];
  if (exclude && (next === undefined || SPACE.test(next) || next === "-")) {
    throw new Fault(begin, 'one "-" stands right before what it excludes: to search for it, put it in quotes');
  }
  const name = nameAt(characters, at);
  if (name === null) {
    const { value, end } = readValue(characters, at);
    return { term: wordsTerm(value, { exclude, at }), end };
  }
  const valueAt = at + [...name].length + 1;
  const { value, end } = readValue(characters, valueAt);
  return { term: fieldTerm(name, value, { exclude, at, valueAt }), end };
}

/** What stands before the first colon of a term, null when it is not a field but words. */
function nameAt(characters: readonly string[], at: number): string | null {
  let name = "";
  for (let n = at; n < characters.length; n++) {
    const character = characters[n] as string;
    if (character === ":") return name;
    if (character === '"' || SPACE.test(character)) return null;
    name += character;
  }
  return null;
}

/** A value in quotes, or up to the next space. */
function readValue(characters: readonly string[], begin: number): { value: string; end: number } {
  if (characters[begin] === '"') return readQuoted(characters, begin);
  let end = begin;
  for (; end < characters.length && !SPACE.test(characters[end] as string); end++) {
    if (characters[end] === '"') {
      throw new Fault(
        end,
        'a quote can only open a term or a value: put all of it in quotes, and write \\" for a quote',
      );
    }
  }
  return { value: characters.slice(begin, end).join(""), end };
}

function readQuoted(characters: readonly string[], open: number): { value: string; end: number } {
  let value = "";
  for (let at = open + 1; at < characters.length; at++) {
    const [character, next] = [characters[at], characters[at + 1]];
    if (character === '"') {
      if (next === undefined || SPACE.test(next)) return { value, end: at + 1 };
      throw new Fault(at + 1, 'a space must follow a closing quote; for a quote within quotes write \\"');
    }
    const escaped = character === "\\" && (next === '"' || next === "\\");
    value += escaped ? next : character;
    if (escaped) at++;
  }
  throw new Fault(open, "this quote is not closed: close it, or leave it out");
}

function wordsTerm(text: string, { exclude, at }: { exclude: boolean; at: number }): Term {
  const value = wordsOf(text).join(" ");
  if (value === "") throw new Fault(at, "there is no letter or digit to search for: leave it out");
  return { clause: { field: "words", values: [value], exclude }, text: spellTerm({ field: null, value, exclude }) };
}

function fieldTerm(
  name: string,
  value: string,
  { exclude, at, valueAt }: { exclude: boolean; at: number; valueAt: number },
): Term {
  const text = spellTerm({ field: name, value, exclude });
  if (isEnd(name)) {
    if (exclude) throw new Fault(at, `${name} ${NO_EXCLUDED_END}`);
    const instant = instantAt(value);
    if (instant === null) throw new Fault(valueAt, `${name} ${NO_INSTANT}`);
    return { clause: { field: name, at: instant }, text };
  }
  if (!isField(name)) {
    const fields = [...Object.keys(FIELDS), "from", "to"].join(", ");
    const shown = name.length <= 40 ? name : `${name.slice(0, 40).toWellFormed()}…`;
    const what = name === "" ? "there is no field before this colon" : `"${shown}" is not a field`;
    throw new Fault(at, `${what} (${fields}); to search for words with a colon, put them in quotes`);
  }
  const fault = faultOf(name, value);
  if (fault !== null) throw new Fault(valueAt, `${name} ${fault}`);
  return { clause: { field: name, values: [value], exclude }, text };
}

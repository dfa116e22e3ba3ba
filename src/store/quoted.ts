import { QUOTED_MAX_COUNT } from "../limits.ts";

/** Parameters whose values come from a closed list, or are times and places in a log: none of them names anybody. */
const NAMES_NOBODY = new Set([
  "action",
  "category",
  "result",
  "source",
  "target_type",
  "from",
  "to",
  "log",
  "group_by",
]);

/**
 * What the query in a trace of reading quotes, so that the trace is found when somebody it names is to be forgotten: each
 * value as it stands (an id, an address), and its phrases and parts as a search string has them (`actor:u_17 "Ada L"`).
 * Unknown parameters count: a filter that comes later is found by as well.
 */
export function quotedIn(query: string): string[] {
  const values = [...new URLSearchParams(query)]
    .filter(([name]) => !NAMES_NOBODY.has(name.replace(/^-/, "")))
    .map(([, value]) => value);
  const phrases = values.flatMap((value) =>
    [...value.matchAll(PHRASE)].map(([, phrase = ""]) => phrase.replaceAll(/\\(.)/gs, "$1")),
  );
  const parts = values.flatMap((value) => value.split(PARTING).map((part) => part.replace(/^-/, "")));
  const found = new Set([...values, ...phrases, ...parts].filter((text) => text !== ""));
  return [...found].slice(0, QUOTED_MAX_COUNT);
}

/** In quotes a backslash stands before a quote or another backslash. */
const PHRASE = /"((?:[^"\\]|\\.)*)"/gs;
const PARTING = /[\s":,]+/;

/** Whether a query quotes any of these texts. */
export function quotes(query: string, texts: readonly string[]): boolean {
  return quotesAny(quotedIn(query), texts);
}

/** Whether any of these texts stands in what was quoted: whole or as a part, between other characters than those of words, in whatever case. */
export function quotesAny(quoted: readonly string[], texts: readonly string[]): boolean {
  const wanted = texts.map((text) => text.toLowerCase());
  return quoted.some((one) => wanted.some((text) => standsIn(one.toLowerCase(), text)));
}

function standsIn(quoted: string, text: string): boolean {
  for (let at = quoted.indexOf(text); at !== -1; at = quoted.indexOf(text, at + 1)) {
    const [before, after] = [quoted[at - 1] ?? "", quoted[at + text.length] ?? ""];
    if (!WORD.test(before) && !WORD.test(after)) return true;
  }
  return false;
}
const WORD = /[\p{L}\p{N}]/u;

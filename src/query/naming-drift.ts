import { NAMING_DRIFT_MAX_COUNT } from "../limits.ts";
import { SERVICE_ACTION_PREFIX } from "../schema/names.ts";

/**
 * How names of one group differ: upper and lower case, what stands between words, a plural, the order of words, the form of
 * the verb (`created` for `create`), another verb that means the same.
 */
type Difference = "case" | "separator" | "plural" | "order" | "tense" | "synonym";

/** Actions that look like one, those of most entries first, and the name to keep. */
export type Drift = { actions: string[]; differences: Difference[]; suggestion: string };

/** Verbs that say the same; the first is the one that is suggested where no better name is there. */
const SYNONYMS = [
  ["create", "add", "new", "insert", "make"],
  ["delete", "remove", "destroy", "drop"],
  ["update", "change", "edit", "modify", "alter", "patch"],
  ["view", "read", "show", "see"],
  ["enable", "activate"],
  ["disable", "deactivate"],
  ["login", "signin", "logon"],
  ["logout", "signout", "logoff"],
  ["start", "begin", "launch"],
  ["stop", "halt"],
  ["send", "dispatch"],
  ["approve"],
  ["reject", "decline"],
  ["grant"],
  ["revoke", "withdraw"],
  ["open"],
  ["erase"],
  ["end"],
  ["accept"],
  ["allow"],
  ["rename"],
  ["move"],
  ["share"],
  ["export"],
  ["import"],
  ["download"],
  ["upload"],
  ["invite"],
  ["restore"],
  ["archive"],
];
/** Two words for one verb. */
const JOINED = /^(log|sign)(?:s|n?ed|ged|n?ing|ging)? (in|on|out|off)$/;
const IRREGULAR: Record<string, string> = {
  made: "make",
  sent: "send",
  saw: "see",
  seen: "see",
  shown: "show",
  began: "begin",
};
const WELL_FORMED = /^[a-z0-9_]+(\.[a-z0-9_]+)+$/;

/** Every form of a verb, with the verb itself and the first of its synonyms. */
const VERBS = new Map(
  SYNONYMS.flatMap((verbs) =>
    verbs.flatMap((verb) => formsOf(verb).map((form) => [form, { verb, meaning: verbs[0] as string }] as const)),
  ),
);

type Name = {
  action: string;
  count: number;
  words: string[];
  /** Verb and what it is done to, in one spelling: names of one meaning share it. */
  meaning: string;
  verb: string;
  object: string[];
  /** What stands before the object: `user` in `user.addApiKey`. */
  around: string;
};

/**
 * Points at actions that look like one written in several ways: same verb in meaning, same object, and what stands around the
 * object the same or left out. It guesses; nobody is refused for it. The service's own actions are left out.
 */
export function namingDrift(actions: readonly { action: string; count: number }[]): Drift[] {
  const names = actions.filter(({ action }) => !action.startsWith(SERVICE_ACTION_PREFIX)).flatMap(nameOf);
  const groups = [...Map.groupBy(names, ({ meaning }) => meaning).values()].flatMap(likeGroups);
  return groups
    .map(driftOf)
    .sort((a, b) => (a.suggestion < b.suggestion ? -1 : 1))
    .slice(0, NAMING_DRIFT_MAX_COUNT);
}

function nameOf({ action, count }: { action: string; count: number }): Name[] {
  const parts = action.split(".").map(wordsOf);
  const words = parts.flat();
  const last = parts.at(-1) ?? [];
  // The verb begins or ends the last part: `addApiKey`, `api_key_create`.
  const at = [0, last.length - 1].find((n) => VERBS.has(last[n] ?? "")) ?? null;
  if (words.length === 0) return [];
  if (at === null) {
    // Without a verb that is known, names are one only when their words are.
    const object = words.map(singular);
    return [{ action, count, words, verb: "", object, around: "", meaning: ` ${object.join(" ")}` }];
  }
  const verb = last[at] as string;
  const own = last.filter((_, n) => n !== at);
  const before = parts.slice(0, -1);
  const object = own.length > 0 ? own : (before.pop() ?? []);
  const key = object.map(singular);
  const { meaning } = VERBS.get(verb) ?? { meaning: "" };
  const around = before.flat().map(singular).join(" ");
  return [{ action, count, words, verb, object: key, around, meaning: [meaning, ...key].join(" ") }];
}

/**
 * Names of one meaning that can be one action: `team.member.add` and `project.member.add` are two, and which of them
 * `member.add` is nobody can tell.
 */
function likeGroups(names: Name[]): Name[][] {
  const arounds = new Set(names.map(({ around }) => around).filter((around) => around !== ""));
  const groups = arounds.size < 2 ? [names] : [...Map.groupBy(names, ({ around }) => around).values()];
  return groups.filter((group) => group.length > 1);
}

function driftOf(group: Name[]): Drift {
  const ordered = group.toSorted((a, b) => b.count - a.count || (a.action < b.action ? -1 : 1));
  const [first] = ordered as [Name, ...Name[]];
  const kept = ordered.find(({ action }) => WELL_FORMED.test(action));
  const { meaning: verb = first.verb } = VERBS.get(first.verb) ?? {};
  const made = [first.object.join("_"), verb].filter((part) => part !== "").join(".");
  const differences = new Set(group.flatMap((name) => differencesOf(kept ?? first, name)));
  return {
    actions: ordered.map(({ action }) => action),
    differences: [...differences].sort(),
    suggestion: kept?.action ?? made,
  };
}

function differencesOf(kept: Name, name: Name): Difference[] {
  if (kept === name) return [];
  if (kept.action.toLowerCase() === name.action.toLowerCase()) return ["case"];
  const found: Difference[] = [];
  const verb = VERBS.get(kept.verb)?.verb;
  if (verb !== VERBS.get(name.verb)?.verb) found.push("synonym");
  else if (kept.verb !== name.verb) found.push("tense");
  const nouns = ({ words, verb: own }: Name) => words.filter((word) => word !== own);
  const text = (one: Name, each: (word: string) => string) => nouns(one).map(each).join(" ");
  if (text(kept, (word) => word) !== text(name, (word) => word) && text(kept, singular) === text(name, singular)) {
    found.push("plural");
  }
  const place = ({ words, verb: own }: Name) => words.indexOf(own) === words.length - 1;
  if (place(kept) !== place(name) || kept.around !== name.around) found.push("order");
  if (found.length === 0) found.push("separator");
  return found;
}

/** Lower-case words: `apiKey`, `api_key`, `API-Key` and `api key` are the same two. */
function wordsOf(part: string): string[] {
  const words = part
    .replaceAll(/(\p{Ll}|\p{N})(\p{Lu})/gu, "$1 $2")
    .replaceAll(/(\p{Lu})(\p{Lu}\p{Ll})/gu, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}\p{N}\p{M}]+/u)
    .filter((word) => word !== "");
  return words.reduce<string[]>((all, word) => {
    const joined = JOINED.exec(`${all.at(-1) ?? ""} ${word}`);
    return joined === null ? [...all, word] : [...all.slice(0, -1), `${joined[1]}${joined[2]}`];
  }, []);
}

function singular(word: string): string {
  if (word.endsWith("ies") && word.length > 4) return `${word.slice(0, -3)}y`;
  return word.length > 3 && /[^su]s$/.test(word) ? word.slice(0, -1) : word;
}

function formsOf(verb: string): string[] {
  const stem = verb.endsWith("e") ? verb.slice(0, -1) : verb;
  const doubled = /[aeiou][pt]$/.test(verb) ? [`${verb}${verb.at(-1)}ed`, `${verb}${verb.at(-1)}ing`] : [];
  const past = verb.endsWith("y") ? `${verb.slice(0, -1)}ied` : `${stem}ed`;
  const irregular = Object.keys(IRREGULAR).filter((form) => IRREGULAR[form] === verb);
  return [verb, `${verb}s`, past, `${stem}ing`, ...doubled, ...irregular];
}

import { wordsOf, wordsOfSource } from "../../src/store/words.ts";
import type { Said } from "../store/cells.ts";

/** What a reader sees of an event as it was sent: written anew here, so that it can disagree with the code. */
export type Seen = { said: Said; values: Record<string, readonly string[]>; at: number; texts: string[][] };

/** What the service says of quarantines and of stopping reading: no quarantine hides it. */
const TOLD = /^indelible\.(quarantine|reads)\./;

/** `personal`: whether personal sections are seen. `hidden`: the event is under quarantine: only its leaf is seen. */
export function seenBy(said: Said, { personal, hidden }: { personal: boolean; hidden: boolean }): Seen {
  const leaf = { category: [said.category ?? "general"], source: [said.source ?? "client"] };
  const sequenced = said.sequenced_at ?? "";
  if (hidden && !(said.source === "service" && TOLD.test(said.action)))
    return { said, values: leaf, at: Date.parse(sequenced), texts: [] };
  const { action, actor, on_behalf_of, targets = [], context } = said;
  const parts = action.split(".");
  const values = {
    ...leaf,
    actor: actor === undefined ? [] : [actor.id],
    on_behalf_of: on_behalf_of === undefined ? [] : [on_behalf_of.id],
    action: [action, ...parts.slice(1).map((_, n) => `${parts.slice(0, n + 1).join(".")}.*`)],
    target: targets.map(({ id }) => id),
    target_type: targets.map(({ type }) => type),
    result: [said.result ?? "success"],
    ...(personal && context !== undefined
      ? Object.fromEntries(Object.entries(context).map(([name, value]) => [name, [value]]))
      : {}),
  };
  return { said, values, at: Date.parse(said.occurred_at ?? sequenced), texts: textsOf(said, personal) };
}

function textsOf(said: Said, personal: boolean): string[][] {
  const { actor, on_behalf_of, targets = [] } = said;
  const parties = [actor, on_behalf_of, ...targets].filter((party) => party !== undefined);
  const open = [said.action, said.reason, ...parties.flatMap(({ type, id }) => [type, id])];
  const closed = personal
    ? [...parties.flatMap(({ name, email }) => [name, email]), ...Object.values(said.context ?? {})]
    : [];
  const sources = [said.metadata, ...(personal ? parties.map(({ metadata }) => metadata) : [])];
  const present = (text: string | undefined) => text !== undefined;
  return [
    ...[...open, ...closed].filter(present).map((text) => wordsOf(text)),
    ...sources.filter(present).map((text) => wordsOfSource(text)),
  ];
}

export type Test = (seen: Seen) => boolean;

export function hasAny(field: string, values: readonly string[]): Test {
  return (seen) => values.some((value) => seen.values[field]?.includes(value) ?? false);
}

export function hasPhrase(text: string): Test {
  const [first = "", ...rest] = wordsOf(text);
  const within = (words: string[]) => {
    for (let at = words.indexOf(first); at >= 0; at = words.indexOf(first, at + 1)) {
      if (rest.every((word, n) => words[at + 1 + n] === word)) return true;
    }
    return false;
  };
  return ({ texts }) => texts.some(within);
}

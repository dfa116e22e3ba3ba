import { openEntry, parseRecord } from "../../../src/chain/open.ts";
import { sha256 } from "../../../src/sha256.ts";
import { CASE, goneOf, type Lived, type Past } from "./life.ts";

/** Indexes of events whose lines do not show what was sent, character for character, or that have none. */
export async function differing(lines: AsyncIterable<string>, lived: readonly Lived[]): Promise<number[]> {
  const at = new Map(lived.map((one) => [one.index, one]));
  const wrong: number[] = [];
  for await (const text of lines) {
    const { proof: _, ...line } = JSON.parse(text);
    const record = parseRecord(JSON.stringify(line));
    const opened = record === null ? null : openEntry(sha256, record);
    if (opened?.ok !== true) throw new Error(`no record: ${text}`);
    const { leaf, event, actor, on_behalf_of, targets, note, context, metadata } = opened.entry;
    const one = at.get(leaf.index);
    if (one === undefined && leaf.source === "service") continue;
    at.delete(leaf.index);
    const { said } = one ?? {};
    const shown = { action: event?.action, actor, on_behalf_of, targets, reason: note?.reason, context, metadata };
    const sent = {
      ...{ action: said?.action, actor: said?.actor, on_behalf_of: said?.on_behalf_of ?? null },
      ...{ targets: said?.targets, reason: said?.reason, context: said?.context, metadata: said?.metadata },
    };
    if (spelt(shown) !== spelt(sent)) wrong.push(leaf.index);
  }
  return [...wrong, ...at.keys()];
}

/** A value in one spelling, whatever the order of its members. */
function spelt(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** What the table of `TABLED` has to hold of an event. */
export const TABLED = {
  filter: { action: ["document.*"], "-result": ["success"], source: "client" },
  from: CASE.from,
  to: CASE.to,
};

export function isTabled({ said: { action, result, occurred_at, sequenced_at } }: Lived): boolean {
  const at = Date.parse(occurred_at ?? sequenced_at ?? "");
  const within = at >= Date.parse(CASE.from) && at <= Date.parse(CASE.to);
  return within && action.startsWith("document.") && result !== "success";
}

type Absent = { section: string; cause: "erased" | "expired" | "withheld"; by?: number };

/**
 * Looks at the lines of a copy: what is absent of each is what has to have gone, by one of the entries `by` that say so.
 * Of the service's own entries notes may be erased: those that quote somebody.
 */
export function absencesOf(lived: readonly Lived[], past: Past, by: Record<"erased" | "expired", readonly number[]>) {
  const at = new Map(lived.map((one) => [one.index, one]));
  const counted = { erased: 0, expired: 0, withheld: 0 };
  const wrong: string[] = [];
  const look = (line: string): void => {
    const { leaf, absent = [] } = JSON.parse(line) as { leaf: string; absent?: Absent[] };
    const { index } = JSON.parse(leaf) as { index: number };
    for (const one of absent) {
      counted[one.cause]++;
      const known = one.cause !== "withheld" && one.by !== undefined && by[one.cause].includes(one.by);
      if (!known) wrong.push(`${one.section} of ${index} by ${one.by}`);
    }
    const found = absent.map(({ section, cause }) => `${section} ${cause}`);
    const event = at.get(index);
    const gone = event === undefined ? null : goneOf(event, past);
    const right = gone?.sections.map((name) => `${name} ${gone.cause}`) ?? [];
    const asRight = event === undefined ? found.every((one) => one === "note erased") : sorted(found) === sorted(right);
    if (!asRight) wrong.push(`${index} lacks ${sorted(found)}, not ${sorted(right)}`);
  };
  return { counted, wrong, look };
}

function sorted(texts: readonly string[]): string {
  return texts.toSorted().join(", ");
}

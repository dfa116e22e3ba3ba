import { type Order, type Span, spansOf, spansStatement } from "./entry-page.ts";

type Bounds = { low: number; high: number };

/**
 * The keys of `bounds` slot by slot, in order: each run holds every key from its first to its last. `spans` are those of
 * the slots within `bounds`. A slot holds months 16 apart, so it may come more than once: what lies between two of its
 * runs is in other slots, and the spans are asked for again. `last`: no key comes after this run.
 */
export async function* runsOf(
  cell: D1Database,
  spans: readonly Span[],
  { order, ...bounds }: Bounds & { order: Order },
): AsyncGenerator<{ run: Span; last: boolean }> {
  for (let left = spans; ; ) {
    const [first, ...others] = left.toSorted((a, b) => (order === "desc" ? b.high - a.high : a.low - b.low));
    if (first === undefined) return;
    const run = order === "desc" ? topOf(first, others) : bottomOf(first, others);
    yield { run, last: others.length === 0 };
    const rest = order === "desc" ? { low: bounds.low, high: run.low } : { low: run.high, high: bounds.high };
    const edge = order === "desc" ? rest.high : rest.low;
    const split = left.some(({ low, high }) => low < edge && edge < high);
    left = split
      ? await readSpans(cell, left, rest)
      : left.filter(({ low, high }) => low >= rest.low && high <= rest.high);
  }
}

/** The part of a span that none of the others reaches into, one key at least: two rows of one key are one entry. */
function topOf(first: Span, others: readonly Span[]): Span {
  const low = Math.max(first.low, ...others.map(({ high }) => high));
  return { ...first, low: Math.min(low, first.high - 1) };
}

function bottomOf(first: Span, others: readonly Span[]): Span {
  const high = Math.min(first.high, ...others.map(({ low }) => low));
  return { ...first, high: Math.max(high, first.low + 1) };
}

async function readSpans(cell: D1Database, spans: readonly Span[], bounds: Bounds): Promise<Span[]> {
  const slots = spans.map(({ slot }) => slot);
  const row = await spansStatement(cell, slots, bounds).first<Record<string, number | null>>();
  return spansOf(row ?? undefined, slots);
}

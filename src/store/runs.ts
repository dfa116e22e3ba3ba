import { type Order, type Span, spansOf, spansStatement } from "./entry-page.ts";

type Bounds = { low: number; high: number };

/** A run, and those that follow it as far as is known. `last`: no key comes after this run. */
type Run = { run: Span; ahead: readonly Span[]; last: boolean };

/**
 * The keys of `bounds` slot by slot, in order: each run holds every key from its first to its last. `spans` are those of
 * the slots within `bounds`. A slot holds months 16 apart, so it may come more than once: what lies between two of its
 * runs is in other slots, and the spans are asked for again.
 */
export async function* runsOf(
  cell: D1Database,
  spans: readonly Span[],
  { order, ...bounds }: Bounds & { order: Order },
): AsyncGenerator<Run> {
  for (let left = spans; left.length > 0; ) {
    const { runs, split } = stretchOf(left, { order, ...bounds });
    for (const [n, run] of runs.entries()) {
      const ahead = runs.slice(n + 1);
      yield { run, ahead, last: split === null && ahead.length === 0 };
    }
    left = split === null ? [] : await readSpans(cell, split.left, split.bounds);
  }
}

/** Runs up to the first that reaches into another span: of those in `left` only what lies within `bounds` is still ahead then. */
function stretchOf(
  spans: readonly Span[],
  { order, ...bounds }: Bounds & { order: Order },
): { runs: Span[]; split: { left: readonly Span[]; bounds: Bounds } | null } {
  const runs: Span[] = [];
  for (let left = spans; ; ) {
    const [first, ...others] = left.toSorted((a, b) => (order === "desc" ? b.high - a.high : a.low - b.low));
    if (first === undefined) return { runs, split: null };
    const run = order === "desc" ? topOf(first, others) : bottomOf(first, others);
    runs.push(run);
    if (others.length === 0) return { runs, split: null };
    const rest = order === "desc" ? { low: bounds.low, high: run.low } : { low: run.high, high: bounds.high };
    const edge = order === "desc" ? rest.high : rest.low;
    if (left.some(({ low, high }) => low < edge && edge < high)) return { runs, split: { left, bounds: rest } };
    left = left.filter(({ low, high }) => low >= rest.low && high <= rest.high);
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

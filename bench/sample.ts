/** What several rounds of one measurement came to. */
export type Sample = { median: number; min: number; max: number; rounds: number };

export function sampleOf(values: readonly number[]): Sample {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    min: sorted[0] ?? Number.NaN,
    max: sorted.at(-1) ?? Number.NaN,
    rounds: sorted.length,
  };
}

/** The smallest value that at least `share` of the sorted values do not exceed. */
export function quantile(sorted: readonly number[] | Float64Array, share: number): number {
  const place = Math.max(0, Math.ceil(sorted.length * share) - 1);
  return sorted[place] ?? Number.NaN;
}

/** Numbers that look random and are the same in each run (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Choices that look random and are the same in each run. */
export function choicesOf(seed: number) {
  const random = randomOf(seed);
  const below = (end: number) => Math.floor(random() * end);
  return {
    below,
    chance: (part: number) => random() < part,
    pick: <T>(values: readonly T[]): T => values[below(values.length)] as T,
    /** From the first of many much oftener than from the last. */
    skewed: <T>(values: readonly T[]): T => values[Math.floor(values.length * random() ** 3)] as T,
    some: <T>(part: number, value: () => T): T | undefined => (random() < part ? value() : undefined),
    many: <T>(max: number, value: () => T): T[] => Array.from({ length: below(max + 1) }, value),
  };
}
export type Choices = ReturnType<typeof choicesOf>;

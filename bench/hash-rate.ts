import { sha256 } from "../src/sha256.ts";
import type { Hashed } from "./stages/hashed.ts";

const HASH_MS = 500;

/** Entries whose hashes one thread makes in a second, in inputs that do not fit the CPU's nearest cache. */
export function hashRate(inputs: readonly Hashed[]): number {
  const began = performance.now();
  let entries = 0;
  while (performance.now() - began < HASH_MS) {
    for (const input of inputs) for (const bytes of input) sha256(bytes);
    entries += inputs.length;
  }
  return (entries * 1000) / (performance.now() - began);
}

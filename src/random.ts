import { randomFillSync } from "node:crypto";
import { assert } from "./errors.ts";

/** What `randomFillSync` fills in one call: a few bytes at a time would cost a call into the runtime each. */
const POOL_BYTES = 65_536;

const pool = new Uint8Array(POOL_BYTES);
let used = POOL_BYTES;

/** Fresh random bytes, each given out once; valid until the next call, at most 65,536. */
export function takeRandom(bytes: number): Uint8Array {
  assert(bytes <= POOL_BYTES, "the bytes asked for fit the pool");
  if (used + bytes > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  used += bytes;
  return pool.subarray(used - bytes, used);
}

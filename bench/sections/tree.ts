import type { Bench, Table } from "../bench.ts";
import { proofs } from "./tree/proofs.ts";
import { operations } from "./tree/operations.ts";
import { appendsWithout } from "./tree/without.ts";
import { wholeLog } from "./tree/whole-log.ts";

/** What the tree costs appends and in R2, and how long its proofs and a verification of all of it take. */
export async function tree(bench: Bench): Promise<Table[]> {
  return [await appendsWithout(bench), await operations(bench), await proofs(bench), await wholeLog(bench)];
}

import { base64url } from "../chain/encoding.ts";
import { genesisPrev } from "../chain/genesis.ts";
import { opens, readRow } from "../chain/verify-row.ts";
import type { LogGrant } from "../schema/ledger.ts";
import { sha256 } from "../sha256.ts";
import { monthOf, slotOf } from "../store/slot.ts";
import type { Right } from "./judge-rows.ts";

/** `foreign`: the line at fault says itself that it is another log's. */
type Vouched = { ok: true; value: Right[] } | { ok: false; index: number; foreign: boolean; why: string };

/** What has to lie at the indexes `first…`: lines that open, each named by the one after it, the last one by `expect`. */
export function vouchedLines(
  { log, predecessor }: Pick<LogGrant, "log" | "predecessor">,
  { first, lines, expect }: { first: number; lines: readonly string[]; expect: string },
): Vouched {
  const rights: Right[] = [];
  let trusted = expect;
  for (let n = lines.length - 1; n >= 0; n--) {
    const line = lines[n] as string;
    const index = first + n;
    const row = readRow(sha256, log, { index, line });
    if (row.claim !== "own" || row.hash !== trusted || !opens(sha256, row)) {
      const why = `Entry ${index} as the ledger or R2 holds it is not the one its successor names`;
      return { ok: false, index, foreign: row.claim === "foreign", why };
    }
    const { prev, sequenced_at } = row.leaf;
    const sequencedAt = Date.parse(sequenced_at);
    rights.push({ line, hash: trusted, prev, sequencedAt, slot: slotOf(monthOf(sequencedAt)) });
    trusted = prev;
  }
  if (first === 0 && trusted !== base64url(genesisPrev(sha256, { origin: log, predecessor }))) {
    const why = "Entry 0 as the ledger holds it does not begin this log";
    return { ok: false, index: 0, foreign: false, why };
  }
  return { ok: true, value: rights.reverse() };
}

import type { Config } from "../env.ts";
import { NOT_FOUND, ok, type Result } from "../errors.ts";
import type { LedgerPlacement, LogGrant, ReadGrant } from "../schema/ledger.ts";
import { monthOf } from "../store/slot.ts";

/** An org's logs, the newest first. Most have one. */
export function logsOf(grant: ReadGrant): LogGrant[] {
  return [grant, ...grant.earlier];
}

/** The log of this number, or (null) the newest. */
export function logOf(grant: ReadGrant, number: number | null): Result<LogGrant> {
  const found = number === null ? grant : logsOf(grant).find((log) => log.number === number);
  return found === undefined ? NOT_FOUND : ok(found);
}

/** The months the entries of a log were sequenced in, by the later of both clocks: none may be passed over. */
export function monthsOf({ created_at, head_at }: LogGrant): { from: number; to: number } {
  return { from: monthOf(created_at), to: Math.max(monthOf(head_at), monthOf(Date.now())) };
}

/** The cell a placement is in. */
export function cellOf(config: Config, { cell }: LedgerPlacement): D1Database {
  const found = config.cells.get(cell);
  if (found === undefined) throw new Error(`binding ${cell} is missing`);
  return found;
}

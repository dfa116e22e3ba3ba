import type { Core } from "./core.ts";
import { loadState } from "./state.ts";

/**
 * Runs `write` in one synchronous transaction. When it throws, nobody knows whether anything was stored: memory is read
 * anew, for storage wins. Every write of a ledger goes through here, so that none comes from a log that was continued.
 */
export function transact<T>(
  { state, storage, retired }: Pick<Core, "state" | "storage" | "retired">,
  write: () => T,
): T {
  if (retired) throw new Error("the log was continued as a new one");
  try {
    return storage.transactionSync(write);
  } catch (error) {
    const { projected } = state;
    Object.assign(state, loadState(storage.sql), { projected });
    throw error;
  }
}

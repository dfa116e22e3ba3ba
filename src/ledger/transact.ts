import type { Core } from "./core.ts";
import { loadState } from "./state.ts";

/**
 * Runs `write` in one synchronous transaction. When it throws, nobody knows whether anything was stored: memory is read
 * anew, for storage wins.
 */
export function transact<T>({ state, storage }: Pick<Core, "state" | "storage">, write: () => T): T {
  try {
    return storage.transactionSync(write);
  } catch (error) {
    const { projected } = state;
    Object.assign(state, loadState(storage.sql), { projected });
    throw error;
  }
}

import type { Config } from "../env.ts";
import { type TermKey, termKeyOf } from "../store/terms.ts";
import type { State } from "./state.ts";

/** What the parts of one ledger share. `state` is what memory holds of storage; it is replaced, never guessed. */
export type Core = {
  readonly config: Config;
  readonly storage: DurableObjectStorage;
  readonly state: State;
  readonly termKey: TermKey;
  /** The log has been continued: what still runs for the old one may write nothing any more. */
  retired: boolean;
  /** Why a rewound ledger cannot be rolled forward; null when it can, or need not. */
  stuck: string | null;
  now(): number;
};

export function coreOf(config: Config, storage: DurableObjectStorage, state: State): Core {
  return {
    config,
    storage,
    state,
    termKey: termKeyOf(config.indexKey, state.org.org),
    retired: false,
    stuck: null,
    now: () => Date.now(),
  };
}

import type { Config } from "../env.ts";
import { TERM_KEYS_MAX_COUNT } from "../limits.ts";
import { type TermKey, termKeyOf } from "../store/terms.ts";

/** Keys of the orgs this isolate was asked for, the one used last at the end. */
const known = new Map<string, TermKey>();

/** An org's key to its search tokens: derived once while it is in use. */
export function knownTermKey({ indexKey }: Config, org: string): TermKey {
  const id = `${indexKey}\0${org}`;
  const key = known.get(id) ?? termKeyOf(indexKey, org);
  known.delete(id);
  known.set(id, key);
  if (known.size > TERM_KEYS_MAX_COUNT) known.delete(known.keys().next().value as string);
  return key;
}

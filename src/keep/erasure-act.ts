import { KEY_ACTOR } from "../schema/caller.ts";

/** An act of an erasure, by a key; nothing of it names the subject. */
export function erasureAct<A extends string>(
  action: A,
  { id, key, reason }: { id: string; key: string; reason: string },
) {
  return {
    action,
    actor: { type: KEY_ACTOR, id: key },
    key,
    targets: [{ type: "erasure", id }],
    note: { reason },
  };
}

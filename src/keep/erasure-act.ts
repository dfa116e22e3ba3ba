import { KEY_ACTOR } from "../schema/caller.ts";

const SERVICE = "service";

/** An act of an erasure, by a key or the service itself; nothing of it names the subject. */
export function erasureAct<A extends string>(
  action: A,
  { id, key, reason }: { id: string; key: string; reason: string },
) {
  return {
    action,
    actor: key === SERVICE ? { type: SERVICE, id: "erasure" } : { type: KEY_ACTOR, id: key },
    key,
    targets: [{ type: "erasure", id }],
    note: { reason },
  };
}

import type { SectionText } from "../chain/record.ts";
import { newServiceEventId } from "../ids.ts";
import type { Act } from "../schema/act.ts";
import type { Draft, Sealed } from "./draft.ts";

/** Seals an act as an entry of source `service`; only the ledger's own methods can. */
export function sealAct(draft: Draft, act: Act, now: number): Sealed {
  const sections: SectionText[] = [
    {
      name: "event",
      text: JSON.stringify({
        action: act.action,
        actor: { type: act.actor.type },
        targets: act.targets?.map(({ type, role }) => ({ type, role })),
        category: act.category,
        received_at: new Date(now).toISOString(),
        key: act.key,
        id: newServiceEventId(),
      }),
    },
    { name: "actor", text: JSON.stringify({ id: act.actor.id }) },
    ...(act.targets ?? []).map(({ id }, n) => ({ name: `target/${n}`, text: JSON.stringify({ id }) })),
  ];
  if (act.note !== undefined) sections.push({ name: "note", text: JSON.stringify(act.note) });
  if (act.context !== undefined) sections.push({ name: "context", text: JSON.stringify(act.context) });
  if (act.metadata !== undefined) sections.push({ name: "metadata", text: JSON.stringify(act.metadata) });
  const forever = act.forever === true;
  return draft.seal({ source: "service", category: act.category, sentCategory: null, forever, sections });
}

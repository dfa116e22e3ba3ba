import type { OpenedEntry } from "../chain/open.ts";
import type { EntryFilter } from "../store/match.ts";
import { occurredMsOf } from "../store/terms.ts";

/** Whether a filter holds for an opened entry: exactly, where the index only proposes. */
export function matches(filter: EntryFilter, entry: OpenedEntry): boolean {
  const { event, context } = entry;
  const action = event?.action;
  const among = (values: string[] | undefined, found: readonly (string | null | undefined)[]) =>
    values === undefined || values.some((value) => found.includes(value));
  if (!among(filter.id, [entry.id])) return false;
  if (!among(filter.actor, [entry.actor?.id])) return false;
  if (!among(filter.on_behalf_of, [entry.on_behalf_of?.id])) return false;
  if (
    !among(
      filter.target,
      entry.targets.map(({ id }) => id),
    )
  )
    return false;
  if (
    !among(
      filter.target_type,
      entry.targets.map(({ type }) => type),
    )
  )
    return false;
  const { about } = filter;
  if (
    about !== undefined &&
    !about.some(({ type, id }) => entry.targets.some((one) => one.type === type && one.id === id))
  )
    return false;
  if (!among(filter.category, [entry.leaf.category])) return false;
  if (!among(filter.source, [entry.leaf.source])) return false;
  if (!among(filter.result, [event === null ? null : (event.outcome?.result ?? "success")])) return false;
  if (!among(filter.ip, [context?.["ip"]])) return false;
  if (!among(filter.session_id, [context?.["session_id"]])) return false;
  if (!among(filter.request_id, [context?.["request_id"]])) return false;
  if (filter.action !== undefined && !filter.action.some((wanted) => actionMatches(wanted, action))) return false;
  const at = occurredMsOf(entry);
  return (filter.from === undefined || at >= filter.from) && (filter.to === undefined || at <= filter.to);
}

/** `user.*` holds for everything below `user`, not for `user` itself. */
function actionMatches(wanted: string, action: string | undefined): boolean {
  if (action === undefined) return false;
  return wanted.endsWith(".*") ? action.startsWith(wanted.slice(0, -1)) : action === wanted;
}

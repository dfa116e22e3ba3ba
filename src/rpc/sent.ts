import { refuse, type Result } from "../errors.ts";
import { heldBy, type ParsedEvent } from "../ingest/parse-events.ts";
import { parseEventValues } from "../ingest/parse-values.ts";
import { countFailed } from "../meter.ts";
import { idempotencyKeySchema } from "../schema/names.ts";
import { type Binding, bindingOf } from "./binding.ts";

type Sent = { caller: Binding; events: ParsedEvent[]; idempotencyKey: string | null };

/** What a binding with these props sends: events, and the key they are sent under. */
type Sending = { props: unknown; org: string; events: unknown; idempotency_key: string | undefined };

/** Events a caller may send; what is refused here is counted, what goes on is by who takes it. */
export function sentBy(sending: Sending): Result<Sent> {
  const sent = read(sending);
  if (!sent.ok) countFailed(sent.refusal.code, sent.held);
  return sent;
}

function read({ props, org, events, idempotency_key }: Sending): Result<Sent> & { held: number } {
  const held = heldBy(events);
  const caller = bindingOf(props, org, "events:append");
  if (!caller.ok) return { ...caller, held };
  const key = idempotencyKeySchema.optional().safeParse(idempotency_key);
  if (!key.success) {
    return { ...refuse("invalid_request", `idempotency_key ${key.error.issues[0]?.message}.`), held };
  }
  const parsed = parseEventValues(events);
  if (!parsed.ok) return parsed;
  return { ...parsed, value: { caller: caller.value, events: parsed.value, idempotencyKey: key.data ?? null } };
}

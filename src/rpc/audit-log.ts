import { WorkerEntrypoint } from "cloudflare:workers";
import { configOf } from "../env.ts";
import { ok, refuse, type Refusal, type Result } from "../errors.ts";
import { enqueue } from "../ingest/enqueue.ts";
import { parseEventValues } from "../ingest/parse-values.ts";
import { submit } from "../ingest/submit.ts";
import { getEntry } from "../query/get-entry.ts";
import { listEntries } from "../query/list-entries.ts";
import { parseListQuery } from "../query/query.ts";
import type { Reader } from "../query/traced.ts";
import { type BindingProps, bindingPropsSchema } from "../schema/binding.ts";
import type { Caller, Scope } from "../schema/caller.ts";
import type { Appended } from "../schema/ledger.ts";
import { idempotencyKeySchema, orgSchema, PLATFORM_ORG } from "../schema/names.ts";
import { verifyLog, type VerifyReport } from "../verify/verify-log.ts";

type Options = { idempotency_key?: string; reason?: string };

/**
 * The door for other Workers. What a caller may do comes from the binding's `props`, which only who deploys can set;
 * errors are values with the codes of the HTTP API.
 */
export class AuditLog extends WorkerEntrypoint<Env, BindingProps> {
  /** Seals events, one or up to 1,000: durable and sequenced when it answers `ok`. */
  async append(org: string, events: unknown, options: Options = {}): Promise<Result<Appended>> {
    const caller = this.#caller(org, "events:append");
    if (!caller.ok) return caller;
    const key = idempotencyKeyOf(options);
    if (!key.ok) return key;
    const parsed = parseEventValues(events);
    if (!parsed.ok) return parsed;
    const cut = parsed.value.map((event) => event.cut);
    const { value: sender } = caller;
    const received_at = Date.now();
    const delivery = "binding";
    return submit(configOf(this.env), {
      org,
      caller: sender,
      events: cut,
      idempotencyKey: key.value,
      delivery,
      received_at,
    });
  }

  /** Hands events over and goes on. It never throws into the caller: whatever happens comes back as a value. */
  async enqueue(org: string, events: unknown, options: Options = {}): Promise<Result<{ id: string }[]>> {
    try {
      const caller = this.#caller(org, "events:append");
      if (!caller.ok) return caller;
      const key = idempotencyKeyOf(options);
      if (!key.ok) return key;
      const parsed = parseEventValues(events);
      if (!parsed.ok) return parsed;
      const sender = caller.value;
      return await enqueue(configOf(this.env), {
        org,
        caller: sender,
        key: sender.name,
        events: parsed.value,
        idempotencyKey: key.value,
        delivery: "binding",
        received_at: Date.now(),
      });
    } catch (error) {
      console.error({ message: "enqueue failed", org, error: String(error) });
      return refuse("internal", "The events could not be handed over; they are not in the log.");
    }
  }

  /** A page of entries; `query` has the names of the HTTP API's parameters, lists where those may be repeated. */
  async list(org: string, query: Record<string, string | number | string[]> = {}, options: Options = {}) {
    const reader = this.#reader(org, options);
    if (!reader.ok) return reader;
    const params = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      for (const one of Array.isArray(value) ? value : [value]) params.append(name, String(one));
    }
    const parsed = parseListQuery(params);
    if (!parsed.ok) return parsed;
    const page = await listEntries(configOf(this.env), reader.value, parsed.value);
    if (!page.ok) return page;
    const { texts, next_cursor, visible_size } = page.value.answer;
    return ok({ data: texts, next_cursor, visible_size, read_index: page.value.read_index });
  }

  /** One entry by id or index, as JSON text, so that its free values are what was sent; null when there is none. */
  async get(org: string, id: string | number, options: Options = {}): Promise<Result<string | null>> {
    const reader = this.#reader(org, options);
    if (!reader.ok) return reader;
    const found = await getEntry(configOf(this.env), reader.value, String(id));
    return found.ok ? ok(found.value.answer) : found;
  }

  /** Checks a range and answers the report. */
  async verify(
    org: string,
    range: { from?: number; to?: number; expect?: string } = {},
  ): Promise<Result<VerifyReport>> {
    const reader = this.#reader(org, {});
    if (!reader.ok) return reader;
    const { from = 0, to = null, expect = null } = range;
    const begun = await verifyLog(configOf(this.env), reader.value, { from, to, expect });
    if (!begun.ok) return begun;
    for await (const step of begun.value.steps) if ("report" in step) return ok(step.report);
    return refuse("internal", "Verification ended without a report.");
  }

  #caller(org: unknown, scope: Scope): Result<Extract<Caller, { kind: "trusted" }>> {
    const props = bindingPropsSchema.safeParse(this.ctx.props);
    if (!props.success) return { ok: false, refusal: NO_PROPS };
    const { name, orgs, scopes } = props.data;
    if (!scopes.includes(scope)) return refuse("forbidden", `This binding lacks the scope ${scope}.`);
    const known = orgSchema.safeParse(org);
    const may = known.success && (orgs === "*" ? known.data !== PLATFORM_ORG : orgs.includes(known.data));
    if (!may) return refuse("not_found", "There is nothing here, or it is not yours.");
    return ok({ kind: "trusted", name, scopes, orgs });
  }

  #reader(org: string, { reason }: Options): Result<Reader> {
    const caller = this.#caller(org, "events:read");
    return caller.ok ? ok({ org, caller: caller.value, network: {}, reason: reason ?? null }) : caller;
  }
}

const NO_PROPS: Refusal = {
  code: "forbidden",
  detail: "This binding has no props { name, orgs, scopes }: who deploys has to set them.",
};

function idempotencyKeyOf({ idempotency_key }: Options): Result<string | null> {
  if (idempotency_key === undefined) return ok(null);
  const key = idempotencyKeySchema.safeParse(idempotency_key);
  return key.success
    ? ok(key.data)
    : refuse("invalid_request", `idempotency_key ${key.error.issues[0]?.message ?? ""}.`);
}

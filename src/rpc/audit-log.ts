import { WorkerEntrypoint } from "cloudflare:workers";
import * as z from "zod";
import { type Config, configOf } from "../env.ts";
import { ok, refuse, type Result } from "../errors.ts";
import { enqueue } from "../ingest/enqueue.ts";
import { heldBy, type ParsedEvent } from "../ingest/parse-events.ts";
import { parseEventValues } from "../ingest/parse-values.ts";
import { submit } from "../ingest/submit.ts";
import { LOG_MAX_ENTRIES } from "../limits.ts";
import { log } from "../log.ts";
import { countFailed } from "../meter.ts";
import { flushMetrics } from "../watch/flush-metrics.ts";
import { mintViewerToken } from "../policy/viewer-tokens.ts";
import { getEntry } from "../query/get-entry.ts";
import { history, parseHistoryQuery } from "../query/history.ts";
import { type Inventory, listActions } from "../query/list-actions.ts";
import { type EntryList, listEntries } from "../query/list-entries.ts";
import { parseListQuery } from "../query/query.ts";
import { type Stats, stats } from "../query/stats.ts";
import { parseDaysQuery, parseStatsQuery } from "../query/stats-query.ts";
import type { Reader } from "../query/traced.ts";
import { type BindingProps, bindingPropsSchema } from "../schema/binding.ts";
import type { Scope } from "../schema/caller.ts";
import type { Appended } from "../schema/ledger.ts";
import { idempotencyKeySchema } from "../schema/names.ts";
import { misshapen } from "../schema/misshapen.ts";
import { newViewerTokenSchema, type ViewerToken } from "../schema/viewer-token.ts";
import { proveEntry } from "../verify/prove-entry.ts";
import { viewOf } from "../verify/tree-view.ts";
import { verifyLog, type VerifyReport } from "../verify/verify-log.ts";
import { type Binding, bindingOf, bindingReader } from "./binding.ts";
import { type Query, paramsOf } from "./params.ts";

type Options = { idempotency_key?: string; reason?: string };
/** A page: `data` holds entries as JSON texts, so that their free values are what was sent. */
type Page = Omit<EntryList, "texts"> & { data: string[]; read_index: number | null };
type HistoryPage = Page & { state: string | null };
type Sent = { caller: Binding; events: ParsedEvent[]; idempotencyKey: string | null };

const indexSchema = z.int().min(0).max(LOG_MAX_ENTRIES);
const rangeSchema = z.strictObject({
  from: indexSchema.default(0),
  to: indexSchema.nullable().default(null),
  expect: z
    .string()
    .regex(/^[A-Za-z0-9_-]{43}$/)
    .nullable()
    .default(null),
});

/**
 * The door for other Workers. What a caller may do comes from the binding's `props`, which only who deploys can set.
 * No method throws into its caller: errors are values with the codes of the HTTP API.
 */
export class AuditLog extends WorkerEntrypoint<Env, BindingProps> {
  /** Seals one event or up to 1,000: durable and sequenced when it answers `ok`. */
  append(org: string, events: unknown, options: Options = {}): Promise<Result<Appended>> {
    return this.#valued("append", (config) => {
      const sent = this.#sent(org, events, options);
      if (!sent.ok) return sent;
      const { caller, idempotencyKey } = sent.value;
      const cut = sent.value.events.map((event) => event.cut);
      const received_at = Date.now();
      return submit(config, { org, caller, events: cut, idempotencyKey, delivery: "binding", received_at }, this.ctx);
    });
  }

  /** Hands events over and goes on: durable, with ids, when it answers `ok`. */
  enqueue(org: string, events: unknown, options: Options = {}): Promise<Result<{ id: string }[]>> {
    return this.#valued("enqueue", (config) => {
      const sent = this.#sent(org, events, options);
      if (!sent.ok) return sent;
      const received_at = Date.now();
      return enqueue(config, { org, ...sent.value, sequenced: [], delivery: "binding", received_at });
    });
  }

  /** A page of entries; `query` has the names of the HTTP API's parameters, with lists where those may be repeated. */
  list(org: string, query: Query = {}, options: Options = {}): Promise<Result<Page>> {
    return this.#asked("list", { org, query, options }, parseListQuery, async (config, reader, asked) => {
      const page = await listEntries(config, reader, asked);
      if (!page.ok) return page;
      const { texts, ...listed } = page.value.answer;
      return ok({ data: texts, ...listed, read_index: page.value.read_index });
    });
  }

  /** One entry by id or index, as JSON text; null when there is none. */
  get(org: string, id: string | number, options: Options = {}): Promise<Result<string | null>> {
    return this.#valued("get", async (config) => {
      const reader = this.#reader(org, options);
      if (!reader.ok) return reader;
      const found = await getEntry(config, reader.value, String(id));
      return found.ok ? ok(found.value.answer) : found;
    });
  }

  /** A page of the entries that name a target in any role; `state`, JSON text, is the target rebuilt from all of them. */
  history(
    org: string,
    type: string,
    id: string,
    query: Query = {},
    options: Options = {},
  ): Promise<Result<HistoryPage>> {
    const parse = (params: URLSearchParams) => parseHistoryQuery({ type, id }, params);
    return this.#asked("history", { org, query, options }, parse, async (config, reader, asked) => {
      const found = await history(config, reader, asked);
      if (!found.ok) return found;
      const { texts, ...page } = found.value.answer;
      return ok({ data: texts, ...page, read_index: found.value.read_index });
    });
  }

  /** The actions of an org's log, with their days, counts, categories and versions. */
  actions(org: string, query: Query = {}, options: Options = {}): Promise<Result<Inventory>> {
    return this.#asked("actions", { org, query, options }, parseDaysQuery, async (config, reader, asked) => {
      const found = await listActions(config, reader, asked);
      return found.ok ? ok(found.value.answer) : found;
    });
  }

  /** How many entries, by what `group_by` names. */
  stats(org: string, query: Query, options: Options = {}): Promise<Result<Stats>> {
    return this.#asked("stats", { org, query, options }, parseStatsQuery, async (config, reader, asked) => {
      const found = await stats(config, reader, asked);
      return found.ok ? ok(found.value.answer) : found;
    });
  }

  /** The newest signed checkpoint, a C2SP signed note; null before the first. */
  checkpoint(org: string): Promise<Result<string | null>> {
    return this.#valued("checkpoint", async (config) => {
      const caller = this.#caller(org, "events:read");
      if (!caller.ok) return caller;
      const view = await viewOf(config, { org, caller: caller.value, number: null });
      return view.ok ? ok(view.value.note) : view;
    });
  }

  /** The proof of one entry by id or index, a C2SP tlog-proof; null when there is none. */
  prove(org: string, id: string | number, options: Options = {}): Promise<Result<string | null>> {
    return this.#valued("prove", async (config) => {
      const reader = this.#reader(org, options);
      if (!reader.ok) return reader;
      const proved = await proveEntry(config, reader.value, String(id));
      return proved.ok ? ok(proved.value.answer) : proved;
    });
  }

  /**
   * Mints a token with which one person reads through the HTTP API: `wanted` is what `POST …/viewer-tokens` takes. No key
   * can be revoked to end it, so it holds 15 minutes at most.
   */
  viewerToken(org: string, wanted: unknown): Promise<Result<ViewerToken>> {
    return this.#valued("viewerToken", (config) => {
      const caller = this.#caller(org, "events:read");
      if (!caller.ok) return caller;
      const checked = newViewerTokenSchema.safeParse(wanted);
      if (!checked.success) return misshapen(checked.error, "The token wanted");
      return mintViewerToken(config, org, { caller: caller.value, wanted: checked.data, now: Date.now() });
    });
  }

  /** Checks a range and answers the report. */
  verify(
    org: string,
    range: { from?: number; to?: number; expect?: string } = {},
    options: Options = {},
  ): Promise<Result<VerifyReport>> {
    return this.#valued("verify", async (config) => {
      const reader = this.#reader(org, options);
      if (!reader.ok) return reader;
      const checked = rangeSchema.safeParse(range);
      if (!checked.success) return refuse("invalid_request", "from and to are indexes, expect is an entry hash.");
      const begun = await verifyLog(config, reader.value, { ...checked.data, log: null });
      if (!begun.ok) return begun;
      for await (const step of begun.value.steps) if ("report" in step) return ok(step.report);
      return refuse("internal", "Verification ended without a report.");
    });
  }

  /** Who reads, then what is asked, then the answer. */
  #asked<Q, A>(
    verb: string,
    { org, query, options }: { org: string; query: Query; options: Options },
    parse: (params: URLSearchParams) => Result<Q>,
    answer: (config: Config, reader: Reader, asked: Q) => Promise<Result<A>>,
  ): Promise<Result<A>> {
    return this.#valued(verb, (config) => {
      const reader = this.#reader(org, options);
      if (!reader.ok) return reader;
      const asked = parse(paramsOf(query));
      return asked.ok ? answer(config, reader.value, asked.value) : asked;
    });
  }

  /** Runs a verb; its outcome is a value and a line of telemetry. */
  async #valued<T>(verb: string, act: (config: Config) => Result<T> | Promise<Result<T>>): Promise<Result<T>> {
    const config = configOf(this.env);
    const began = Date.now();
    const outcome = await this.#attempt(verb, () => act(config));
    const code = outcome.ok ? null : outcome.refusal.code;
    const binding = bindingPropsSchema.safeParse(this.ctx.props).data?.name ?? null;
    log("info", { message: "call", verb, binding, code, ms: Date.now() - began });
    this.ctx.waitUntil(flushMetrics(config));
    return outcome;
  }

  async #attempt<T>(verb: string, act: () => Result<T> | Promise<Result<T>>): Promise<Result<T>> {
    try {
      return await act();
    } catch (error) {
      log("error", { message: "a call by binding failed", verb, error: String(error) });
      return refuse("internal", "Something broke on our side; nothing is promised of this call.");
    }
  }

  /** Events a caller may send; what is refused here is counted, what goes on is by who takes it. */
  #sent(org: string, events: unknown, options: Options) {
    const sent = this.#read(org, events, options);
    if (!sent.ok) countFailed(sent.refusal.code, sent.held);
    return sent;
  }

  #read(org: string, events: unknown, { idempotency_key }: Options): Result<Sent> & { held: number } {
    const held = heldBy(events);
    const caller = this.#caller(org, "events:append");
    if (!caller.ok) return { ...caller, held };
    const key = idempotencyKeySchema.optional().safeParse(idempotency_key);
    if (!key.success) {
      return { ...refuse("invalid_request", `idempotency_key ${key.error.issues[0]?.message}.`), held };
    }
    const parsed = parseEventValues(events);
    if (!parsed.ok) return parsed;
    return { ...parsed, value: { caller: caller.value, events: parsed.value, idempotencyKey: key.data ?? null } };
  }

  #caller(org: unknown, scope: Scope): Result<Binding> {
    return bindingOf(this.ctx.props, org, scope);
  }

  #reader(org: string, { reason }: Options): Result<Reader> {
    return bindingReader(this.ctx.props, org, reason);
  }
}

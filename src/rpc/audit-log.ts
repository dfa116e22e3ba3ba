import { WorkerEntrypoint } from "cloudflare:workers";
import type { Config } from "../env.ts";
import { ok, type Result } from "../errors.ts";
import { enqueue } from "../ingest/enqueue.ts";
import { submit } from "../ingest/submit.ts";
import { listQuarantines } from "../policy/quarantines.ts";
import { getReads } from "../policy/reads.ts";
import { mintViewerToken } from "../policy/viewer-tokens.ts";
import { getEntry } from "../query/get-entry.ts";
import { history, parseHistoryQuery } from "../query/history.ts";
import { type Inventory, listActions } from "../query/list-actions.ts";
import { type EntryList, listEntries } from "../query/list-entries.ts";
import { parseListQuery } from "../query/query.ts";
import { type Stats, stats } from "../query/stats.ts";
import { parseDaysQuery, parseStatsQuery } from "../query/stats-query.ts";
import type { Reader } from "../query/traced.ts";
import type { BindingProps } from "../schema/binding.ts";
import type { Scope } from "../schema/caller.ts";
import type { Appended } from "../schema/ledger.ts";
import { misshapen } from "../schema/misshapen.ts";
import type { Quarantine, ReadsView } from "../schema/reads.ts";
import { newViewerTokenSchema, type ViewerToken } from "../schema/viewer-token.ts";
import { proveEntry } from "../verify/prove-entry.ts";
import { viewOf } from "../verify/tree-view.ts";
import type { VerifyReport } from "../verify/verify-log.ts";
import { type Binding, bindingOf, bindingReader } from "./binding.ts";
import { asked, type Options, valued } from "./call.ts";
import type { Query } from "./params.ts";
import { sentBy } from "./sent.ts";
import { verifyRange } from "./verify-range.ts";

/** A page: `data` holds entries as JSON texts, so that their free values are what was sent. */
type Page = Omit<EntryList, "texts"> & { data: string[]; read_index: number | null };
type HistoryPage = Page & { state: string | null };

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
      return verifyRange(config, reader.value, range);
    });
  }

  /** How an org's switch of reading stands. It is turned by keys alone (docs/access.md), so no verb here does. */
  reads(org: string): Promise<Result<ReadsView>> {
    return this.#valued("reads", (config) => {
      const caller = this.#caller(org, "reads:write");
      return caller.ok ? getReads(config, { org, caller: caller.value }) : caller;
    });
  }

  /** An org's windows under quarantine: all that stand, then those released last. */
  quarantines(org: string): Promise<Result<Quarantine[]>> {
    return this.#valued("quarantines", (config) => {
      const caller = this.#caller(org, "events:read");
      return caller.ok ? listQuarantines(config, org, caller.value) : caller;
    });
  }

  #asked<Q, A>(
    verb: string,
    question: { org: string; query: Query; options: Options },
    parse: (params: URLSearchParams) => Result<Q>,
    answer: (config: Config, reader: Reader, asked: Q) => Promise<Result<A>>,
  ): Promise<Result<A>> {
    return asked({ verb, env: this.env, ctx: this.ctx }, question, parse, answer);
  }

  #valued<T>(verb: string, act: (config: Config) => Result<T> | Promise<Result<T>>): Promise<Result<T>> {
    return valued({ verb, env: this.env, ctx: this.ctx }, act);
  }

  #sent(org: string, events: unknown, { idempotency_key }: Options) {
    return sentBy({ props: this.ctx.props, org, events, idempotency_key });
  }

  #caller(org: unknown, scope: Scope): Result<Binding> {
    return bindingOf(this.ctx.props, org, scope);
  }

  #reader(org: string, { reason }: Options): Result<Reader> {
    return bindingReader(this.ctx.props, org, reason);
  }
}

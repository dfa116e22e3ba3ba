import { exports } from "cloudflare:workers";
import type { Config } from "../env.ts";
import type { Result } from "../errors.ts";
import { getEntry } from "../query/get-entry.ts";
import { history, parseHistoryQuery } from "../query/history.ts";
import { type Inventory, listActions } from "../query/list-actions.ts";
import { listEntries } from "../query/list-entries.ts";
import { parseListQuery } from "../query/query.ts";
import { type Stats, stats } from "../query/stats.ts";
import { parseDaysQuery, parseStatsQuery } from "../query/stats-query.ts";
import type { Reader } from "../query/traced.ts";
import { nameOf } from "../schema/caller.ts";
import { proveEntry } from "../verify/prove-entry.ts";
import { readCheckpoint } from "../verify/read-checkpoint.ts";

type Query = Record<string, string>;

/** What is asked of an org's log: entries and states are JSON texts. Each throws when it is refused. */
export type Asker = {
  list: (query: Query) => Promise<string[]>;
  get: (idOrIndex: string) => Promise<string | null>;
  history: (thing: { type: string; id: string }, query: Query) => Promise<{ texts: string[]; state: string | null }>;
  actions: () => Promise<Inventory>;
  stats: (query: Query) => Promise<Stats>;
  prove: (id: string) => Promise<string | null>;
  checkpoint: () => Promise<string | null>;
};

/** Asks as the HTTP API does. */
export function directAsker(config: Config, reader: Reader): Asker {
  const { org, caller } = reader;
  const parsed = <T>(parse: (params: URLSearchParams) => Result<T>, query: Query = {}) =>
    given(parse(new URLSearchParams(query)));
  return {
    list: async (query) => given(await listEntries(config, reader, parsed(parseListQuery, query))).answer.texts,
    get: async (idOrIndex) => given(await getEntry(config, reader, idOrIndex)).answer,
    history: async (thing, query) => {
      const asked = parsed((params) => parseHistoryQuery(thing, params), query);
      return given(await history(config, reader, asked)).answer;
    },
    actions: async () => given(await listActions(config, reader, parsed(parseDaysQuery))).answer,
    stats: async (query) => given(await stats(config, reader, parsed(parseStatsQuery, query))).answer,
    prove: async (id) => given(await proveEntry(config, reader, id)).answer,
    checkpoint: async () => given(await readCheckpoint(config, { org, caller, number: null }, 0)),
  };
}

/**
 * Asks as another Worker does, under the name the service reads by: the same question asked both ways is one read session, so one
 * trace.
 */
export function bindingAsker({ org, caller }: Reader): Asker {
  const log = exports.AuditLog({ props: { name: nameOf(caller), orgs: [org], scopes: ["events:read"] } });
  return {
    list: async (query) => given(await log.list(org, query)).data,
    get: async (idOrIndex) => given(await log.get(org, idOrIndex)),
    history: async ({ type, id }, query) => {
      const { data, state } = given(await log.history(org, type, id, query));
      return { texts: data, state };
    },
    actions: async () => given(await log.actions(org)),
    stats: async (query) => given(await log.stats(org, query)),
    prove: async (id) => given(await log.prove(org, id)),
    checkpoint: async () => given(await log.checkpoint(org)),
  };
}

/** The value of a result; throws what it was refused for. */
export function given<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.refusal.detail);
  return result.value;
}

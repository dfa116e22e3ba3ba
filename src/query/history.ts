import type { Config } from "../env.ts";
import { type MemberError, ok, refuse, type Result } from "../errors.ts";
import {
  HEAVY_READ_WEIGHT,
  HISTORY_STATE_MAX_BYTES,
  HISTORY_STATE_MAX_ENTRIES,
  HISTORY_STATE_MAX_MS,
  PAGE_MAX_ENTRIES,
} from "../limits.ts";
import type { ReadGrant } from "../schema/ledger.ts";
import { labelSchema, subjectIdSchema } from "../schema/names.ts";
import { pairOf } from "../store/match.ts";
import type { Cursor } from "./cursor.ts";
import { type EntryList, readPage, tracedPage } from "./list-entries.ts";
import { logsOf } from "./logs.ts";
import { type ListQuery, parseListQuery } from "./query.ts";
import { type StateReason, type Thing, type ThingState, thingState } from "./thing-state.ts";
import { NO_MINTING } from "./restriction.ts";
import type { Found, Reader, Traced } from "./traced.ts";

/** A list request for the entries that name a thing, checked. */
export type HistoryQuery = { thing: Thing; list: ListQuery };

/** A page of entries, and on the first page of a walk the thing as JSON text; null on the others. */
export type History = EntryList & { state: string | null };

/**
 * One page of the entries that name a thing in any role, and what the whole history, whatever page and times were asked for,
 * says the thing is now.
 */
export async function history(
  config: Config,
  reader: Reader,
  { thing, list }: HistoryQuery,
): Promise<Result<Traced<History>>> {
  const { org } = reader;
  const found = await tracedPage(config, reader, {
    query: list,
    route: "targets.history",
    weight: list.cursor === null ? HEAVY_READ_WEIGHT : 1,
    read: async (grant, cursor) => {
      const page = await readPage(config, org, { grant, query: list, cursor });
      if (!page.ok) return page;
      const { answer } = page.value;
      const listed = { ...grant, visible: answer.visible ?? grant.visible };
      const rebuilt = cursor === null ? await readState(config, org, { grant: listed, thing }) : ok(NO_STATE);
      if (!rebuilt.ok) return rebuilt;
      const { state, texts, range } = rebuilt.value;
      // The trace counts what the answer rests on: entries of the page and of the state, each once.
      const results = new Set([...answer.texts, ...texts].map(placeOf)).size;
      return ok({ answer: { ...answer, state }, results, range: around(page.value.range, range) });
    },
  });
  if (!found.ok) return found;
  const { answer, read_index } = found.value;
  return ok({ answer: { ...answer.list, state: answer.page.state }, read_index });
}

const PARAMETERS = new Set(["order", "limit", "cursor", "min_size", "from", "to"]);

/** Reads the path and query of a history; what is unknown or malformed is refused by name. */
export function parseHistoryQuery(thing: Thing, params: URLSearchParams): Result<HistoryQuery> {
  const errors: MemberError[] = [];
  for (const [name, schema] of [["type", labelSchema] as const, ["id", subjectIdSchema] as const]) {
    const checked = schema.safeParse(thing[name]);
    if (!checked.success)
      errors.push({ pointer: `/${name}`, message: checked.error.issues[0]?.message ?? "is not valid" });
  }
  for (const name of new Set(params.keys())) {
    if (!PARAMETERS.has(name)) errors.push({ pointer: `/${name}`, message: "is not a parameter of this request" });
  }
  const [first] = errors;
  if (first !== undefined) return refuse("invalid_request", `${first.pointer.slice(1)} ${first.message}.`, { errors });
  const parsed = parseListQuery(params);
  if (!parsed.ok) return parsed;
  const { filter, text } = parsed.value;
  // In the words of the list: whoever looks for what was asked of a target finds both.
  const asked = new URLSearchParams([
    ...Object.entries({ target_type: thing.type, target: thing.id }),
    ...new URLSearchParams(text),
  ]);
  const about = { field: "about", values: [pairOf(thing)], exclude: false } as const;
  return ok({ thing, list: { ...parsed.value, filter: [...filter, about], text: asked.toString() } });
}

type Range = Found<unknown>["range"];

/** A state as JSON text, and the entries it was made of. */
type Rebuilt = { state: string | null; texts: string[]; range: Range };

const NO_STATE: Rebuilt = { state: null, texts: [], range: null };

/**
 * The thing, rebuilt from the whole history as its reader may see it, unless that is too long. That tokens were minted to look
 * at it says nothing of it, and there may be any number of them.
 */
async function readState(
  config: Config,
  org: string,
  { grant, thing }: { grant: ReadGrant; thing: Thing },
): Promise<Result<Rebuilt>> {
  const query = parseHistoryQuery(thing, new URLSearchParams({ order: "asc", limit: String(PAGE_MAX_ENTRIES) }));
  if (!query.ok) return query;
  const deadline = Date.now() + HISTORY_STATE_MAX_MS;
  const list = { ...query.value.list, filter: [...query.value.list.filter, NO_MINTING] };
  const texts: string[] = [];
  let range: Range = null;
  let bytes = 0;
  for (let cursor: Cursor | null = null; ; ) {
    const page: Awaited<ReturnType<typeof readPage>> = await readPage(config, org, { grant, query: list, cursor });
    if (!page.ok) return page;
    const { answer } = page.value;
    texts.push(...answer.texts);
    range = around(range, page.value.range);
    bytes += answer.texts.reduce((sum, text) => sum + text.length, 0);
    const long = texts.length > HISTORY_STATE_MAX_ENTRIES || bytes > HISTORY_STATE_MAX_BYTES;
    if (long || (answer.reached !== null && Date.now() > deadline))
      return ok({ state: stateText(thingState([], thing, ["too_long"])), texts: [], range: null });
    if (answer.reached === null) {
      const doubts = doubtsOf(grant, { thing, first: texts[0] });
      return ok({ state: stateText(thingState(texts, thing, doubts)), texts, range });
    }
    cursor = { v: 1, org, question: "", log: answer.log, reached: answer.reached, read: null };
  }
}

/** Why a history, of which `first` is the first entry, may lack entries, whatever those that are there say. */
function doubtsOf(grant: ReadGrant, { thing, first }: { thing: Thing; first: string | undefined }): StateReason[] {
  const { target, categories } = grant.restriction ?? {};
  const other = target !== undefined && pairOf(target) !== pairOf(thing);
  const hidden = quarantined(grant, first);
  // A restricted reader is told that there is more, and not why.
  const restricted = categories !== undefined || other || (hidden && grant.restriction !== null);
  return [
    ...(restricted ? (["restricted"] as const) : []),
    ...(hidden && grant.restriction === null ? (["quarantine"] as const) : []),
    ...(grant.earlier.length > 0 ? (["continued"] as const) : []),
  ];
}

/** Whether a window may hide entries of a history: what it holds before the first entry is not of it, nor what nobody can list yet. */
function quarantined(grant: ReadGrant, first: string | undefined): boolean {
  const begun = first === undefined ? null : (JSON.parse(first) as Place);
  const logs = logsOf(grant);
  const oldest = begun === null ? -1 : logs.findIndex(({ log }) => log === begun.log);
  return logs.some(({ visible, quarantined }, n) => {
    if (oldest !== -1 && n > oldest) return false;
    const low = n === oldest ? (begun?.index ?? 0) : 0;
    return quarantined.some(({ from, to }) => low < to && from < visible);
  });
}

/** Where an entry stands: every text of the API says it. */
type Place = { log: string; index: number };

function placeOf(text: string): string {
  const { log, index } = JSON.parse(text) as Place;
  return `${log} ${index}`;
}

function around(a: Range, b: Range): Range {
  return a === null || b === null ? (a ?? b) : { from: Math.min(a.from, b.from), to: Math.max(a.to, b.to) };
}

/** Names and values stand in it as they were sent; parsing and writing them again would change them. */
function stateText({ complete, exists, members, because }: ThingState): string {
  const text =
    members === null ? "null" : `{${members.map((member) => `${member.nameText}:${member.text}`).join(",")}}`;
  return `{"complete":${complete},"exists":${exists},"members":${text},"because":${JSON.stringify(because)}}`;
}

import { parseTlogProof } from "../chain/proof/tlog-proof.ts";
import { readRow } from "../chain/verify-row.ts";
import type { Config } from "../env.ts";
import type { Result } from "../errors.ts";
import { CANARY_ASK_MINUTES, CANARY_PROVED_MINUTES, CANARY_READ_MINUTES } from "../limits.ts";
import { getEntry } from "../query/get-entry.ts";
import { history, parseHistoryQuery } from "../query/history.ts";
import { listEntries } from "../query/list-entries.ts";
import { parseListQuery } from "../query/query.ts";
import type { Reader } from "../query/traced.ts";
import { sha256 } from "../sha256.ts";
import { proveEntry } from "../verify/prove-entry.ts";
import { proveInclusion } from "../verify/prove-tree.ts";
import { readCheckpoint } from "../verify/read-checkpoint.ts";
import { CANARY_ACTION, CANARY_ACTOR, CANARY_TARGET } from "./canary-event.ts";

/** The entry that is looked for, as the ledger has it. */
export type Wanted = { id: string; index: number };

/** What an answer says of an entry: of which log it is, at which index, and all its text. */
export type Shown = { log: string; index: number; text: string };

/**
 * A path of reading. `after`: how many minutes after an append it is asked for it. `every`: how often; `at` is the minute
 * of those. `bare`: its answers carry no section, so no marker.
 */
export type Path = {
  name: string;
  after: number;
  every: number;
  at: number;
  bare?: true;
  read: (config: Config, reader: Reader, wanted: Wanted) => Promise<Shown[]>;
};

const SOON = { after: CANARY_READ_MINUTES, every: 1, at: 0 };
const PROVED = { after: CANARY_PROVED_MINUTES, every: 1, at: 0 };
const ASKED = { after: CANARY_READ_MINUTES, every: CANARY_ASK_MINUTES };

/** Every path by which a reader gets at an entry. */
export const PATHS: readonly Path[] = [
  { name: "list", ...SOON, read: (config, reader) => list(config, reader, "limit=20") },
  { name: "filter", ...SOON, read: (config, reader) => list(config, reader, `${OF_CANARY}&limit=5`) },
  { name: "get_id", ...ASKED, at: 0, read: (config, reader, { id }) => get(config, reader, id) },
  { name: "get_index", ...ASKED, at: 5, read: (config, reader, { index }) => get(config, reader, String(index)) },
  { name: "search", ...ASKED, at: 3, read: (config, reader) => list(config, reader, `q=${SEARCH}&limit=5`) },
  { name: "history", ...ASKED, at: 12, read: recall },
  { name: "proof", ...ASKED, at: 10, read: prove },
  { name: "inclusion", ...PROVED, bare: true, read: include },
  { name: "checkpoint", ...PROVED, bare: true, read: sign },
];

const OF_CANARY = `action=${CANARY_ACTION}&actor=${CANARY_ACTOR}`;

const SEARCH = encodeURIComponent(`actor:${CANARY_ACTOR} "${CANARY_ACTION.replace(".", " ")}"`);

async function list(config: Config, reader: Reader, query: string): Promise<Shown[]> {
  const { answer } = given(await listEntries(config, reader, given(parseListQuery(new URLSearchParams(query)))));
  return answer.texts.map(shownBy);
}

async function get(config: Config, reader: Reader, idOrIndex: string): Promise<Shown[]> {
  const { answer } = given(await getEntry(config, reader, idOrIndex));
  return answer === null ? [] : [shownBy(answer)];
}

async function recall(config: Config, reader: Reader): Promise<Shown[]> {
  const query = parseHistoryQuery(CANARY_TARGET, new URLSearchParams("limit=5"));
  const { answer } = given(await history(config, reader, given(query)));
  return answer.texts.map(shownBy);
}

async function prove(config: Config, reader: Reader, { id }: Wanted): Promise<Shown[]> {
  const { answer } = given(await proveEntry(config, reader, id));
  const proof = answer === null ? null : parseTlogProof(answer);
  if (proof === null || proof.extra === null) return [];
  const text = Buffer.from(proof.extra).toString();
  const row = readRow(sha256, "", { index: proof.index, line: text });
  return row.claim === "none" ? [] : [{ log: row.leaf.log, index: row.leaf.index, text }];
}

async function include(config: Config, { org, caller }: Reader, { index }: Wanted): Promise<Shown[]> {
  const { proof } = given(await proveInclusion(config, { org, caller, number: null }, { index, size: null }));
  return [{ log: proof.log, index: proof.index, text: "" }];
}

async function sign(config: Config, { org, caller }: Reader, { index }: Wanted): Promise<Shown[]> {
  const [log = "", size] = given(await readCheckpoint(config, { org, caller, number: null }, 0)).split("\n");
  return [{ log, index: Number(size) > index ? index : -1, text: "" }];
}

function shownBy(text: string): Shown {
  const { log, index } = JSON.parse(text) as { log: string; index: number };
  return { log, index, text };
}

function given<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.refusal.detail);
  return result.value;
}

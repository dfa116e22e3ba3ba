import { originOfLog } from "../chain/continuation.ts";
import { base64 } from "../chain/encoding.ts";
import { parseCheckpoint } from "../chain/note/checkpoint.ts";
import { assert, ok, refuse, type Result } from "../errors.ts";
import { ORG_MAX_LOGS, ORIGIN_MAX_BYTES } from "../limits.ts";
import { log as say } from "../log.ts";
import { count } from "../meter.ts";
import type { Act } from "../schema/act.ts";
import type { LedgerPlacement } from "../schema/ledger.ts";
import { openRange } from "../store/cell.ts";
import type { Archiver } from "./archiver.ts";
import type { Core } from "./core.ts";
import { Draft } from "./draft.ts";
import { type EarlierLog, lastText, predecessorOf, saveEarlier } from "./earlier.ts";
import { isLogHeld } from "./held.ts";
import { fenceOf, savePlaced } from "./placements.ts";
import type { Projector } from "./projector.ts";
import type { Publisher } from "./publisher.ts";
import { sealAct } from "./service-entry.ts";
import { newestSigned, type Signed } from "./signed-beyond.ts";
import { treeTop } from "./tree-top.ts";
import { loadState } from "./state.ts";

export const WHOLE = refuse("conflict", "The log is whole and takes entries: there is nothing to continue.");

/** What is of one log alone. Receipts, keys and refusals are of the org, and stay. */
const TABLES_OF_A_LOG = ["staged", "segment", "placement", "tree", "cosignature", "rebuild", "restore", "read_session"];

/**
 * Begins the org's next log, `<origin>/<n>`, where the one it has cannot be rolled forward. Its first `prev` names the last
 * checkpoint of the old log, its first entry says who began it, why, and what was lost. The old log stays as the stores have
 * it, and nothing is added to it. What comes after that is the new log's alone: this ledger object is retired.
 */
export async function continueLog(
  core: Core,
  { projector, archiver, publisher }: { projector: Projector; archiver: Archiver; publisher: Publisher },
  { by, reason }: { by: string; reason: string },
): Promise<Result<null>> {
  const { state, storage } = core;
  const next = nextLog(core);
  if (next.number > ORG_MAX_LOGS) return refuse("unprocessable", `An org has at most ${ORG_MAX_LOGS} logs.`);
  if (Buffer.byteLength(next.log) > ORIGIN_MAX_BYTES) {
    return refuse("unprocessable", `The new log's origin ${next.log} is longer than ${ORIGIN_MAX_BYTES} bytes.`);
  }
  try {
    await publisher.rest();
    // What the ledger alone still holds of the old log is kept in R2.
    await archiver.archiveTo(state.head.size);
    // Lists are made from D1, and no more of the old log is copied there later.
    await projector.run();
    const { stuck } = core;
    if (stuck === null) return WHOLE;
    core.retired = true;
    const old = await freeze(core);
    const placement = await placeNext(core, next.log);
    // A ledger that was rewound to before it was continued: its new log is there already, and is rolled forward.
    const begun = await isLogHeld(core.config, placement);
    if (begun === null) throw new Error(`D1 or R2 may hold ${next.log}`);
    const act = continuedAct({ old, next, by, reason, stuck });
    storage.transactionSync(() => replaceLog(core, { old, placement, act: begun ? null : act }));
    // Another call that failed meanwhile may have said otherwise.
    core.retired = true;
  } catch (error) {
    core.retired = loadState(storage.sql)?.org.log !== state.org.log;
    say("warn", { message: "a log could not be continued", org: state.org.org, error: String(error) });
    const detail =
      "A log is continued when D1 and R2 answer and have taken all that its ledger holds. Nothing was changed.";
    return refuse("overloaded", detail, { retry_after_s: 5 });
  }
  count("audit_logs_continued_total");
  say("warn", { message: "a log was continued as a new one", org: state.org.org, log: next.log });
  return ok(null);
}

/** Puts the new log into the place of the old one, with its first entry, unless it has one already. */
function replaceLog(
  core: Core,
  { old, placement, act }: { old: EarlierLog; placement: LedgerPlacement; act: Act | null },
): void {
  const { sql } = core.storage;
  assert(loadState(sql)?.org.log === old.log, "a log is continued once");
  for (const table of TABLES_OF_A_LOG) clear(sql, table);
  saveEarlier(sql, old);
  sql.exec("update org set log = ?", placement.log);
  savePlaced(sql, placement);
  if (act === null) return;
  const fresh = loadState(sql);
  assert(fresh !== null, "an org stays one");
  const draft = new Draft(fresh, core.now());
  sealAct(draft, act, core.now());
  draft.commit(sql);
}

function nextLog({ state }: Core): { number: number; log: string } {
  const number = state.earlier.length + 2;
  return { number, log: originOfLog(state.earlier[0]?.log ?? state.org.log, number) };
}

/** The old log as it stands from here on. */
async function freeze(core: Core): Promise<EarlierLog> {
  const { org, head, earlier, placements } = core.state;
  const [fence, signed] = await Promise.all([fenceOf(core), newestSigned(core)]);
  if (fence.next < head.size) throw new Error(`D1 has entries below ${fence.next} of ${head.size}`);
  return {
    number: earlier.length + 1,
    log: org.log,
    size: Math.max(head.size, fence.next, signed?.size ?? 0),
    held: { size: head.size, head: head.prev },
    tree: {
      size: signed?.size ?? 0,
      note: signed === null ? null : signed.note + cosignaturesOf(core, signed),
      top: await treeTop(core, signed),
    },
    placements,
    predecessor: predecessorOf(earlier),
    begun_at: earlier.at(-1)?.ended_at ?? org.createdAt,
    ended_at: head.sequencedAt,
  };
}

/** Nobody is asked for them again. */
function cosignaturesOf({ storage }: Core, { size }: Signed): string {
  const rows = storage.sql.exec<{ line: string }>("select line from cosignature where size = ? order by witness", size);
  return [...rows].map(({ line }) => line).join("");
}

/** The new log begins in the cell where the old one ends. */
async function placeNext({ state, config }: Core, log: string): Promise<LedgerPlacement> {
  const name = state.placements.at(-1)?.cell ?? "";
  const cell = config.cells.get(name);
  if (cell === undefined) throw new Error(`binding ${name} is missing`);
  const org_number = await openRange(cell, { log, first_index: 0 });
  return { log, first_index: 0, cell: name, org_number };
}

function clear(sql: SqlStorage, table: string): void {
  const there = sql.exec("select 1 from sqlite_master where type = 'table' and name = ?", table).toArray().length > 0;
  if (there) sql.exec(`delete from ${table}`);
}

function continuedAct({
  old,
  next,
  by,
  reason,
  stuck,
}: {
  old: EarlierLog;
  next: { number: number; log: string };
  by: string;
  reason: string;
  stuck: string;
}): Act {
  const checkpoint = parseCheckpoint(lastText(old));
  assert(checkpoint !== null, "the text of a checkpoint can be read");
  const { size, root } = checkpoint;
  return {
    action: "indelible.log.continued",
    category: "config_change",
    actor: { type: "key", id: by },
    key: by,
    note: { reason },
    metadata: {
      number: next.number,
      continues: { log: old.log, checkpoint: { size, root: base64(root) }, held: old.held.size, because: stuck },
    },
  };
}

import { readEventSection, readNoteSection } from "../chain/section-shape.ts";
import { REMOVAL_FORGOTTEN_MS } from "../limits.ts";
import type { Scope } from "../schema/caller.ts";
import type { HoldScope } from "../schema/hold.ts";
import type { OrgSettings } from "../schema/ledger.ts";
import type { SwitchOf, Window } from "../schema/reads.ts";
import { saveSwitch } from "./closed.ts";
import { saveCold } from "./cold.ts";
import { wordsGone } from "./forget-words.ts";
import type { Following } from "./continue-chain.ts";
import { baseOf, loadEarlier } from "./earlier.ts";
import { endQuarantine, enterQuarantine, noteQuarantine } from "./quarantines.ts";
import { endHold, enterHold } from "./holds.ts";
import { reopenRead } from "./reads.ts";
import { type AdoptedBatch, adoptBatch, adoptId } from "./receipts.ts";
import { enterRemoval } from "./under-way.ts";
import { clearVerified } from "./verified.ts";

/** What cannot be had back: keys whose hash stood nowhere but in the storage that was rewound. */
export type Lost = { keys: string[] };

type Act = {
  key: string;
  at: number;
  index: number;
  actor: { type: string; id: string };
  target: string;
  metadata: Record<string, unknown>;
  note: Record<string, unknown>;
  /** That of `note`, or what stands for it where it went. */
  reason: string;
};

/** No SHA-256 anybody can hit: a key entered with it opens nothing. */
const NO_HASH = "0".repeat(64);

/**
 * Does again what the entries of a lost part did to the ledger's own tables, oldest first: receipts, settings, keys, open
 * reads, refusals, removals. `base` is where the positions of this log's receipts begin. Runs in the transaction that takes the entries over, so none of it is done twice.
 */
export function replay(sql: SqlStorage, entries: readonly Following[], base: number): Lost {
  const lost: Lost = { keys: [] };
  const batches = new Map<string, AdoptedBatch>();
  for (const entry of entries) {
    if (entry.leaf.source === "client") replayReceipts(sql, entry, { base, batches });
    else replayAct(sql, entry, lost);
  }
  for (const [batch, receipt] of batches) adoptBatch(sql, batch, receipt);
  return lost;
}

function replayReceipts(
  sql: SqlStorage,
  { index, hash, leaf, record }: Following,
  { base, batches }: { base: number; batches: Map<string, AdoptedBatch> },
): void {
  const event = readEventSection(record.sections["event"]?.text ?? "");
  const id = readNoteSection(record.sections["note"]?.text ?? "")?.id;
  const position = base + index;
  const receipt = { position, sequencedAt: Date.parse(leaf.sequenced_at), hash: Buffer.from(hash, "base64url") };
  if (id !== undefined) adoptId(sql, id, receipt);
  if (event?.batch === undefined) return;
  const batch = batches.get(event.batch);
  if (batch === undefined) {
    batches.set(event.batch, { first: position, sequencedAt: receipt.sequencedAt, hashes: [receipt.hash] });
  } else batch.hashes.push(receipt.hash);
}

function replayAct(sql: SqlStorage, entry: Following, lost: Lost): void {
  const { sections } = entry.record;
  const event = readEventSection(sections["event"]?.text ?? "");
  if (event === null) return;
  const note = objectOf(sections["note"]?.text);
  const gone = entry.record.absent?.find(({ section }) => section === "note");
  const act: Act = {
    key: event.key ?? "",
    at: Date.parse(entry.leaf.sequenced_at),
    index: entry.index,
    actor: { type: event.actor.type, id: textOf(objectOf(sections["actor"]?.text)["id"]) },
    target: textOf(objectOf(sections["target/0"]?.text)["id"]),
    metadata: objectOf(sections["metadata"]?.text),
    note,
    reason: gone === undefined ? textOf(note["reason"]) : wordsGone(gone.cause),
  };
  REPLAYS[event.action]?.(sql, act, lost);
}

/** Acts that stand in the log alone (a rebuilt projection, a restored log) have no line here. */
const REPLAYS: Record<string, (sql: SqlStorage, act: Act, lost: Lost) => void> = {
  "indelible.org.created": (sql, act) => {
    sql.exec("update org set created_at = ?", act.at);
    replaySettings(sql, act);
  },
  "indelible.org.updated": replaySettings,
  "indelible.key.created": replayKey,
  "indelible.key.revoked": (sql, { target, at }) =>
    sql.exec("update org_key set revoked_at = ? where id = ? and revoked_at is null", at, target),
  "indelible.read": replayRead,
  "indelible.read.closed": (sql, { metadata }) =>
    sql.exec("delete from read_session where opened_index = ?", Number(metadata["opened_index"])),
  "indelible.reads.disabled": (sql, { key, at, index, metadata, reason }) => {
    // A wish to open, and what was verified, are not brought back: both are asked for anew.
    const log = logNumber(sql);
    const whole = [{ log, from: 0, to: index }];
    // An entry whose sections are gone still says that something was closed.
    const { of = "org", window = whole } = metadata as { of?: SwitchOf; window?: Window[] };
    saveSwitch(sql, of, { since: at, reason, by: key, entry: { log, index }, window, wish: null });
    clearVerified(sql);
  },
  "indelible.reads.enabled": (sql, { metadata }) => {
    const { of } = metadata as { of?: SwitchOf };
    if (of !== undefined) saveSwitch(sql, of, null);
  },
  "indelible.quarantine.placed": (sql, { key, at, target, metadata, reason }) => {
    const { log, from, to } = metadata as { log?: number; from?: number; to?: number | null };
    if (log === undefined || from === undefined || to === undefined) return;
    enterQuarantine(sql, { id: target, log, from, to, reason, by: key, at });
  },
  "indelible.quarantine.released": (sql, { key, at, target, reason }) =>
    endQuarantine(sql, { id: target, reason, by: key, at }),
  "indelible.quarantine.annotated": (sql, { key, at, target, reason }) =>
    noteQuarantine(sql, { id: target, note: reason, by: key, at }),
  "indelible.hold.placed": (sql, { key, at, index, target, metadata, note, reason }) => {
    // One whose words are gone holds all that it may have held.
    const { log = null, after_index = null, before_index = null } = metadata as Partial<HoldScope>;
    const scope = { query: textOf(note["query"]), log, after_index, before_index };
    enterHold(sql, { id: target, ...scope, reason, by: key, at, position: positionOf(sql, index) });
  },
  "indelible.hold.released": (sql, { key, at, index, target, reason }) =>
    endHold(sql, { id: target, reason, by: key, at, position: positionOf(sql, index) }),
  "indelible.tier.cooled": (sql, { index, metadata }) => {
    const { log, to } = metadata as { log?: number; to?: number };
    if (log === undefined || to === undefined) return;
    saveCold(sql, { log, before: to, entry_log: logNumber(sql), entry: index });
  },
  "indelible.erasure.begun": replayCause,
  "indelible.retention.run": replayCause,
  "indelible.access.refused": (sql, { key, metadata }) =>
    sql.exec(
      "delete from refusal where key = ? and code = ? and first_at <= ?",
      key,
      textOf(metadata["code"]),
      Date.parse(textOf(metadata["last_at"])),
    ),
};

function replayRead(sql: SqlStorage, { key, at, index, actor, metadata, note }: Act): void {
  // Without its sections nobody can tell which session it opened: a further answer opens another.
  if (metadata["route"] === undefined) return;
  const { token } = metadata as { token?: string };
  const viewer = token === undefined ? null : { token, actor };
  const asked = { filter: textOf(note["query"]), reason: note["reason"] === undefined ? null : textOf(note["reason"]) };
  const answered = metadata as { route: string; results_count: number };
  reopenRead(sql, { reader: { key, viewer }, at, index, ...asked, ...answered });
}

/**
 * Nobody knows whether all has gone by it: what went is looked for where its list says. A ledger that names segments from before an older cause was not
 * set back: it lost everything, and names what R2 has now.
 */
function replayCause(sql: SqlStorage, { at, index, metadata }: Act): void {
  const { list } = metadata as { list?: { sha256?: string; log?: number } };
  if (list?.sha256 === undefined || at <= Date.now() - REMOVAL_FORGOTTEN_MS) return;
  const by_log = logNumber(sql);
  enterRemoval(sql, { by_log, by: index, log: list.log ?? by_log, list: list.sha256 }, { now: at, freed: null });
}

function replaySettings(sql: SqlStorage, { metadata }: Act): void {
  const settings = metadata["settings"] as OrgSettings | undefined;
  if (settings !== undefined) sql.exec("update org set settings = ?", JSON.stringify(settings));
}

/** Of an index of the log that is rolled forward, among those of all logs. */
function positionOf(sql: SqlStorage, index: number): number {
  return baseOf(loadEarlier(sql)) + index;
}

/** The number of the log that is rolled forward. */
function logNumber(sql: SqlStorage): number {
  return loadEarlier(sql).length + 1;
}

/** The log never holds a key's hash: the key is listed again, revoked from its first moment, and has to be made anew. */
function replayKey(sql: SqlStorage, { target, at, metadata }: Act, lost: Lost): void {
  const { name, scopes } = metadata as { name?: string; scopes?: Scope[] };
  const entered = sql.exec(
    `insert into org_key (id, name, scopes, hash, created_at, revoked_at) values (?1, ?2, ?3, ?4, ?5, ?5)
     on conflict do nothing returning id`,
    target,
    String(name ?? ""),
    JSON.stringify(scopes ?? []),
    NO_HASH,
    at,
  );
  if (entered.toArray().length > 0) lost.keys.push(target);
}

/** The members of a section of the service's own acts; none when the section is gone. */
function objectOf(text: string | undefined): Record<string, unknown> {
  return text === undefined ? {} : (JSON.parse(text) as Record<string, unknown>);
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

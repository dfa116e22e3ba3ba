import { createHash } from "node:crypto";
import { READ_SESSION_IDLE_MS, READ_SESSION_MAX_MS } from "../limits.ts";
import { KEY_ACTOR, type Viewer } from "../schema/caller.ts";
import type { ReadAnswer } from "../schema/ledger.ts";
import type { DraftReceipts } from "./append.ts";
import type { Draft } from "./draft.ts";
import { planOnce } from "./once.ts";
import type { Act } from "../schema/act.ts";
import { sealAct } from "./service-entry.ts";

/** Who reads: a key, or a viewer in its name. */
type Reading = { key: string; viewer: Viewer | null };

/** An open read session: all answers one reader got to one question, asked for one reason. `viewer` is JSON text. */
type ReadSession = {
  id: string;
  key: string;
  viewer: string | null;
  route: string;
  filter: string;
  opened_index: number;
  opened_at: number;
  last_at: number;
  answers: number;
  results: number;
  low: number | null;
  high: number | null;
};

/** Sessions touched by a draft, as they will stand after it (null: closed); each is written once, however often touched. */
export type DraftSessions = Map<string, ReadSession | null>;

const CLOSE_MAX_SESSIONS = 500;

type Context = { sql: SqlStorage; draft: Draft; sessions: DraftSessions; receipts: DraftReceipts; now: number };

/**
 * Makes one answer part of the log before it leaves: the first of a session seals `indelible.read`, further ones move
 * the session's totals. Answers the index of the opening entry.
 */
export function planRead(context: Context, { reader, answer }: { reader: Reading; answer: ReadAnswer }): number {
  const seal = () => openOrMove(context, { reader, answer });
  return answer.batch === undefined ? seal() : planOnce(context, `read ${answer.batch}`, seal);
}

function openOrMove(context: Context, { reader, answer }: { reader: Reading; answer: ReadAnswer }): number {
  const { draft, sessions, now } = context;
  const id = sessionIdOf(reader, answer);
  const stored = sessions.has(id) ? sessions.get(id) : findSession(context.sql, id);
  const open = stored ?? null;
  if (open !== null && !overdue(open, now)) {
    touch(context, id, addAnswer(open, answer, now));
    return open.opened_index;
  }
  if (open !== null) sealClosed(draft, open, now);
  const sealed = sealAct(draft, openingAct(reader, answer), now);
  const { route, filter } = answer;
  const fresh = { id, ...columnsOf(reader), route, filter, opened_index: sealed.index, opened_at: now, last_at: now };
  touch(context, id, addAnswer({ ...fresh, answers: 0, results: 0, low: null, high: null }, answer, now));
  return sealed.index;
}

/** A reason is part of the question: one given later would be lost, for a session's first answer alone seals it. */
function sessionIdOf({ key, viewer }: Reading, { route, filter, reason }: Asked): string {
  return createHash("sha256")
    .update(JSON.stringify([key, viewer?.token ?? null, route, filter, reason]))
    .digest("hex")
    .slice(0, 32);
}
type Asked = Pick<ReadAnswer, "route" | "filter" | "reason">;

function columnsOf({ key, viewer }: Reading): Pick<ReadSession, "key" | "viewer"> {
  return { key, viewer: viewer === null ? null : JSON.stringify(viewer) };
}

/** Who acts in the entries of a session: the person a token was made for, else the key itself. */
function actorOf({ key, viewer }: Reading): Pick<Act, "actor" | "key"> {
  return { actor: viewer?.actor ?? { type: KEY_ACTOR, id: key }, key };
}

/** Sets what a session will be after this draft; the first touch adds the write. */
function touch({ draft, sessions }: Omit<Context, "receipts">, id: string, session: ReadSession | null): void {
  if (!sessions.has(id)) {
    draft.write((sql) => {
      const last = sessions.get(id) ?? null;
      if (last === null) sql.exec("delete from read_session where id = ?", id);
      else saveSession(sql, last);
    });
  }
  sessions.set(id, session);
}

/** Closes sessions that were silent or open for too long; answers how many. */
export function planCloseReads(context: Omit<Context, "receipts">): number {
  const { sql, draft, sessions, now } = context;
  const overdueRows = sql
    .exec<ReadSession>(
      "select * from read_session where last_at <= ? or opened_at <= ? order by last_at limit ?",
      now - READ_SESSION_IDLE_MS,
      now - READ_SESSION_MAX_MS,
      CLOSE_MAX_SESSIONS,
    )
    .toArray();
  // A session this draft has touched was closed by that touch, or is not overdue any more.
  const due = overdueRows.filter(({ id }) => !sessions.has(id));
  for (const session of due) {
    sealClosed(draft, session, now);
    touch(context, session.id, null);
  }
  return due.length;
}

/** Closes the sessions that `chosen` picks by who reads and what is asked; answers how many. */
export function planForgetReads(
  context: Omit<Context, "receipts">,
  chosen: (session: { filter: string; viewer: Viewer | null }) => boolean,
): number {
  const { sql, draft, sessions, now } = context;
  const stored = sql.exec<ReadSession>("select * from read_session").toArray();
  const open = new Map(stored.map((session): [string, ReadSession | null] => [session.id, session]));
  for (const [id, session] of sessions) open.set(id, session);
  const due = [...open.values()]
    .filter((session) => session !== null)
    .filter(({ filter, viewer }) => {
      return chosen({ filter, viewer: viewer === null ? null : (JSON.parse(viewer) as Viewer) });
    });
  for (const session of due) {
    sealClosed(draft, session, now);
    touch(context, session.id, null);
  }
  return due.length;
}

/** When the next session has to be closed; null when none is open. */
export function nextCloseAt(sql: SqlStorage): number | null {
  const row = sql
    .exec<{ idle: number | null; opened: number | null }>(
      "select min(last_at) as idle, min(opened_at) as opened from read_session",
    )
    .one();
  if (row.idle === null || row.opened === null) return null;
  return Math.min(row.idle + READ_SESSION_IDLE_MS, row.opened + READ_SESSION_MAX_MS);
}

function overdue(session: ReadSession, now: number): boolean {
  return now - session.last_at >= READ_SESSION_IDLE_MS || now - session.opened_at >= READ_SESSION_MAX_MS;
}

function addAnswer(session: ReadSession, { results, range }: ReadAnswer, now: number): ReadSession {
  return {
    ...session,
    last_at: now,
    answers: session.answers + 1,
    results: session.results + results,
    low: range === null ? session.low : Math.min(session.low ?? range.from, range.from),
    high: range === null ? session.high : Math.max(session.high ?? range.to, range.to),
  };
}

function openingAct(reader: Reading, answer: ReadAnswer): Act {
  const { ip, user_agent, request_id } = answer;
  const context = Object.fromEntries(
    Object.entries({ ip, user_agent, request_id }).filter((pair): pair is [string, string] => pair[1] !== null),
  );
  return {
    action: "indelible.read",
    category: "log_access",
    ...actorOf(reader),
    note: { ...(answer.reason === null ? {} : { reason: answer.reason }), query: answer.filter },
    ...(Object.keys(context).length === 0 ? {} : { context }),
    metadata: { route: answer.route, results_count: answer.results, range: answer.range, ...tokenOf(reader) },
  };
}

function tokenOf({ viewer }: Reading): { token?: string } {
  return viewer === null ? {} : { token: viewer.token };
}

function sealClosed(draft: Draft, session: ReadSession, now: number): void {
  const viewer = session.viewer === null ? null : (JSON.parse(session.viewer) as Viewer);
  const reader = { key: session.key, viewer };
  const act: Act = {
    action: "indelible.read.closed",
    category: "log_access",
    ...actorOf(reader),
    metadata: {
      route: session.route,
      opened_index: session.opened_index,
      opened_at: new Date(session.opened_at).toISOString(),
      last_at: new Date(session.last_at).toISOString(),
      answers: session.answers,
      results: session.results,
      range: session.low === null ? null : { from: session.low, to: session.high },
      ...tokenOf(reader),
    },
  };
  sealAct(draft, act, now);
}

/**
 * Opens a session again by its opening entry, for a ledger that was rewound: further answers it had counted are gone, and
 * what closes it says fewer.
 */
export function reopenRead(
  sql: SqlStorage,
  { reader, at, index, route, filter, reason, results_count, range = null }: Reopened,
): void {
  const times = { opened_index: index, opened_at: at, last_at: at };
  const totals = { answers: 1, results: results_count, low: range?.from ?? null, high: range?.to ?? null };
  const id = sessionIdOf(reader, { route, filter, reason });
  saveSession(sql, { id, ...columnsOf(reader), route, filter, ...times, ...totals });
}

type Reopened = Asked & {
  reader: Reading;
  at: number;
  index: number;
  results_count: number;
  range?: { from: number; to: number } | null;
};

function findSession(sql: SqlStorage, id: string): ReadSession | null {
  return sql.exec<ReadSession>("select * from read_session where id = ?", id).toArray()[0] ?? null;
}

function saveSession(sql: SqlStorage, session: ReadSession): void {
  const { id, key, viewer, route, filter, opened_index, opened_at, last_at, answers, results, low, high } = session;
  sql.exec(
    `insert into read_session (id, key, viewer, route, filter, opened_index, opened_at, last_at, answers, results, low, high)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     on conflict (id) do update set opened_index = excluded.opened_index, opened_at = excluded.opened_at,
       last_at = excluded.last_at, answers = excluded.answers, results = excluded.results,
       low = excluded.low, high = excluded.high`,
    id,
    key,
    viewer,
    route,
    filter,
    opened_index,
    opened_at,
    last_at,
    answers,
    results,
    low,
    high,
  );
}

import { ok, refuse, type Result } from "../errors.ts";
import { OPEN_WISH_MS } from "../limits.ts";
import type { Act } from "../schema/act.ts";
import type { CloseReads, MissingRange, Opening, ReadsView, SwitchOf, VerifiedRange, Window } from "../schema/reads.ts";
import { type Closed, saveSwitch, type Wish } from "./closed.ts";
import type { Core } from "./core.ts";
import type { OrgKeys } from "./keys.ts";
import type { Planning } from "./sequencer.ts";
import { sealAct } from "./service-entry.ts";
import { clearVerified, missingIn, verifiedIn } from "./verified.ts";

type Context = { core: Core; planning: Planning; of: SwitchOf; by: string };

/** How a switch stands. */
export function viewOf(core: Core, of: SwitchOf): ReadsView {
  const { state, storage } = core;
  const closed = state.switches[of];
  if (closed === null) return { enabled: true };
  const { since, reason, by, window } = closed;
  const wish = openWish(closed, core.now());
  return {
    enabled: false,
    since: new Date(since).toISOString(),
    reason,
    by,
    window,
    verified: verifiedIn(storage.sql, window),
    missing: missingIn(storage.sql, window, { org: state.org.org, newest: state.earlier.length + 1 }),
    pending:
      wish === null
        ? null
        : { by: wish.by, reason: wish.reason, expires_at: new Date(wish.at + OPEN_WISH_MS).toISOString() },
  };
}

/**
 * Closes a switch. Closed again for another reason or window it is closed anew, over both windows: what was verified
 * before does not count any more. In the same words it stays as it is.
 */
export function planClose({ core, planning, of, by }: Context, asked: CloseReads): Result<null> {
  const { draft, now, switches } = planning;
  const before = switches[of];
  const wanted = windowOf(core, { size: draft.head.size, before, asked: asked.window });
  if (!wanted.ok) return wanted;
  const window = before === null ? wanted.value : both(before.window, wanted.value);
  const wider = asked.window !== undefined && JSON.stringify(window) !== JSON.stringify(before?.window);
  if (before?.reason === asked.reason && !wider) return ok(null);
  const { reason } = asked;
  const { index } = sealAct(draft, readsAct("disabled", { of, by, reason, metadata: { window } }), now);
  const entry = { log: core.state.earlier.length + 1, index };
  turn(core, planning, { of, closed: { since: now, reason, by, entry, window, wish: null } });
  draft.write(clearVerified);
  return ok(null);
}

/**
 * Opens a switch once all of its window was verified since it was closed. Where that found breaks, a key that accepts them
 * leaves its wish (`wished`), and another key's is needed.
 */
export function planOpen(
  context: Context & { keys: OrgKeys },
  { asked, withdrawn, made_at }: Opening,
): Result<"opened" | "wished"> {
  const { core, planning, of, by } = context;
  const closed = planning.switches[of];
  if (closed === null) return ok("opened");
  const { sql } = core.storage;
  const missing = missingIn(sql, closed.window, { org: core.state.org.org, newest: core.state.earlier.length + 1 });
  if (missing.length > 0) return notVerified(missing);
  const verified = verifiedIn(sql, closed.window);
  const broken = verified.filter((range) => !range.ok);
  if (broken.length === 0) return ok(open(context, { reason: asked.reason, verified, wish: null }));
  if (asked.accept_breaks !== true) return notAccepted(broken);
  const accepts = JSON.stringify(
    broken.map(({ log, from, to, breaks, breaks_sha256 }) => ({ log, from, to, breaks, breaks_sha256 })),
  );
  const wish = standingWish(context, closed, { accepts, withdrawn });
  if (wish === null) return ok(wishToOpen(context, { closed, reason: asked.reason, accepts }));
  if (wish.by === by)
    return refuse("conflict", "The key that wishes reads opened cannot confirm it: another one has to.");
  const own = context.keys.list().find(({ id }) => id === by);
  const madeAt = own === undefined ? made_at : Date.parse(own.created_at);
  if (madeAt !== null && madeAt >= closed.since) {
    return refuse("conflict", "A key made after reads were closed cannot confirm: one that was there before has to.");
  }
  return ok(open(context, { reason: asked.reason, verified, wish }));
}

/** The wish another key may confirm: not expired, of what is broken now, by a key that still holds. */
function standingWish(
  { planning, keys }: Context & { keys: OrgKeys },
  closed: Closed,
  { accepts, withdrawn }: { accepts: string; withdrawn: string | null },
): Wish | null {
  const wish = openWish(closed, planning.now);
  if (wish === null || wish.accepts !== accepts || wish.by === withdrawn) return null;
  const key = keys.list().find(({ id }) => id === wish.by);
  return key === undefined || key.revoked_at === null ? wish : null;
}

function openWish({ wish }: Closed, now: number): Wish | null {
  return wish !== null && now - wish.at < OPEN_WISH_MS ? wish : null;
}

function wishToOpen(
  { core, planning, of, by }: Context,
  { closed, reason, accepts }: { closed: Closed; reason: string; accepts: string },
): "wished" {
  const { draft, now } = planning;
  sealAct(
    draft,
    readsAct("enable_requested", { of, by, reason, metadata: { accepts: JSON.parse(accepts) as unknown } }),
    now,
  );
  // By the time of its entry it is found again when its words go.
  turn(core, planning, { of, closed: { ...closed, wish: { by, reason, at: draft.sequencedAt, accepts } } });
  return "wished";
}

function open(
  { core, planning, of, by }: Context,
  { reason, verified, wish }: { reason: string; verified: VerifiedRange[]; wish: Wish | null },
): "opened" {
  const { draft, now } = planning;
  const metadata = { verified, accepted_breaks: wish !== null, ...(wish === null ? {} : { requested_by: wish.by }) };
  sealAct(draft, readsAct("enabled", { of, by, reason, metadata }), now);
  turn(core, planning, { of, closed: null });
  return "opened";
}

function notVerified(missing: readonly MissingRange[]): Result<never> {
  const errors = missing.map(({ log, from, to, request }) => {
    return { pointer: "/enabled", message: `entries ${from} to ${to - 1} of log ${log} are not verified: ${request}` };
  });
  const detail = `Reads open when what was closed has been verified since. Next: ${missing[0]?.request}`;
  return refuse("conflict", detail, { errors: errors.slice(0, ERRORS_MAX_COUNT) });
}

function notAccepted(broken: readonly VerifiedRange[]): Result<never> {
  const errors = broken.map(({ log, from, to, breaks }) => {
    return {
      pointer: "/accept_breaks",
      message: `entries ${from} to ${to - 1} of log ${log} are not all vouched for; ${breaks} breaks`,
    };
  });
  const detail =
    "Verification found breaks. Repair them and verify again; or send accept_breaks: true, and have a second key do the same.";
  return refuse("conflict", detail, { errors: errors.slice(0, ERRORS_MAX_COUNT) });
}

/** What one refusal names of many. */
const ERRORS_MAX_COUNT = 20;

function readsAct(
  verb: "disabled" | "enable_requested" | "enabled",
  { of, by, reason, metadata }: { of: SwitchOf; by: string; reason: string; metadata: Record<string, unknown> },
): Act {
  return {
    action: `indelible.reads.${verb}`,
    category: "config_change",
    actor: { type: "key", id: by },
    key: by,
    note: { reason },
    metadata: { of, ...metadata },
  };
}

/** How a switch stands after this draft, for plans that come later in it and for memory once it is committed. */
function turn({ state }: Core, planning: Planning, { of, closed }: { of: SwitchOf; closed: Closed | null }): void {
  const switches = { ...planning.switches, [of]: closed };
  planning.switches = switches;
  planning.draft.write((sql) => saveSwitch(sql, of, closed));
  planning.draft.whenCommitted(() => {
    state.switches = switches;
  });
}

/** What has to be verified: what is named, within its log, or all that every log holds now. The same asked twice is the same. */
function windowOf(
  { state }: Core,
  { size, before, asked }: { size: number; before: Closed | null; asked: CloseReads["window"] },
): Result<Window[]> {
  const logs = [...state.earlier.map(({ held }) => held.size), size].map((past, n) => ({
    log: n + 1,
    from: 0,
    to: past,
  }));
  if (asked === undefined) return ok(logs.filter(({ to }) => to > 0));
  const log = logs[(asked.log ?? logs.length) - 1];
  if (log === undefined) return refuse("unprocessable", `window.log: this org's logs are 1 to ${logs.length}.`);
  const until = asked.to ?? before?.window.find((one) => one.log === log.log)?.to ?? log.to;
  const window = { log: log.log, from: asked.from ?? 0, to: Math.min(until, log.to) };
  if (window.from < window.to) return ok([window]);
  return refuse("unprocessable", `window: from must be below to, and below the log's size, ${log.to}.`);
}

/** One window a log, over all that both name. */
function both(some: readonly Window[], others: readonly Window[]): Window[] {
  const hull = new Map(some.map((window) => [window.log, window]));
  for (const { log, from, to } of others) {
    const known = hull.get(log) ?? { log, from, to };
    hull.set(log, { log, from: Math.min(known.from, from), to: Math.max(known.to, to) });
  }
  return [...hull.values()].toSorted((a, b) => a.log - b.log);
}

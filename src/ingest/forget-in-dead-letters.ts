import { readDeadLetterBody, replaceDeadLetterBody } from "../archive/dead-letter.ts";
import { scanSource } from "../chain/source-text.ts";
import type { Config } from "../env.ts";
import { EVENT_MAX_DEPTH } from "../limits.ts";
import { eventSchema } from "../schema/event.ts";
import { type DeadLetterRow, deadLettersOf, markDeadLetter } from "../store/dead-letter.ts";
import { quotes, quotesAny } from "../store/quoted.ts";
import { BATCH_SHAPE } from "./parse-events.ts";

type Party = { type: string; id: string };

/**
 * Whom to forget. `texts`: what names them in a trace of reading: their id and what else they are called. `given`: those that who erases gave, the id
 * among them; others were chosen by whoever wrote entries.
 */
type Forgotten = { subject: Party; texts: readonly string[]; given: readonly string[] };

/** A message that somebody is in, and what is left of it without them: null of one that goes whole. */
export type LetterAbout = { row: DeadLetterRow; left: string | null };

/**
 * Looks for a subject in messages of an org that were never sequenced: events they are in are to go, and a message of which nothing is left, that was
 * replayed, or that nobody can read. `after`: the last one seen, null behind the last there is.
 */
export async function findInDeadLetters(
  config: Config,
  org: string,
  { forgotten, after, limit }: { forgotten: Forgotten; after: string | null; limit: number },
): Promise<{ found: LetterAbout[]; after: string | null }> {
  const rows = await deadLettersOf(config.directory, org, { after, limit });
  const found: LetterAbout[] = [];
  for (const row of rows) {
    const body = await readDeadLetterBody(config.archive, row.id);
    const left = body === null ? body : without(body, row, forgotten);
    if (left !== body) found.push({ row, left });
  }
  return { found, after: rows.length < limit ? null : (rows.at(-1)?.id ?? null) };
}

/** Takes out of messages what was found in them; `inTime` throws when it is too late for one more. Done again it changes nothing. */
export async function forgetInDeadLetters(
  config: Config,
  found: readonly LetterAbout[],
  inTime: () => void,
): Promise<void> {
  for (const { row, left } of found) {
    inTime();
    await replaceDeadLetterBody(config.archive, row.id, left);
    // A crash here leaves a row that says less than is so: its body is not there, or shorter.
    if (left === null && row.state !== "replayed") {
      await markDeadLetter(config.directory, row.id, { ...row, state: "dead", next_at: null, reason: FORGOTTEN });
    }
  }
}

const FORGOTTEN = "What it held was erased.";

/** What is left of a message: all of it, less, or (null) nothing. */
function without(body: string, { state }: DeadLetterRow, forgotten: Forgotten): string | null {
  const value = parsed(body);
  if (value === null) {
    const { subject, given } = forgotten;
    return body.includes(subject.id) || quotesAny([body], given) ? null : body;
  }
  const { events } = value as Message;
  if (!Array.isArray(events)) return isTraceOf(value, forgotten) ? null : body;
  const gone = events.map((event) => isAbout(event, forgotten));
  if (!gone.includes(true)) return body;
  if (state === "replayed" || !gone.includes(false)) return null;
  const scanned = scanSource(body, BATCH_SHAPE, { maxDepth: EVENT_MAX_DEPTH });
  const items = scanned.ok ? (scanned.node.members?.get("events")?.items ?? []) : [];
  const [first, last] = [items[0], items.at(-1)];
  if (items.length !== events.length || first === undefined || last === undefined) return null;
  const kept = items.filter((_, n) => gone[n] === false).map(({ start, end }) => body.slice(start, end));
  return body.slice(0, first.start) + kept.join(",") + body.slice(last.end);
}

/** Whatever somebody put into the queue. */
type Message = {
  events?: unknown;
  answer?: { filter?: unknown; reason?: unknown } | null;
  viewer?: { actor?: unknown } | null;
};

/** Whether a trace of reading, or what may have been one, is about a subject or quotes them. */
function isTraceOf(value: object, forgotten: Forgotten): boolean {
  const { answer, viewer } = value as Message;
  if (typeof answer !== "object" || answer === null) return isSaid(value, forgotten);
  const { filter, reason } = answer;
  const { subject, texts } = forgotten;
  const asked = typeof filter === "string" && quotes(filter, texts);
  const because = typeof reason === "string" && quotesAny([reason], texts);
  return asked || because || isParty(viewer?.actor, subject);
}

/** Whether a subject is in an event. Most messages are dead since what they hold is none: there every text may say whom it is about. */
function isAbout(value: unknown, forgotten: Forgotten): boolean {
  if (!eventSchema.safeParse(value).success) return isSaid(value, forgotten);
  const { actor, on_behalf_of, targets = [] } = value as Event;
  return [actor, on_behalf_of, ...targets].some((party) => isParty(party, forgotten.subject));
}
type Event = { actor: unknown; on_behalf_of?: unknown; targets?: unknown[] };

function isParty(value: unknown, { type, id }: Party): boolean {
  const party = value as Partial<Party> | null | undefined;
  return party?.type === type && party.id === id;
}

/**
 * Whether a value of no known shape says whom to forget: a string in it quotes what was given, or is what entries call them; or a member is called as
 * their id is. Whoever names himself as a member is called, or a word that is in much, is not said by that.
 */
function isSaid(value: unknown, { subject, texts, given }: Forgotten): boolean {
  for (const left = [value]; left.length > 0; ) {
    const one = left.pop();
    if (typeof one === "string" && (texts.includes(one) || quotesAny([one], given))) return true;
    if (typeof one !== "object" || one === null) continue;
    if (!Array.isArray(one) && Object.hasOwn(one, subject.id)) return true;
    for (const member of Object.values(one) as unknown[]) left.push(member);
  }
  return false;
}

function parsed(body: string): object | null {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}

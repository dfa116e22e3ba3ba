import type { Config } from "../env.ts";
import { callLedger } from "../ledger/client.ts";
import { SHARED_MAX_CALLERS, SHARED_MAX_CHARACTERS, SHARED_WAIT_MAX_MS } from "../limits.ts";
import type { Append, AppendAnswer } from "../schema/ledger.ts";

/** A request's own: what it has yet to do after its answer. */
export type Lifetime = Pick<ExecutionContext, "waitUntil">;

/** Null: nobody asked for it, or nobody knows what became of it. */
type Waiting = { append: Append; answer: (answer: AppendAnswer | null) => void };
type Line = { waiting: Waiting[]; since: number };

/** Appends of this isolate about to be handed over, by org. */
const lines = new Map<string, Line>();

/** Whether what one request resolves goes on in the request that waits for it: a flag of the platform, not of tests' runner. */
export function canShare(): boolean {
  return Cloudflare.compatibilityFlags["handle_cross_request_promise_resolution"] === true;
}

/**
 * Appends like a call of one's own. Small appends of this isolate to one org that arrive in one turn of its event loop
 * share a call, for a call costs more than an entry; nobody waits for another's. Each is decided for its own caller.
 * What is left without an answer is asked again alone: batch ids make that harmless. `lifetime` is the request's own.
 */
export async function appendShared(
  config: Config,
  org: string,
  append: Append,
  lifetime: Lifetime,
): Promise<AppendAnswer> {
  if (charactersOf(append) > SHARED_MAX_CHARACTERS) return appendAlone(config, org, append);
  const { promise, resolve } = Promise.withResolvers<AppendAnswer | null>();
  const one = { append, answer: resolve };
  const line = lines.get(org);
  if (
    line === undefined ||
    line.waiting.length >= SHARED_MAX_CALLERS ||
    Date.now() - line.since >= SHARED_WAIT_MAX_MS
  ) {
    // What others wait for outlives the client that happened to come first.
    lifetime.waitUntil(lead(config, org, one));
    return (await promise) ?? appendAlone(config, org, append);
  }
  line.waiting.push(one);
  // The platform may end whoever calls for us at any time, and ends a request that has nothing of its own to wait for.
  const timer = setTimeout(() => resolve(null), SHARED_WAIT_MAX_MS);
  const answer = await promise;
  clearTimeout(timer);
  return answer ?? appendAlone(config, org, append);
}

/** A call for one's own append. */
export function appendAlone(config: Config, org: string, { caller, batches }: Append): Promise<AppendAnswer> {
  return callLedger(config, org, async (ledger) => await ledger.append(org, caller, batches));
}

/** Calls for `first` and for those who join it until the event loop turns. Never throws. */
async function lead(config: Config, org: string, first: Waiting): Promise<void> {
  const line: Line = { waiting: [first], since: Date.now() };
  lines.set(org, line);
  await new Promise((resolve) => setTimeout(resolve, 0));
  if (lines.get(org) === line) lines.delete(org);
  const answers = await appendAll(config, org, line.waiting).catch(() => null);
  line.waiting.forEach(({ answer }, n) => {
    answer(answers?.[n] ?? null);
  });
}

async function appendAll(config: Config, org: string, together: Waiting[]): Promise<AppendAnswer[]> {
  const appends = together.map(({ append }) => append);
  const [only] = appends;
  if (only !== undefined && appends.length === 1) return [await appendAlone(config, org, only)];
  const answers = await callLedger(config, org, async (ledger) => await ledger.appendAll(org, appends));
  return answers.ok ? answers.value : appends.map(() => answers);
}

function charactersOf({ batches }: Append): number {
  let characters = 0;
  for (const { events } of batches) {
    for (const { event, sections } of events) {
      characters += event.length;
      for (const { text } of sections) characters += text.length;
    }
  }
  return characters;
}

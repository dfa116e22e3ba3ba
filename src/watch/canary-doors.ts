import { exports, waitUntil } from "cloudflare:workers";
import type { Config } from "../env.ts";
import { ok, type Result } from "../errors.ts";
import { enqueue } from "../ingest/enqueue.ts";
import { parseEventsJson } from "../ingest/parse-events.ts";
import { submit } from "../ingest/submit.ts";
import { serviceReader } from "../schema/caller.ts";

type Door = (config: Config, org: string, event: string) => Promise<Result<unknown>>;

/** The ways events come in; a minute takes one of them. */
const DOORS: readonly Door[] = [
  async (config, org, text) => {
    const { caller, events } = handed(org, text);
    const cut = events.map((event) => event.cut);
    const submission = { org, caller, events: cut, idempotencyKey: null, received_at: Date.now() };
    return submit(config, { ...submission, delivery: "direct" }, { waitUntil });
  },
  async (config, org, text) => {
    const handover = { org, ...handed(org, text), idempotencyKey: null, sequenced: [], received_at: Date.now() };
    return enqueue(config, { ...handover, delivery: "queued" });
  },
  async (_config, org, text) => {
    const binding = exports.AuditLog({ props: { name: "service", orgs: [org], scopes: ["events:append"] } });
    const appended = await binding.append(org, JSON.parse(text));
    return appended.ok ? ok(null) : appended;
  },
];

/** Appends an event by the door whose turn it is; throws when it is not taken. */
export async function appendThrough(config: Config, org: string, { minute, event }: { minute: number; event: string }) {
  const door = DOORS[minute % DOORS.length] as Door;
  const appended = await door(config, org, event);
  if (!appended.ok) throw new Error(appended.refusal.detail);
}

function handed(org: string, text: string) {
  const parsed = parseEventsJson(text);
  if (!parsed.ok) throw new Error(parsed.refusal.detail);
  return { caller: serviceReader(org), events: parsed.value };
}

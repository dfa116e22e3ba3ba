import { Random } from "../scripts/demo/random.ts";

/** One in so many events is by this actor: a filter that finds little. */
export const RARE_ACTOR = "u_rare";
const RARE_ONE_IN = 10_000;
/** Two events in five: a filter that finds much. */
export const COMMON_ACTION = "document.view";

const PEOPLE = 300;
const DOCUMENTS = 5_000;
const AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
export const DAY_MS = 86_400_000;
/** Events say they happened within so many days before they are sent, so that a window of time leaves most of them out. */
const SPREAD_DAYS = 90;

/** JSON texts of ordinary events, the same on every machine but for their times: 480 bytes and 6.5 sections on average. */
export function eventTexts(
  seed: string,
  count: number,
  { endMs, days = SPREAD_DAYS }: { endMs: number; days?: number },
): string[] {
  const random = new Random(seed);
  return Array.from({ length: count }, (_, n) => {
    const at = endMs - Math.floor(((count - n) / count) * days * DAY_MS);
    return JSON.stringify({ ...sceneOf(random), occurred_at: new Date(at).toISOString() });
  });
}

function sceneOf(random: Random): Record<string, unknown> {
  const n = random.below(PEOPLE);
  const id = random.chance(1 / RARE_ONE_IN) ? RARE_ACTOR : `u_${1_000 + n}`;
  const actor = { type: "user", id, name: `Jane Doe ${n}`, email: `jane${n}@example.com` };
  const context = { ip: `192.0.2.${n % 250}`, user_agent: AGENT, request_id: `req_${random.hex(16)}` };
  const target = { type: "document", id: `d_${10_000 + random.below(DOCUMENTS)}` };
  const dice = random.below(10);
  if (dice < 4) return { action: COMMON_ACTION, actor, targets: [target], context };
  if (dice < 6)
    return { action: "user.login", category: "login", actor, context, metadata: { mfa: random.chance(0.5) } };
  if (dice < 8) {
    const version = random.below(40);
    const changes = { before: { version }, after: { version: version + 1 }, fields: ["version"] };
    return { action: "document.update", category: "data_modification", actor, targets: [target], context, changes };
  }
  if (dice < 9) {
    const other = { type: "user", id: `u_${1_000 + random.below(PEOPLE)}`, role: "recipient" };
    const metadata = { permission: "read", expires_days: random.below(30) };
    return { action: "document.share", actor, targets: [{ ...target, role: "subject" }, other], context, metadata };
  }
  const outcome = { result: "denied", error_code: "not_shared_with_you" };
  return {
    action: "role.grant",
    category: "user_management",
    actor,
    targets: [target],
    outcome,
    reason: "asked by legal",
  };
}

/** Bodies of appends of `size` events each, over the given events in turn. */
export function bodiesOf(texts: readonly string[], size: number): string[] {
  const bodies: string[] = [];
  for (let at = 0; at + size <= texts.length; at += size) {
    bodies.push(size === 1 ? (texts[at] as string) : `{"events":[${texts.slice(at, at + size).join(",")}]}`);
  }
  return bodies;
}

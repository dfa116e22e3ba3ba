import { HOSTILE } from "../../query/random-log.ts";
import { type Seen, seenBy } from "../../query/plain-filter.ts";
import type { Said } from "../../store/cells.ts";
import { type Choices, choicesOf } from "../../support/random.ts";

/** The person who asks to be forgotten: nothing else in an org has these texts in it. */
export const JANE = { type: "user", id: "u_jane4711", name: "Jane Röe (jane4711)", email: "jane4711@example.com" };
/** What tells any text about her from all others. */
export const HERS = "jane4711";

/** Months of 2031, and days of each with a batch. */
const MONTHS = [3, 4, 5, 6, 7, 8] as const;
const DAYS = 12;
const BATCHES = MONTHS.length * DAYS;
const DAY_MS = 86_400_000;

/** Logins are kept for as many days as an org says, unless their sender asked for more. */
export const POLICY = {
  days: { login: 30, telemetry: "forever", general: 400 },
  rules: [{ action: "session.*", category: "login" }],
};
/** What a court wants: a filter and a stretch of time, as a hold has them. */
export const CASE = { filter: { target: "c_7" }, from: "2031-04-01T00:00:00Z", to: "2031-07-31T00:00:00Z" };

/** Something that happened: as it is sent, and as somebody who sees everything reads it. `index` is where it was sealed. */
export type Lived = { event: Record<string, any>; said: Said; index: number };

/** What goes of an entry, and why. */
export type Gone = { cause: "erased" | "expired"; sections: string[] } | null;

const ACTIONS = ["session.begin", "session.begin", "session.end", "document.read", "document.share", "document.delete"];
const OTHERS = ["user.role.grant", "deploy.start"];
const CATEGORY: Record<string, string> = {
  user: "user_management",
  deploy: "telemetry",
  document: "data_modification",
};
const WORDS = ["quarterly review", "don't know", "foo-bar", "東京都 trip", "naïve plan", ...HOSTILE];

/** Half a year of an org, `count` events in all, in batches as they are sent: when, and what. */
export function* lifeOf(count: number): Generator<{ month: number; day: number; lived: Lived[] }> {
  const choices = choicesOf(20_310_301);
  for (let n = 0, at = 0; n < BATCHES; n++) {
    const [month, day] = [MONTHS[Math.floor(n / DAYS)] ?? 0, 2 + (n % DAYS)];
    const sequenced = Date.UTC(2031, month - 1, day, 12);
    const lived: Lived[] = [];
    for (const end = Math.floor(((n + 1) * count) / BATCHES); at < end; at++) lived.push(lives(choices, at, sequenced));
    yield { month, day, lived };
  }
}

function lives(choices: Choices, n: number, sequenced: number): Lived {
  const { chance, pick, below, skewed, some } = choices;
  const action = pick([...ACTIONS, ...OTHERS]);
  const part = below(100);
  const hers = part < 3;
  const other = () => ({ type: "user", id: `u_${below(40)}`, ...some(0.5, () => ({ name: pick(WORDS) })) });
  const targets = [
    { type: "document", id: `d_${below(60)}`, name: pick(WORDS), metadata: { shelf: skewed(WORDS) } },
    ...(part === 2 ? [{ type: JANE.type, id: JANE.id, name: JANE.name, metadata: { of: JANE.email } }] : []),
    ...(chance(hers ? 0.2 : 0.02) ? [{ type: "case", id: "c_7" }] : []),
  ];
  const event: Record<string, any> = {
    id: `e-${n}`,
    action,
    category: action.startsWith("session.") ? some(0.1, () => "general") : CATEGORY[action.split(".")[0] ?? ""],
    occurred_at: some(0.5, () => new Date(sequenced - below(3 * DAY_MS)).toISOString()),
    actor: part === 0 ? { ...JANE, metadata: { phone: `+43 ${HERS}` } } : other(),
    on_behalf_of: part === 1 ? { ...JANE } : some(0.1, other),
    targets,
    outcome: { result: pick(["success", "success", "failure", "denied"]) },
    context: { ip: `192.0.2.${below(60)}`, session_id: `s-${below(500)}`, user_agent: pick(WORDS) },
    // Words of changes are indexed as well: no question here asks for these.
    changes: some(0.3, () => ({ before: { revision: n }, after: { revision: n + 1 } })),
    reason: hers ? `asked by ${JANE.name}` : some(0.6, () => pick(WORDS)),
    metadata: { n, note: pick(WORDS), ...(hers ? { sees: JANE.email } : {}) },
  };
  // What is undefined is not a member: JSON has no such value.
  const sent = JSON.parse(JSON.stringify(event)) as Lived["event"];
  return { event: sent, said: saidOf(sent, new Date(sequenced).toISOString()), index: -1 };
}

function saidOf(event: Lived["event"], sequenced_at: string): Said {
  const { action, occurred_at, actor, on_behalf_of, targets, outcome, context, reason, metadata } = event;
  const category = action.startsWith("session.") ? "login" : event["category"];
  const party = ({ metadata: of, ...rest }: any) => ({ ...rest, ...(of && { metadata: JSON.stringify(of) }) });
  return {
    ...{ action, category, sequenced_at, context, metadata: JSON.stringify(metadata), result: outcome.result },
    ...{ actor: party(actor), targets: targets.map(party) },
    ...(occurred_at && { occurred_at }),
    ...(on_behalf_of && { on_behalf_of: party(on_behalf_of) }),
    ...(reason && { reason }),
  };
}

export function isHeld({ said }: Lived): boolean {
  const { from, to, filter } = CASE;
  const at = Date.parse(said.occurred_at ?? said.sequenced_at ?? "");
  const named = said.targets?.some(({ id }) => id === filter.target) === true;
  return named && at >= Date.parse(from) && at <= Date.parse(to);
}

/** Whether the days of an entry were over in October. Who sends a login as something else asks that it be kept longer. */
export function isOver({ said, event }: Lived): boolean {
  return said.category === "login" && event["category"] === undefined;
}

/** The sections that name her, and what was asked to go with them. */
function herSections({ said }: Lived): string[] {
  const parts = [
    { name: "actor", party: said.actor },
    { name: "on_behalf_of", party: said.on_behalf_of },
    ...(said.targets ?? []).map((party, n) => ({ name: `target/${n}`, party })),
  ];
  const found = parts.flatMap(({ name, party }) => {
    if (party?.id !== JANE.id) return [];
    return party.name === undefined ? [name] : [name, `${name}/detail`];
  });
  return found.length === 0 ? [] : [...found, "note", "metadata"];
}

/** Whether she is in an entry. */
export function isHers(lived: Lived): boolean {
  return herSections(lived).length > 0;
}

/** Every section an event is cut into, by docs/format.md. */
function allSections({ event }: Lived): string[] {
  const named = (name: string, party: any) => {
    if (party === undefined) return [];
    const { type: _, id: __, role: ___, ...detail } = party;
    return Object.keys(detail).length === 0 ? [name] : [name, `${name}/detail`];
  };
  const targets = (event["targets"] as any[]).flatMap((party, n) => named(`target/${n}`, party));
  const plain = ["context", "changes", "metadata"].filter((name) => event[name] !== undefined);
  const parties = [...named("actor", event["actor"]), ...named("on_behalf_of", event["on_behalf_of"])];
  return ["event", "note", ...parties, ...targets, ...plain];
}

/** How far the story is. */
export type Past = { expired: boolean; erased: boolean; held: boolean };

/** What has gone of an entry. */
export function goneOf(lived: Lived, { expired, erased, held }: Past): Gone {
  if (held && isHeld(lived)) return null;
  if (expired && isOver(lived)) return { cause: "expired", sections: allSections(lived).sort() };
  if (erased && isHers(lived)) return { cause: "erased", sections: herSections(lived).sort() };
  return null;
}

/** What somebody who may see everything sees of an entry then. */
export function seenIn(lived: Lived, past: Past): Seen {
  const gone = goneOf(lived, past);
  if (gone?.cause !== "erased") return seenBy(lived.said, { personal: true, hidden: gone !== null });
  const { reason: _, metadata: __, ...said } = lived.said;
  // Of a part its type stays, for it is no part of who it was.
  const left = <T extends { type: string; id: string }>(party: T) =>
    party.id === JANE.id ? { type: party.type, id: "" } : party;
  return seenBy(
    {
      ...said,
      ...(said.actor && { actor: left(said.actor) }),
      ...(said.on_behalf_of && { on_behalf_of: left(said.on_behalf_of) }),
      targets: (said.targets ?? []).map(left),
    },
    { personal: true, hidden: false },
  );
}

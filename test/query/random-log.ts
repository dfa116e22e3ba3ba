import type { Said } from "../store/cells.ts";
import type { Choices } from "../support/random.ts";

/** Texts that other search engines would read as something else than they are. */
export const HOSTILE = [
  '"a" OR "b"',
  "a AND b",
  "NOT x",
  "x*",
  "{x}:y",
  "NEAR(a b)",
  "^a",
  "-x",
  'x"',
  "(",
  "'; drop table cursor; --",
  "' or 1=1 --",
  "%",
  "\\",
  '\\"',
  "\u0000",
  "a\u0000b",
  "\ue0010123456789abcdef",
  "\u202eevil",
  "a\nb",
  " ",
  "e\u0301",
  "é",
  "ﬁre",
  "İstanbul",
  "ß",
  "__proto__",
  "constructor",
  "actor:u_1",
  "user.*",
] as const;

const NAMES = Array.from({ length: 400 }, (_, n) => `u_${n}`);
export const ACTIONS = [
  ...["document.share", "document.read", "document.delete", "user.created", "user.role.grant", "user.role.revoke"],
  ...["indelible.reads.disabled", "indelible.quarantine.placed", "indelible.read"],
  ...["user", "login", "login.failed", "users.created", "a.b.c.d.e", "Ünïcode.verb", "user.*", "x*.y"],
];
export const TYPES = ["document", "user", "Document", "a type", "日本", '"', "folder"];
export const CATEGORIES = ["general", "login", "data_modification", "telemetry"];
export const RESULTS = ["success", "failure", "denied"];
export const IPS = Array.from({ length: 60 }, (_, n) => (n % 9 === 0 ? `2001:db8::${n}` : `192.0.2.${n}`));
export const WORDS = [
  ...[
    "alpha",
    "beta",
    "gamma",
    "delta",
    "Straße",
    "ＦＵＬＬ",
    "naïve",
    "don't",
    "foo-bar",
    "42",
    "3.14",
    "x".repeat(70),
  ],
  ...[
    "東京都",
    "京都",
    "東",
    "カタカナ",
    "한국어",
    "foo東京",
    "हिन्दी",
    "🦊",
    "…",
    "user@example.com",
    "C:\\new\\table",
  ],
  ...HOSTILE,
];

export const DAY_MS = 86_400_000;
/** How many days a random log is sequenced in: it lies in six slots. */
export const DAYS = 150;

export const someText = ({ skewed, many }: Choices) => ["", ...many(6, () => skewed(WORDS))].join(" ").trim();
export const someName = ({ chance, skewed, pick }: Choices): string => (chance(0.05) ? pick(HOSTILE) : skewed(NAMES));

/** A JSON source text with texts in it, now and then with escapes nobody needs. */
function someSource(choices: Choices): string {
  const texts = choices.many(3, () => someText(choices));
  const source = choices.pick([
    JSON.stringify(texts),
    JSON.stringify({ note: texts[0] ?? null, n: 12_345 }),
    `{"n":9007199254740993,"x":1.10,"s":${JSON.stringify(texts.join(" "))},"s":"twice"}`,
    "null",
  ]);
  return choices.chance(0.2) ? source.replace(/a/g, "\\u0061") : source;
}

function someParty(choices: Choices, type: string, id: string) {
  const name = choices.some(0.4, () => someText(choices));
  const email = choices.some(0.1, () => `${choices.pick(["ada", "bob"])}@example.com`);
  const metadata = choices.some(0.1, () => someSource(choices));
  return {
    ...{ type, id },
    ...(name === undefined ? {} : { name }),
    ...(email === undefined ? {} : { email }),
    ...(metadata === undefined ? {} : { metadata }),
  };
}

function someTargets(choices: Choices) {
  return choices.many(3, () =>
    someParty(choices, choices.skewed(TYPES), choices.chance(0.3) ? someName(choices) : `d_${choices.below(300)}`),
  );
}

/** An event of a log of `count` that begins at `first`: any member may be missing. */
function someSaid(choices: Choices, n: number, { first, count }: { first: number; count: number }): Said {
  const { chance, below, pick, skewed, some } = choices;
  const sequenced = first + Math.floor((n * DAYS * DAY_MS) / count);
  const occurred = some(0.5, () => new Date(sequenced - below(chance(0.1) ? 900 * DAY_MS : 3 * DAY_MS)));
  const members = {
    id: some(0.3, () => `e-${n}`),
    occurred_at: occurred?.toISOString(),
    result: some(0.4, () => pick(RESULTS)),
    on_behalf_of: some(0.1, () => someParty(choices, "user", someName(choices))),
    targets: some(0.7, () => someTargets(choices)),
    context: some(0.5, () => ({ ip: skewed(IPS), session_id: `s-${below(500)}`, request_id: someText(choices) })),
    reason: some(0.4, () => someText(choices)),
    metadata: some(0.4, () => someSource(choices)),
  };
  return {
    action: skewed(ACTIONS),
    category: pick(CATEGORIES),
    source: chance(0.1) ? "service" : "client",
    sequenced_at: new Date(sequenced).toISOString(),
    actor: someParty(choices, pick(["user", "service"]), someName(choices)),
    // What is undefined is not a member: JSON has no such value.
    ...(JSON.parse(JSON.stringify(members)) as Partial<Said>),
  };
}

export function someLog(choices: Choices, count: number, first: number): Said[] {
  return Array.from({ length: count }, (_, n) => someSaid(choices, n, { first, count }));
}

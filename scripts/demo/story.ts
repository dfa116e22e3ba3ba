import { type Part, eventText, SourceText } from "../../src/cli/import/event-text.ts";
import { type Cast, castOf, type Person, type Thing } from "./cast.ts";
import { Random } from "./random.ts";

export type StoryEvent = { id: string; text: string };

type Scene = { [member: string]: Part | undefined };
type Stage = { cast: Cast; random: Random };

/** The first event of every story; fixed, so that a second run tells it again word for word. */
const BEGINS_MS = Date.UTC(2026, 9, 26, 6, 0, 0);
const LASTS_MS = 26 * 86_400_000;

/** What happened in an org, as events with ids of their own, in the order of time: the same on every run. */
export function storyOf(org: string, { events, people }: { events: number; people: number }): StoryEvent[] {
  const random = new Random(`indelible demo ${org}`);
  const stage: Stage = { cast: castOf(org, people, random), random };
  const story: StoryEvent[] = [];
  for (let n = 0; n < events; n++) {
    const id = `demo-${org}-${String(n + 1).padStart(5, "0")}`;
    const at = BEGINS_MS + Math.floor((LASTS_MS * (n + random.next())) / events);
    const scene = sceneOf(stage);
    story.push({ id, text: eventText({ id, occurred_at: new Date(at).toISOString(), ...scene }) });
  }
  return story;
}

/** How often each kind of scene is played, in shares of the whole. */
const SCENES: ReadonlyArray<[number, (stage: Stage) => Scene]> = [
  [22, viewed],
  [14, edited],
  [8, shared],
  [16, loggedIn],
  [8, calledApi],
  [7, roleChanged],
  [6, configured],
  [5, keyRotated],
  [4, impersonated],
  [4, exported],
  [3, invited],
  [3, heartbeat],
];
const SHARES = SCENES.reduce((sum, [share]) => sum + share, 0);

function sceneOf(stage: Stage): Scene {
  let left = stage.random.below(SHARES);
  for (const [share, play] of SCENES) {
    left -= share;
    if (left < 0) return play(stage);
  }
  return viewed(stage);
}

function viewed({ cast, random }: Stage): Scene {
  const who = random.pick(cast.people);
  const denied = random.chance(0.04);
  return {
    action: "document.view",
    actor: user(who),
    targets: [target(random.pick(cast.documents), "subject")],
    outcome: denied ? { result: "denied", error_code: "not_shared_with_you" } : undefined,
    context: contextOf(who, random),
    // Larger than any double can count: it comes back digit by digit.
    metadata: new SourceText(`{"view_id":${random.digits(19)},"seconds":${random.below(600)}.50}`),
  };
}

function edited({ cast, random }: Stage): Scene {
  const who = random.pick(cast.people);
  const version = 1 + random.below(40);
  return {
    action: "document.update",
    category: "data_modification",
    actor: user(who),
    targets: [target(random.pick(cast.documents), "subject")],
    context: contextOf(who, random),
    changes: {
      before: new SourceText(`{"version":${version}}`),
      after: new SourceText(`{"version":${version + 1}}`),
      fields: ["version"],
    },
  };
}

function shared({ cast, random }: Stage): Scene {
  const who = random.pick(cast.people);
  const other = random.pick(cast.people);
  return {
    action: "document.share",
    category: "data_modification",
    actor: user(who),
    targets: [
      target(random.pick(cast.documents), "subject"),
      { type: "user", id: other.id, role: "recipient", name: other.name },
    ],
    context: contextOf(who, random),
    reason: random.chance(0.3) ? random.pick(["quarterly review", "für die Prüfung", "asked by legal"]) : undefined,
  };
}

function loggedIn({ cast, random }: Stage): Scene {
  const who = random.pick(cast.people);
  const failed = random.chance(0.18);
  const failure = {
    result: "failure",
    error_code: "bad_password",
    error_message: `attempt ${1 + random.below(5)} of 5`,
  };
  return {
    action: "user.login",
    category: "login",
    actor: user(who),
    outcome: failed ? failure : { result: "success" },
    context: contextOf(who, random),
    metadata: new SourceText(
      `{"method":"${random.pick(["password", "passkey", "saml"])}","mfa":${random.chance(0.7)}}`,
    ),
  };
}

function calledApi({ cast, random }: Stage): Scene {
  const key = random.pick(cast.keys);
  return {
    action: "invoice.create",
    category: "data_modification",
    actor: { type: "api_key", id: key.id, name: key.name },
    targets: [{ type: "invoice", id: `inv-2026-${random.digits(6)}` }],
    context: { ip: `203.0.113.${1 + random.below(250)}`, request_id: random.hex(16), trace_id: random.hex(32) },
    metadata: new SourceText(`{"amount_minor":${random.digits(17)},"currency":"EUR","rate":1.${random.digits(3)}0}`),
  };
}

function roleChanged({ cast, random }: Stage): Scene {
  const who = random.pick(cast.admins);
  const other = random.pick(cast.people);
  const [before, after] = random.pick([
    ["member", "admin"],
    ["admin", "member"],
    ["guest", "member"],
  ] as const);
  return {
    action: "user.role.update",
    category: "user_management",
    actor: user(who),
    targets: [{ type: "user", id: other.id, role: "subject", name: other.name }],
    context: contextOf(who, random),
    changes: {
      before: new SourceText(`{"role":"${before}"}`),
      after: new SourceText(`{"role":"${after}"}`),
      fields: ["role"],
    },
    reason: `ticket #${random.digits(5)}`,
  };
}

function configured({ cast, random }: Stage): Scene {
  const who = random.pick(cast.admins);
  const [before, after] = [5 + random.below(20), 5 + random.below(20)];
  return {
    action: "settings.password_policy.update",
    category: "config_change",
    actor: user(who),
    targets: [{ type: "settings", id: "password_policy", name: "Password policy" }],
    context: contextOf(who, random),
    changes: {
      before: new SourceText(`{"min_length":${before},"threshold":1.10}`),
      after: new SourceText(`{"min_length":${after},"threshold":1.1}`),
      fields: ["min_length", "threshold"],
    },
  };
}

function keyRotated({ cast, random }: Stage): Scene {
  const who = random.pick(cast.admins);
  return {
    action: random.pick(["api_key.create", "api_key.revoke", "api_key.rotate"]),
    category: "config_change",
    actor: user(who),
    targets: [target(random.pick(cast.keys), "subject")],
    context: contextOf(who, random),
  };
}

function impersonated({ cast, random }: Stage): Scene {
  const other = random.pick(cast.people);
  return {
    action: random.pick(["document.view", "ticket.reply", "user.settings.view"]),
    actor: { type: "support_agent", id: `s_${1 + random.below(4)}`, name: random.pick(["Sam Support", "Ågot Hjelp"]) },
    on_behalf_of: user(other),
    targets: [target(random.pick(cast.documents), "subject")],
    context: contextOf(other, random),
    reason: `support case ${random.digits(6)}`,
  };
}

function exported({ cast, random }: Stage): Scene {
  const who = random.pick(cast.people);
  const denied = random.chance(0.3);
  return {
    action: "report.export",
    category: "log_access",
    actor: user(who),
    targets: [{ type: "report", id: `r_${1 + random.below(12)}` }],
    outcome: denied ? { result: "denied", error_code: "needs_admin" } : undefined,
    context: contextOf(who, random),
    metadata: new SourceText(`{"rows":${random.below(90_000)},"format":"csv"}`),
  };
}

function invited({ cast, random }: Stage): Scene {
  const who = random.pick(cast.admins);
  const address = `guest${random.digits(4)}@partner.example`;
  return {
    action: "user.invite",
    category: "user_management",
    actor: user(who),
    targets: [{ type: "invitation", id: `i_${random.hex(8)}`, name: address }],
    context: contextOf(who, random),
  };
}

function heartbeat({ random }: Stage): Scene {
  return {
    action: "backup.finish",
    category: "telemetry",
    actor: { type: "service", id: "backup" },
    outcome: random.chance(0.1) ? { result: "failure", error_code: "timeout" } : undefined,
    metadata: new SourceText(`{"bytes":${random.digits(16)},"duration_s":${random.below(900)}.0}`),
  };
}

function user(person: Person): Part {
  return { type: "user", id: person.id, name: person.name, email: person.email };
}

function target(thing: Thing, role: string): Part {
  return { ...thing, role };
}

function contextOf(person: Person, random: Random): Part {
  return {
    ip: person.ip,
    user_agent: person.agent,
    session_id: `s_${person.id}_${random.below(30)}`,
    request_id: random.hex(16),
  };
}

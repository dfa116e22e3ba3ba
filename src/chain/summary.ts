import type { OpenedEntry, OpenedParty } from "./open.ts";

/** What a sentence is made of: the entry, who acted (`by` begins it) and the first target as words, and what the entry's metadata says. */
type Said = { entry: OpenedEntry; party: string; by: string; target: string; says: Record<string, unknown> };

/** A sentence for each action of the service's own entries. An action without one does not compile (`Act`). */
const SENTENCES = {
  "indelible.org.created": ({ by }) => `${by} created this log.`,
  "indelible.org.updated": ({ by }) => `${by} changed the settings of the org.`,
  "indelible.key.created": ({ by, target, says }) => `${by} issued ${target}${named(says["name"])}.`,
  "indelible.key.revoked": ({ by, target, says }) => `${by} revoked ${target}${named(says["name"])}.`,
  "indelible.viewer_token.issued": ({ by, target, entry: { targets } }) =>
    `${by} issued ${target}${targets[1] === undefined ? "" : `, for ${partyText(targets[1])}`}.`,
  "indelible.read": ({ by, says }) =>
    `${by} read this log (${word(says["route"])}); the first answer held ${counted(says["results_count"], "result")}.`,
  "indelible.read.closed": ({ party, says }) =>
    `Reading by ${party} ended (${word(says["route"])}): ${counted(says["answers"], "answer")} with ${counted(says["results"], "result")}.`,
  "indelible.access.refused": ({ by, says }) =>
    `${by} was refused ${counted(says["calls"], "call")} (${word(says["code"])}).`,
  "indelible.log.continued": ({ by, says }) =>
    `${by} began this log, number ${word(says["number"])} of the org, to continue the one before.`,
  "indelible.log.restored": ({ says }) =>
    `The ledger, which held ${counted(says["from_size"], "entry")}, was restored to ${word(says["to_size"])}.`,
  "indelible.reads.disabled": ({ by, says }) => `${by} stopped reading ${everywhere(says["of"])}.`,
  "indelible.reads.enable_requested": ({ by, says }) =>
    `${by} asked that reading ${everywhere(says["of"])} goes on, with the breaks that were found; a second key has to agree.`,
  "indelible.reads.enabled": ({ by, says }) => `${by} let reading ${everywhere(says["of"])} go on again.`,
  "indelible.quarantine.placed": ({ by, target, says }) => `${by} put ${range(says)} under ${target}.`,
  "indelible.quarantine.released": ({ by, target, says }) => `${by} released ${range(says)} from ${target}.`,
  "indelible.quarantine.annotated": ({ by, target }) => `${by} annotated ${target}.`,
  "indelible.hold.placed": ({ by, target }) => `${by} placed ${target}: what it covers stays.`,
  "indelible.hold.released": ({ by, target }) => `${by} released ${target}.`,
  "indelible.erasure.begun": ({ by, says }) => `${by} began to erase ${listed(says["list"])}.`,
  "indelible.erasure.ended": ({ by, says }) =>
    `${erasing(by, says["state"])} ${listed(says["removed"])}${kept(says["held"])}.`,
  "indelible.retention.run": ({ by, says }) => `${by} let ${listed(says["list"])} expire.`,
  "indelible.retention.refused": ({ by, says }) =>
    `${by} asked that entries expire as if it were ${word(says["as_of"])}, and was refused.`,
  "indelible.finding": ({ target, says }) =>
    `The service found ${counted(says["count"], "entry")} of ${target} ${wrong(says)} (${word(says["kind"])}, ${word(says["at"])}).`,
  "indelible.projection.rebuilt": ({ by }) => `${by} had the search database made anew.`,
  "indelible.tier.cooled": ({ says }) =>
    `The service keeps ${range(says)} of log ${word(says["log"])} in the archive alone from now on, after it proved that all are there.`,
  "indelible.repair.begun": ({ by, says }) =>
    `${by} began to repair ${counted(says["rows"], "row")} of the search database.`,
  "indelible.repair.ended": ({ by, says }) => `${by} repaired ${counted(says["rows"], "row")} of the search database.`,
  "indelible.export.requested": ({ by, target, says }) => `${by} asked for ${target} (${word(says["format"])}).`,
  "indelible.export.completed": ({ target, says }) =>
    `${capital(target)} was made: ${counted(says["rows"], "entry")} in ${counted(says["bytes"], "byte")}.`,
  "indelible.export.cancelled": ({ by, target }) => `${by} cancelled ${target}.`,
  "indelible.export.failed": ({ target }) => `${capital(target)} failed, and what there was of it was removed.`,
  "indelible.export.flagged": ({ target, says }) =>
    `${capital(target)} holds ${counted(says["rows"], "entry")}, more than ${word(says["large_export_rows"])}: it is to be reviewed.`,
} as const satisfies Record<`indelible.${string}`, (said: Said) => string>;

/** The actions of the service's own entries. */
export type ServiceAction = keyof typeof SENTENCES;

/** Characters of one name shown, and how many targets are named. */
const NAME_MAX_CHARACTERS = 80;
const TARGETS_SHOWN = 3;

/**
 * An entry in a plain sentence, made from the members its reader sees and nothing else. It is no part of what is hashed.
 * Texts of clients are cut, and what could make them pass for the sentence or turn it around is taken out.
 */
export function summaryOf(entry: OpenedEntry): string {
  const { leaf, event, actor, on_behalf_of, targets, note } = entry;
  if (event === null || actor === null) return `Entry ${leaf.index}, of which what happened is not shown.`;
  const party = partyText(actor);
  const by = capital(party);
  if (leaf.source === "service" && Object.hasOwn(SENTENCES, event.action)) {
    const [first] = targets;
    const target = first === undefined ? "something" : partyText(first);
    return SENTENCES[event.action as ServiceAction]({ entry, party, by, target, says: objectOf(entry.metadata) });
  }
  const behalf = on_behalf_of === null ? "" : `, for ${partyText(on_behalf_of)},`;
  const what = targets.length === 0 ? "" : ` on ${targetsText(targets)}`;
  const { result = "success", error_code } = event.outcome ?? {};
  const why = note?.error_message ?? error_code;
  const end = result === "success" ? "" : ` It ${ended(result)}${why === undefined ? "" : ` (${word(why)})`}.`;
  const recorded = leaf.source === "service" ? "The service itself recorded: " : "";
  return `${recorded}${by}${behalf} did ${word(event.action)}${what}.${end}`;
}

function ended(result: string): string {
  if (result === "denied") return "was denied";
  return result === "failure" ? "failed" : `ended in ${word(result)}`;
}

function partyText({ type, id, name }: OpenedParty): string {
  const shown = id === null ? "(not shown)" : word(id);
  return name === undefined ? `${word(type)} ${shown}` : `${word(type)} ${quoted(name)} (${shown})`;
}

/** What a list of absences names. */
function listed(list: unknown): string {
  const { entries, sections } = (typeof list === "object" && list !== null ? list : {}) as Record<string, unknown>;
  return `${counted(sections, "section")} of ${counted(entries, "entry")}`;
}

function erasing(by: string, state: unknown): string {
  if (state === "cancelled") return `${by} cancelled an erasure, which had erased`;
  return state === "failed" ? "An erasure failed, which had erased" : `${by} erased`;
}

/** How many entries a hold has kept from a removal. */
function kept(held: unknown): string {
  return typeof held === "number" && held > 0 ? `; ${counted(held, "entry")} stayed under hold` : "";
}

function targetsText(targets: readonly OpenedParty[]): string {
  const shown = targets.slice(0, TARGETS_SHOWN).map(partyText);
  const more = targets.length - shown.length;
  if (more > 0) return `${shown.join(", ")} and ${more} more`;
  return shown.length < 2 ? (shown[0] ?? "") : `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}`;
}

/** What cannot be mistaken for a part of the sentence stands without quotes. */
const PLAIN = /^[\p{L}\p{N}_@/+~=:.-]*[\p{L}\p{N}_/+~=-]$/u;

function word(value: unknown): string {
  const text = typeof value === "string" || typeof value === "number" ? String(value) : "?";
  return text.length <= NAME_MAX_CHARACTERS && PLAIN.test(text) ? text : quoted(text);
}

/** Controls, invisible characters and those that change the direction of text; joiners, which emoji need, are let be. */
const UNSHOWN = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu;
/** More marks than one letter carries in any script would paint over the line above. */
const MARKS = /(\p{M}{4})\p{M}+/gu;

function quoted(text: string): string {
  // No character has more than two units, so nothing beyond is looked at.
  const characters = [...text.slice(0, 2 * NAME_MAX_CHARACTERS + 1)];
  const cut = characters.slice(0, NAME_MAX_CHARACTERS).join("");
  const shown = cut
    .replace(UNSHOWN, "\ufffd")
    .replace(MARKS, "$1")
    .replace(/["“”„‟]/gu, "'");
  return `“${shown}${cut.length < text.length ? "…" : ""}”`;
}

function named(name: unknown): string {
  return typeof name === "string" ? `, named ${quoted(name)}` : "";
}

function counted(count: unknown, what: "entry" | "section" | "result" | "answer" | "call" | "row" | "byte"): string {
  const many = what === "entry" ? "entries" : `${what}s`;
  return count === 1 ? `1 ${what}` : `${word(count)} ${many}`;
}

/** Whose reading a switch stops. */
function everywhere(of: unknown): string {
  return of === "deployment" ? "everywhere in this deployment" : "of this org";
}

/** What is wrong with entries that were found. */
function wrong({ kind, count }: Record<string, unknown>): string {
  if (kind === "misrouted") return count === 1 ? "where it does not belong" : "where they do not belong";
  return kind === "missing" ? "missing" : "damaged";
}

/** The window of a quarantine: `to` is null where it has no end. */
function range({ from, to }: Record<string, unknown>): string {
  if (typeof from !== "number") return "entries that are not named here";
  return typeof to === "number" ? `entries ${from} to ${to - 1}` : `entries from ${from} on`;
}

function capital(text: string): string {
  return /^[a-z]/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}

function objectOf(text: string | null): Record<string, unknown> {
  if (text === null) return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

import { base64 } from "../../chain/encoding.ts";
import type { OpenedEntry, OpenedParty, OpenedTarget } from "../../chain/open.ts";
import { summaryOf } from "../../chain/summary.ts";
import type { LogBreak } from "../../verifier/report.ts";
import { type Fact, facts, wrapped } from "../terminal/facts.ts";
import { count, counted } from "../terminal/format.ts";
import { printable } from "../terminal/printable.ts";
import { inkFor, type Sink } from "../terminal/terminal.ts";
import { NOT_PROVEN } from "./job.ts";
import { breakFacts, KEEP_BOTH, keyText } from "./log-text.ts";
import type { ProofVerdict } from "./verify-proof.ts";

const SHOWN_CHARACTERS = 1_000;

/** What a proof shows, for a reader: what happened in one sentence, then its parts, then what it rests on. */
export function proofText(verdict: ProofVerdict, { sink, complete }: { sink: Sink; complete: boolean }): string {
  const ink = inkFor(sink);
  const { proven, entry, trust } = verdict;
  const withheld = proven.absences.some(({ cause }) => cause === "withheld");
  const whole = proven.absences.length === 0;
  const mark = whole ? ink.green("✓") : complete && withheld ? ink.red("✗") : ink.yellow("•");
  const said = wrapped(printable(summaryOf(entry)), sink.columns() - 3).map((line) => ink.bold(line));
  const { size, root } = proven.checkpoint;
  const witnesses = proven.cosigned.map(
    ({ name, timestamp }): Fact => [
      "witness",
      `${printable(name)} saw this tree by ${new Date(timestamp * 1000).toISOString()}`,
    ],
  );
  const all: Fact[] = [
    ["log", printable(entry.leaf.log)],
    ["entry", count(entry.leaf.index)],
    ...memberFacts(entry),
    ["", ""],
    ["verified", "this entry, as it stands here, is in the tree that the log's key signed"],
    ["checkpoint", `${counted(size, "entry", "entries")} · root ${base64(root)}`],
    ["key", keyText(trust)],
    ...witnesses,
    ...absenceFacts(verdict),
    ["not proven", NOT_PROVEN.time, NOT_PROVEN.log],
  ];
  return `${mark} ${said.join("\n  ")}\n\n${facts(all, sink)}`;
}

/** What does not hold: a proof, or an export. */
export function faultText(
  breaks: readonly LogBreak[],
  { origin, what, evidence, sink }: { origin: string; what: string; evidence: string[] | null; sink: Sink },
): string {
  const ink = inkFor(sink);
  const kept: Fact[] = evidence === null ? [] : [["what to do", KEEP_BOTH, ...evidence]];
  return `${ink.red("✗")} ${ink.bold(printable(origin))}: ${ink.red(what)}\n\n${facts([...breakFacts(breaks, sink), ...kept], sink)}`;
}

function partyText({ type, id, name }: OpenedParty | OpenedTarget): string {
  return `${type} ${id ?? "(not shown)"}${name === undefined ? "" : ` (${name})`}`;
}

function memberFacts(entry: OpenedEntry): Fact[] {
  const { leaf, event, note, context, changes, metadata } = entry;
  const all: [string, string | null | undefined][] = [
    ["id", entry.id],
    ["category", leaf.category],
    ["occurred at", event?.occurred_at],
    ["received at", event?.received_at],
    ["sequenced at", leaf.sequenced_at],
    ["result", event?.outcome?.result],
    ["reason", note?.reason],
    ["actor", detailText(entry.actor)],
    ["on behalf of", detailText(entry.on_behalf_of)],
    ...entry.targets.map((target, n): [string, string | null] => [`target ${n}`, detailText(target)]),
    [
      "context",
      context === null
        ? null
        : Object.entries(context)
            .map(([name, value]) => `${name} ${value}`)
            .join(" · "),
    ],
    ["before", changes?.before],
    ["after", changes?.after],
    ["changed", changes?.fields?.join(", ")],
    ["metadata", metadata],
    ["came by", [event?.delivery, event?.key].filter((text) => text !== undefined).join(", key ")],
    ["keep until", leaf.keep_until],
    ["entry hash", entry.hash],
  ];
  return all.flatMap(([label, text]): Fact[] =>
    text === null || text === undefined || text === "" ? [] : [[label, printable(clipped(text))]],
  );
}

/** A value of any length must not push the verdict off the screen. */
function clipped(text: string): string {
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}… (--json has all of it)`;
}

/** What the sentence does not say of a party. */
function detailText(party: OpenedParty | OpenedTarget | null): string | null {
  if (party === null) return null;
  const role = "role" in party ? party.role : undefined;
  const parts = [partyText(party), role, party.email, party.metadata].filter((text) => text !== undefined);
  return parts.length > 1 ? parts.join(" · ") : null;
}

function absenceFacts({ proven }: ProofVerdict): Fact[] {
  return (["withheld", "erased", "expired"] as const).flatMap((cause): Fact[] => {
    const absent = proven.absences.filter((one) => one.cause === cause);
    if (absent.length === 0) return [];
    const names = absent.map(({ section, by }) => (by === undefined ? section : `${section} (by entry ${count(by)})`));
    const says =
      cause === "withheld"
        ? "not shown to who asked for this proof"
        : "so it is said; the entry that is the cause is not part of this proof";
    return [[cause, names.join(", "), says]];
  });
}

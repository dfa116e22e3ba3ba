import { hex } from "../../chain/encoding.ts";
import { formatVkey } from "../../chain/note/note-key.ts";
import { parseCheckpoint } from "../../verifier/index.ts";
import type { LogBreak } from "../../verifier/report.ts";
import { type Fact, facts } from "../terminal/facts.ts";
import { count, counted, duration } from "../terminal/format.ts";
import { printable } from "../terminal/printable.ts";
import { inkFor, type Sink } from "../terminal/terminal.ts";
import { NOT_PROVEN } from "./job.ts";
import type { Trust } from "./trust.ts";
import { isSound, type LogVerdict, REMEMBERED } from "./verify-log.ts";

/** More breaks than this are counted, not listed: `--json` has them all. */
const SHOWN_BREAKS = 20;

export const KEEP_BOTH =
  "Do not rely on this log. Keep both checkpoints: both are signed, and together they show what it did.";

type Text = { elapsedMs: number; sink: Sink; complete: boolean };

/** The result of an independent verification for a reader: the verdict first, then what it rests on. */
export function logText(verdict: LogVerdict, { elapsedMs, sink, complete }: Text): string {
  const ink = inkFor(sink);
  const { report } = verdict;
  const rate = elapsedMs > 0 ? Math.round((report.entries * 1000) / elapsedMs) : 0;
  const foot = report.entries === 0 ? "" : `  ${ink.dim(`${duration(elapsedMs)} · ${count(rate)} entries/s`)}\n`;
  const found = breakFacts(report.breaks, sink);
  const rest = [...found, ...remedyFacts(verdict), ...doubtFacts(verdict), ...groundFacts(verdict, complete)];
  return `${headline(verdict, { sink, complete })}\n\n${facts(rest, sink)}${foot}`;
}

function headline({ report }: LogVerdict, { sink, complete }: { sink: Sink; complete: boolean }): string {
  const ink = inkFor(sink);
  const log = ink.bold(printable(report.origin));
  const { breaks, unvouched, ok, absent, sections_unseen } = report;
  const entries = counted(report.entries, "entry", "entries");
  if (breaks.length > 0) return `${ink.red("✗")} ${log}: ${ink.red(counted(breaks.length, "break", "breaks"))}`;
  if (unvouched.length > 0) return `${ink.red("✗")} ${log}: ${ink.red("not whole")}`;
  if (!ok) return `${ink.yellow("•")} ${log}: could not be checked to the end`;
  if (sections_unseen > 0) {
    const mark = complete ? ink.yellow("•") : ink.green("✓");
    return `${mark} ${log}: ${entries} as signed, contents not seen`;
  }
  if (absent.withheld > 0) return `${ink.yellow("•")} ${log}: ${entries} as signed, some sections withheld`;
  return `${ink.green("✓")} ${log}: all ${entries} verified`;
}

export function breakFacts(breaks: readonly LogBreak[], sink: Sink): Fact[] {
  const ink = inkFor(sink);
  const shown = breaks.slice(0, SHOWN_BREAKS).map((one): Fact => {
    const section = one.section === undefined ? "" : ` · section ${printable(one.section)}`;
    const hashes = [
      ...(one.expected === undefined ? [] : [`expected ${printable(one.expected)}`]),
      ...(one.actual === undefined ? [] : [`found ${printable(one.actual)}`]),
    ];
    return [placeOf(one), `${ink.red(one.kind)}${section}`, printable(one.detail), ...hashes.map(ink.dim), ""];
  });
  const more = breaks.length - shown.length;
  return more > 0 ? [...shown, ["", `and ${count(more)} more: --json lists them all`, ""]] : shown;
}

export function placeOf({ index, to }: { index: number | null; to?: number }): string {
  if (index === null) return "the log";
  return to === undefined || to === index ? `entry ${count(index)}` : `entries ${count(index)}–${count(to)}`;
}

/** What to do about a log that contradicts its own word. */
function remedyFacts({ report, older: { since }, evidence }: LogVerdict): Fact[] {
  const whole = report.breaks.filter(({ index, kind }) => index === null || kind === "truncated");
  if (whole.length === 0) return [];
  const files = evidence ?? [];
  if (report.root === "" && whole.some(({ kind }) => kind === "truncated")) {
    const keep = "Do not rely on these logs. Keep that checkpoint: it is signed, and shows that there was such a log.";
    return [["what to do", keep, ...files, ""]];
  }
  if (whole.some(({ kind }) => kind === "bad_signature")) {
    const ask = "Ask whoever runs it, by another way than this address, whether its key has changed.";
    return [["what to do", `Do not rely on this log. ${ask} If so, give the new one with --key.`, ...files, ""]];
  }
  const against = report.older.filter(({ grew }) => grew === false);
  if (against.length === 0) {
    return [["what to do", "Do not rely on it. Get it again; if it stays so, ask whoever runs the log.", ""]];
  }
  if (against.every(({ name }) => name === since?.name && !since.signed)) {
    const proves = `${since?.name} is not signed by this key, so it proves nothing against the log.`;
    const other = "If the log had another key then, give that one as well, with --key.";
    return [["what to do", `Find out who made it: ${proves} ${other}`, ...files, ""]];
  }
  return [["what to do", KEEP_BOTH, ...files, ""]];
}

function doubtFacts({ report }: LogVerdict): Fact[] {
  const { could_not_check: unchecked, unvouched, stopped_at } = report;
  const doubts: Fact[] = [];
  for (const run of unvouched)
    doubts.push(["unvouched", `${placeOf({ index: run.from, to: run.to })}: nothing signed says what they were`]);
  for (const one of unchecked.slice(0, SHOWN_BREAKS))
    doubts.push(["not checked", printable(one.index === null ? one.why : `${placeOf(one)}: ${one.why}`)]);
  if (unchecked.length > SHOWN_BREAKS)
    doubts.push(["", `and ${count(unchecked.length - SHOWN_BREAKS)} more: --json lists them all`]);
  if (stopped_at !== null) doubts.push(["stopped", `at entry ${count(stopped_at)}: what follows was not looked at`]);
  return doubts.length === 0 ? [] : [...doubts, ["", ""]];
}

/** What the verdict rests on, and what it leaves open. */
function groundFacts(verdict: LogVerdict, complete: boolean): Fact[] {
  const { report, place, trust, cosigned, older } = verdict;
  if (trust === null) return [];
  if (report.root === "") return [["key", keyText(trust)]];
  const ground: Fact[] = [
    ["checkpoint", `${counted(report.size, "entry", "entries")} · root ${report.root}`],
    ["key", ...keyText(trust).split("\n")],
    ...cosigned.map(
      ({ name, timestamp }): Fact => [
        "witness",
        `${printable(name)} saw this tree by ${new Date(timestamp * 1000).toISOString()}`,
      ],
    ),
    ["leaves", leavesText(report)],
    ...placeFacts(verdict),
  ];
  if (report.sections > 0) ground.push(["sections", `${count(report.sections)} are what their leaves commit`]);
  const { erased, expired, withheld } = report.absent;
  if (erased > 0)
    ground.push(["erased", `${counted(erased, "section", "sections")}, by an entry of this log that says so`]);
  if (expired > 0)
    ground.push(["expired", `${counted(expired, "section", "sections")}, by an entry of this log that says so`]);
  if (withheld > 0) ground.push(["withheld", `${counted(withheld, "section", "sections")}: not all is verified`]);
  if (report.beyond > 0) {
    ground.push([
      "newer",
      `${counted(report.beyond, "record is", "records are")} of entries above this checkpoint: not verified`,
    ]);
  }
  if (report.sections_unseen > 0) {
    const must = complete ? ", and --complete asked for them" : "";
    ground.push([
      "not seen",
      `${counted(report.sections_unseen, "section", "sections")}: tiles carry commitments, not contents${must}. A proof of an entry, or a folder with its record lines, shows them.`,
    ]);
  }
  for (const one of report.older) {
    if (one.name === REMEMBERED || one.grew !== true) continue;
    const unsigned = older.since?.signed === false ? "; it is not signed by this key" : "";
    ground.push(["since", `${one.name} (${counted(one.size, "entry", "entries")}): the log only grew${unsigned}`]);
  }
  ground.push(["memory", memoryText(verdict, trust)]);
  if (report.breaks.length === 0 && place.continuedBy === null)
    ground.push(["not proven", NOT_PROVEN.time, NOT_PROVEN.fork, NOT_PROVEN.newer]);
  return ground;
}

/** How the log stands to those before and after it. */
function placeFacts({ report, place }: LogVerdict): Fact[] {
  const { predecessor, continuedBy, unseen } = place;
  const found: Fact[] = [];
  const before = parseCheckpoint(predecessor ?? "");
  const linked = !report.breaks.some(({ index, kind }) => index === 0 && kind === "link_broken");
  if (before !== null && linked && report.size > 0 && report.entries === report.size) {
    const size = counted(before.size, "entry", "entries");
    found.push(["continues", `${printable(before.origin)}: the first entry names its last checkpoint, of ${size}`]);
  }
  if (unseen !== null)
    found.push(["before it", `earlier logs were not looked at: verify ${printable(unseen)} for all of them`]);
  if (continuedBy !== null)
    found.push(["after it", `${printable(continuedBy)} continues this log: no entry is added here any more`]);
  return found;
}

function leavesText({ breaks, entries, size }: LogVerdict["report"]): string {
  if (entries < size) return `${count(entries)} of ${count(size)} are those of the signed tree`;
  const linked = breaks.some(({ kind }) => kind === "link_broken") ? "" : ", each names the one before";
  return `${count(entries)} are those of the signed tree${linked}`;
}

function memoryText({ report, older, notRemembered }: LogVerdict, { memory }: Trust): string {
  if (notRemembered !== null) return `this checkpoint could not be remembered: ${printable(notRemembered)}`;
  if (memory === null)
    return isSound(report)
      ? "the first time this log is seen here; this checkpoint is remembered"
      : "nothing was remembered of this log";
  const seen = `${counted(memory.size, "entry", "entries")}, seen on ${memory.seen_at.slice(0, 10)}`;
  if (older.remembered === "newer")
    return `a newer checkpoint is remembered (${seen}); this copy was not compared with it`;
  const grew = report.older.find(({ name }) => name === REMEMBERED)?.grew;
  return `${seen}: ${grew === true ? "the log only grew since" : grew === false ? "the log contradicts it" : "not compared"}`;
}

/** Which key, and why it is believed. */
export function keyText({ keys, how, replaced }: Trust): string {
  const own = keys.filter(({ type }) => type === "ed25519");
  const ids = own.map(({ id }) => hex(id)).join(", ");
  switch (how) {
    case "given":
      return `${ids}, given with --key${replaced ? "; another one was remembered until now" : ""}`;
    case "remembered":
      return `${ids}, remembered from an earlier run`;
    case "first_use":
      return `${ids}, taken on trust: the log itself named it. Compare it with what you get by another way:\n${own.map(formatVkey).map(printable).join("\n")}`;
  }
}

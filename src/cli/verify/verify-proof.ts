import { noteText } from "../../chain/note/note.ts";
import { sameBytes } from "../../chain/bytes.ts";
import { base64 } from "../../chain/encoding.ts";
import { formatVkey } from "../../chain/note/note-key.ts";
import { parseTlogProof } from "../../chain/proof/tlog-proof.ts";
import {
  type EntryProofReport,
  entryText,
  openEntry,
  type OpenedEntry,
  parseCheckpoint,
  sha256,
  verifyProof,
} from "../../verifier/index.ts";
import type { LogBreak, LogBreakKind } from "../../verifier/report.ts";
import { EXIT, type ExitCode, failed, type Outcome } from "../outcome.ts";
import { printable, printableJson } from "../terminal/printable.ts";
import type { Job } from "./job.ts";
import { keepEvidence, remember } from "./memory.ts";
import { faultText, proofText } from "./proof-text.ts";
import { originsOf, type Trust, trustFor } from "./trust.ts";

type Proven = Extract<EntryProofReport, { ok: true }>;

/** A proof that holds, with what it shows. `sameView`: whether the tree remembered at this size is the same one. */
export type ProofVerdict = { proven: Proven; entry: OpenedEntry; trust: Trust; sameView: boolean | null };

/** Verifies the proof of one entry from its text alone. */
export async function verifyProofText(
  text: string,
  { shown, job }: { shown: string; job: Job },
): Promise<Outcome<ExitCode>> {
  const parsed = parseTlogProof(text);
  const note = parsed?.checkpoint ?? "";
  const said = parseCheckpoint(noteText(note));
  if (parsed === null || said === null) return failed(`${shown} is not a whole proof`, "get it again, whole");
  if (job.since !== null)
    return failed("a proof does not show how the log grew", "give --since with the log's address, or a folder of it");
  const given = originsOf(job.keys);
  if (!given.ok) return given;
  const [other] = given.value;
  if (other !== undefined && !given.value.includes(said.origin)) {
    const what = `${shown} is of the log ${printable(said.origin)}, the key of ${printable(other)}`;
    return failed(what, "give the key of that log");
  }
  const trust = await trustFor(said.origin, { keys: job.keys, folder: job.memory, source: null });
  if (!trust.ok) return trust;
  const proven = await verifyProof({ proof: text, origin: said.origin, keys: trust.value.keys });
  if (!proven.ok && (proven.kind === "malformed" || proven.kind === "unknown_version")) {
    return failed(
      `${shown} cannot be checked: ${proven.why.replace(/\.$/, "")}`,
      "get it again, or a later version of this command",
    );
  }
  if (!proven.ok) return sayFault(breaksOf(proven, parsed.index), { job, origin: said.origin });
  const opened = openEntry(sha256, proven.record);
  if (!opened.ok)
    return failed(`${shown} cannot be read: ${opened.why}`, "get it again, or a later version of this command");
  const verdict: ProofVerdict = {
    proven,
    entry: opened.entry,
    trust: trust.value,
    sameView: sameView(proven, trust.value),
  };
  if (verdict.sameView === false) {
    const detail = "The checkpoint remembered of this size is of another tree: there are two histories of this log.";
    const notes = [trust.value.memory?.checkpoint ?? "", parsed.checkpoint];
    const evidence = await keepEvidence(job.memory, { origin: said.origin, notes });
    return sayFault([{ kind: "diverged", index: null, detail }], { job, origin: said.origin, evidence });
  }
  await rememberFirst(verdict, { job, note: parsed.checkpoint });
  return say(verdict, job);
}

function sameView({ checkpoint }: Proven, { memory }: Trust): boolean | null {
  const known = memory === null ? null : parseCheckpoint(noteText(memory.checkpoint));
  return known?.size === checkpoint.size ? sameBytes(known.root, checkpoint.root) : null;
}

/** A log met for the first time is remembered; one known already cannot be compared by a proof alone. */
async function rememberFirst(
  { proven, trust }: ProofVerdict,
  { job, note }: { job: Job; note: string },
): Promise<void> {
  if (trust.memory !== null) return;
  const keys = trust.keys.filter(({ type }) => type === "ed25519").map(formatVkey);
  const { size, origin } = proven.checkpoint;
  // A proof holds whether or not this computer can remember its log.
  await remember(job.memory, { origin, keys, checkpoint: note, size, seen_at: new Date().toISOString() });
}

/** The breaks a proof shows, by the names that breaks of a log have. */
function breaksOf({ kind, why, breaks }: Extract<EntryProofReport, { ok: false }>, index: number): LogBreak[] {
  if (breaks.length > 0) return breaks;
  const names: Partial<Record<typeof kind, LogBreakKind>> = {
    bad_signature: "bad_signature",
    unknown_key: "bad_signature",
    other_log: "misrouted",
    misrouted: "misrouted",
    not_included: "leaf_changed",
    leaf_malformed: "leaf_malformed",
  };
  const signature = kind === "bad_signature" || kind === "unknown_key";
  return [{ kind: names[kind] ?? "leaf_changed", index: signature ? null : index, detail: why }];
}

function sayFault(
  breaks: LogBreak[],
  { job, origin, evidence = null }: { job: Job; origin: string; evidence?: string[] | null },
): Outcome<ExitCode> {
  const { out } = job.terminal;
  if (job.json) out.write(`${printableJson(JSON.stringify({ ok: false, origin, breaks, evidence }))}\n`);
  else out.write(faultText(breaks, { origin, what: "this proof does not hold", evidence, sink: out }));
  return { ok: true, value: EXIT.findings };
}

function say(verdict: ProofVerdict, job: Job): Outcome<ExitCode> {
  const { proven, entry } = verdict;
  const { out } = job.terminal;
  const exit = job.complete ? exitOfAll(proven) : EXIT.good;
  if (job.json) {
    const { origin, size, root } = proven.checkpoint;
    const head = {
      ok: exit === EXIT.good,
      origin,
      index: proven.leaf.index,
      checkpoint: { size, root: base64(root) },
      cosigned: proven.cosigned.map(({ name, timestamp }) => ({ name, timestamp })),
      absent: proven.absences,
    };
    // The entry stands as text: its free values keep every digit.
    out.write(`${printableJson(`${JSON.stringify(head).slice(0, -1)},"entry":${entryText(entry)}}`)}\n`);
  } else out.write(proofText(verdict, { sink: out, complete: job.complete }));
  return { ok: true, value: exit };
}

/** When all sections were asked for: one withheld is a break, and of one that is gone a proof cannot show the cause. */
function exitOfAll({ absences }: Proven): ExitCode {
  if (absences.some(({ cause }) => cause === "withheld")) return EXIT.findings;
  return absences.length === 0 ? EXIT.good : EXIT.failed;
}

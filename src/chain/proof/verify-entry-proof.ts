import type { VerifyEd25519 } from "../ed25519.ts";
import { entryHash, type Leaf, parseLeaf } from "../leaf.ts";
import type { Checkpoint } from "../note/checkpoint.ts";
import type { NoteKey } from "../note/note-key.ts";
import { type Cosigned, openCheckpoint } from "../note/open-checkpoint.ts";
import { parseRecord } from "../parse-record.ts";
import type { Absence, EntryRecord } from "../record.ts";
import type { Sha256 } from "../sha256.ts";
import type { Break } from "../verify-report.ts";
import { Causes } from "../verify-causes.ts";
import { checkSections, type CheckedSections } from "../verify-sections.ts";
import { parseTlogProof } from "./tlog-proof.ts";
import { verifyInclusion } from "./verify-inclusion.ts";

/**
 * What a proof shows. `not_included`: the signed tree does not have this leaf at this index. `misrouted`: the leaf
 * names another log or index than the proof. `unknown_version`: a leaf of a later format: in the log, but unreadable.
 */
export type EntryProofReport =
  | {
      ok: true;
      checkpoint: Required<Checkpoint>;
      cosigned: Cosigned[];
      leaf: Leaf;
      record: EntryRecord;
      /** Sections that are not shown, each with the cause claimed; a proof of one entry cannot show that cause. */
      absences: Absence[];
    }
  | { ok: false; kind: ProofFault; why: string; breaks: Break[] };

type ProofFault =
  | "malformed"
  | "bad_signature"
  | "unknown_key"
  | "other_log"
  | "not_included"
  | "misrouted"
  | "leaf_malformed"
  | "unknown_version"
  | "sections_broken";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Verifies the proof of one entry of the log `origin`, offline: checkpoint, inclusion, leaf and sections. When it says
 * ok, a key of the log signed a tree that holds this leaf at its index, and each section shown is what was sealed.
 */
export async function verifyEntryProof(
  { sha256, verifyEd25519 }: { sha256: Sha256; verifyEd25519: VerifyEd25519 },
  { proof, origin, keys }: { proof: string; origin: string; keys: readonly NoteKey[] },
): Promise<EntryProofReport> {
  const parsed = parseTlogProof(proof);
  if (parsed === null) return fault("malformed", "It is not the text of a proof.");
  const record = parsed.extra === null ? null : readExtra(parsed.extra);
  if (record === null) return fault("malformed", "It does not carry an entry.");
  const opened = await openCheckpoint(verifyEd25519, { note: parsed.checkpoint, origin, keys });
  if (!opened.ok) return fault(opened.kind, opened.why);

  const { checkpoint, cosigned } = opened;
  const { index, hashes } = parsed;
  const leafHash = entryHash(sha256, record.leaf);
  if (!verifyInclusion(sha256, { index, size: checkpoint.size, leafHash, root: checkpoint.root, hashes })) {
    return fault("not_included", `The checkpoint's tree does not have this leaf at index ${index}.`);
  }
  const read = parseLeaf(record.leaf);
  if (read.kind === "unknown_version") return fault("unknown_version", `The leaf is of version ${read.version}.`);
  if (read.kind === "malformed") return fault("leaf_malformed", `The leaf is malformed: ${read.why}.`);
  const { leaf } = read;
  if (leaf.log !== origin || leaf.index !== index) {
    return fault("misrouted", `The leaf says it is entry ${leaf.index} of ${leaf.log}.`);
  }
  const sections = checkSections(sha256, leaf, { ...record, absent: record.absent ?? [], exact: true });
  const breaks = [...sections.breaks.map((found) => ({ ...found, index })), ...refuted(leaf, sections, checkpoint)];
  if (breaks.length > 0) {
    return { ok: false, kind: "sections_broken", why: "Not all sections are what the leaf commits.", breaks };
  }
  return { ok: true, checkpoint, cosigned, leaf, record, absences: sections.absences };
}

/** Claims of absence that no entry could bear out: a cause comes after what it takes. */
function refuted(leaf: Leaf, { absences }: CheckedSections, { size }: Checkpoint): Break[] {
  const causes = new Causes(size);
  return absences.flatMap((absence): Break[] => {
    const { section, cause } = absence;
    const verdict = causes.judge(leaf, absence, () => true);
    if (verdict.kind !== "unexcused") return [];
    const detail = `The section is said to be ${cause}, but ${verdict.why}.`;
    return [{ kind: "unexplained_gap", index: leaf.index, section, detail }];
  });
}

function readExtra(extra: Uint8Array): EntryRecord | null {
  try {
    return parseRecord(decoder.decode(extra));
  } catch {
    return null;
  }
}

function fault(kind: ProofFault, why: string): EntryProofReport {
  return { ok: false, kind, why, breaks: [] };
}

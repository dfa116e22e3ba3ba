import { PROOF_MAX_HASHES } from "../limits.ts";
import { base64, fromBase64 } from "./encoding.ts";
import { HASH_BYTES } from "./node-hash.ts";
import { type LooseRecord, readRecordOf } from "./parse-record.ts";

/**
 * A line of an export: the record line, and the inclusion proof of its leaf where the next line does not vouch for it: the next
 * is not of the next index of the same log, or there is none. `proof` is null where there is none, and where it is not one.
 */
export type ExportLine = { record: LooseRecord; proof: Uint8Array[] | null };

/** The record line with its inclusion proof, as a line of an export. */
export function withProof(line: string, hashes: readonly Uint8Array[]): string {
  return `${line.slice(0, -1)},"proof":${JSON.stringify(hashes.map(base64))}}`;
}

/** Reads what there is of a line; one that is not exactly a line of an export has a record that is not `exact`. */
export function readExportLine(line: string): ExportLine {
  const value = parse(line);
  if (value === null || !("proof" in value)) return { record: readRecordOf(value), proof: null };
  const { proof: hashes, ...rest } = value;
  const record = readRecordOf(rest);
  const proof = readProof(hashes);
  return { record: proof === null ? { ...record, exact: false } : record, proof };
}

function readProof(value: unknown): Uint8Array[] | null {
  if (!Array.isArray(value) || value.length > PROOF_MAX_HASHES) return null;
  const hashes: Uint8Array[] = [];
  for (const text of value as unknown[]) {
    const hash = typeof text === "string" ? fromBase64(text) : null;
    if (hash?.length !== HASH_BYTES) return null;
    hashes.push(hash);
  }
  return hashes;
}

function parse(text: string): Record<string, unknown> | null {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

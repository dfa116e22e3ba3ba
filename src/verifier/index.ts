/**
 * `indelible/verify`: checks events, proofs and logs without asking anybody to be believed. It imports only the format
 * and WebCrypto, and runs in Node, browsers and Workers.
 */
import { type OpenedCheckpoint, openCheckpoint as openWith } from "../chain/note/open-checkpoint.ts";
import { type NoteKey, parseVkey } from "../chain/note/note-key.ts";
import { portableSha256 } from "../chain/portable-sha256.ts";
import { type EntryProofReport, verifyEntryProof } from "../chain/proof/verify-entry-proof.ts";
import type { Sha256 } from "../chain/sha256.ts";
import { verifyEd25519 } from "../verify-ed25519.ts";
import { openExport as openExportWith } from "./open-export.ts";

export { base64 } from "../chain/encoding.ts";
export { checkpointText, parseCheckpoint } from "../chain/note/checkpoint.ts";
export { type EntryRecord } from "../chain/record.ts";
export { entryText, type OpenedEntry, openEntry } from "../chain/open.ts";
export { type ExportInput, type ExportReport, verifyExport } from "./verify-export.ts";
export { type HttpOptions, httpSource } from "./http-source.ts";
export { type LogBreak } from "./report.ts";
export { type LogSource, type ReadResult } from "./source.ts";
export { type KeptCheckpoint, type LogInput, type LogReport, verifyLog } from "./verify-log.ts";
export type { EntryProofReport, NoteKey, OpenedCheckpoint, Sha256 };

/** SHA-256 in plain code, for who calls `openEntry`; every other function here uses it unless given a faster one. */
export const sha256: Sha256 = portableSha256;

/** Reads a vkey, the line that `…/log-key` answers with, or says why it is none. */
export function readKey(vkey: string): { ok: true; key: NoteKey } | { ok: false; why: string } {
  return parseVkey(portableSha256, vkey);
}

/**
 * Opens a signed checkpoint of the log `origin`: it must be signed by one of `keys`, and none of them may have a bad
 * signature in it. Keys of witnesses may be among them.
 */
export function openCheckpoint(input: {
  note: string;
  origin: string;
  keys: readonly NoteKey[];
}): Promise<OpenedCheckpoint> {
  return openWith(verifyEd25519, input);
}

/**
 * Opens the manifest of an export: it must be signed by one of `keys`, and each checkpoint in it by one of them that is its
 * own log's. What it opens is what `verifyExport` takes.
 */
export function openExport(input: { manifest: string; keys: readonly NoteKey[] }): ReturnType<typeof openExportWith> {
  return openExportWith(verifyEd25519, input);
}

/**
 * Verifies the proof of one entry, offline: signature, inclusion, leaf and every section shown. It does not show when
 * the entry was made, nor that the log was not forked or cut since.
 */
export function verifyProof(input: {
  proof: string;
  origin: string;
  keys: readonly NoteKey[];
}): Promise<EntryProofReport> {
  return verifyEntryProof({ sha256: portableSha256, verifyEd25519 }, input);
}

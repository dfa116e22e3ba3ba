import { createHash } from "node:crypto";
import { expect } from "vitest";
import { base64url, fromBase64 } from "../../src/chain/encoding.ts";
import type { ExportManifest } from "../../src/chain/export-manifest.ts";
import { entryHash, parseLeaf } from "../../src/chain/leaf.ts";
import { parseCheckpoint } from "../../src/chain/note/checkpoint.ts";
import type { NoteKey } from "../../src/chain/note/note-key.ts";
import { parseRecord } from "../../src/chain/open.ts";
import { verifyInclusion } from "../../src/chain/proof/verify-inclusion.ts";
import { commitment } from "../../src/chain/section.ts";
import type { EntryRecord } from "../../src/chain/record.ts";
import type { ExportAnswer, NewExport } from "../../src/schema/export.ts";
import { sha256 } from "../../src/sha256.ts";
import { type ExportReport, openExport, readKey, verifyExport } from "../../src/verifier/index.ts";
import { must } from "../support/check/check-entry.ts";
import { append, batchOf } from "../support/append.ts";
import { untilProjected } from "../support/check-ledger.ts";
import { type Answer, call, createOrg, event } from "../support/client.ts";
import { finishJob, stepJobs } from "../support/jobs.ts";

/** An org with this many events beside its first entry; `more` tells what is special of each. */
export async function orgOf(
  events: number,
  more: (n: number) => Record<string, unknown> = () => ({}),
): Promise<string> {
  const org = await createOrg("export");
  for (let n = 0; n < events; n += 200) {
    const size = Math.min(200, events - n);
    await append(org, batchOf(Array.from({ length: size }, (_, k) => event(n + k, more(n + k)))));
  }
  return org;
}

export async function keyOf(org: string, scopes: string[]): Promise<{ id: string; key: string }> {
  return (await call("POST", `/v1/orgs/${org}/keys`, { body: { name: "test", scopes } })).json;
}

/** The entries of a log that say what became of its exports. */
export async function told(org: string): Promise<any[]> {
  await untilProjected(org);
  const listed = await call("GET", `/v1/orgs/${org}/events?action=indelible.export.*&order=asc`);
  return listed.json.data;
}

export const ALL: NewExport = { format: "ndjson", reason: "an audit" };

/** Asks for an export through the API; answers how it stands. */
export async function asked(org: string, body: object = ALL, key?: string): Promise<ExportAnswer> {
  const answer = await call("POST", `/v1/orgs/${org}/exports`, { body, ...(key === undefined ? {} : { key }) });
  expect(answer.status, answer.text).toBe(202);
  return answer.json;
}

export async function standing(org: string, id: string): Promise<ExportAnswer> {
  const answer = await call("GET", `/v1/orgs/${org}/exports/${id}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.json;
}

/** Makes an export to its end; answers how it stands then. */
export async function made(org: string, body: object = ALL, key?: string): Promise<ExportAnswer> {
  const { id } = await asked(org, body, key);
  await finishJob(org, "export", id);
  await stepJobs(org);
  return standing(org, id);
}

/** Downloads what a link stands for, without a key. */
export function download(link: { url: string } | undefined, headers: Record<string, string> = {}): Promise<Answer> {
  must(link !== undefined, "there is a link");
  return call("GET", link.url, { key: null, headers });
}

export async function fileOf(answer: ExportAnswer): Promise<string> {
  const file = await download(answer.links?.data);
  expect(file.status, file.text).toBe(200);
  return file.text;
}

/** The keys that an org's logs give out, of two at most. */
async function keysOf(org: string): Promise<NoteKey[]> {
  const answers = await Promise.all(["1", "2"].map((log) => call("GET", `/v1/orgs/${org}/${log}/log-key`)));
  const lines = answers.filter(({ status }) => status === 200).flatMap(({ text }) => text.trim().split("\n"));
  const keys = lines.map((line) => readKey(line));
  return keys.flatMap((key) => (key.ok ? [key.key] : []));
}

/** The manifest of an export, opened with the keys that the logs give out. */
async function openedOf(org: string, answer: ExportAnswer) {
  const { text: manifest } = await download(answer.links?.manifest);
  const opened = await openExport({ manifest, keys: await keysOf(org) });
  must(opened.ok, `the manifest does not open: ${JSON.stringify(opened)}`);
  return opened.export;
}

export async function manifestOf(org: string, answer: ExportAnswer): Promise<ExportManifest> {
  return (await openedOf(org, answer)).manifest;
}

/** What whoever has the file, the manifest and the keys finds out, without this service. */
export async function verified(org: string, answer: ExportAnswer): Promise<ExportReport> {
  const opened = await openedOf(org, answer);
  const bytes = Buffer.from(await fileOf(answer));
  const chunks = async function* () {
    for (let at = 0; at < bytes.length; at += 65_536) yield await Promise.resolve(bytes.subarray(at, at + 65_536));
  };
  return verifyExport({ opened, bytes: chunks(), sha256 });
}

export type ExportLine = EntryRecord & { proof?: string[] };

/**
 * Proves every line of an NDJSON file as docs/exports.md says one does: sections by the leaf, the leaf by the next line or by
 * its own proof, under the checkpoint of the manifest; and every part by its hash.
 */
export function proveFile(file: string, manifest: ExportManifest): { leaf: any; line: ExportLine }[] {
  let offset = 0;
  const bytes = Buffer.from(file);
  for (const part of manifest.parts) {
    const piece = bytes.subarray(offset, (offset += part.bytes));
    expect(createHash("sha256").update(piece).digest("hex")).toBe(part.sha256);
    expect(piece.toString().split("\n").length - 1).toBe(part.rows);
  }
  expect(offset).toBe(bytes.length);
  const lines = file
    .split("\n")
    .slice(0, -1)
    .map((text) => JSON.parse(text) as ExportLine);
  const leaves = lines.map(({ leaf }) => {
    const parsed = parseLeaf(leaf);
    must(parsed.kind === "leaf", "a line's leaf is one");
    return parsed.leaf;
  });
  for (const [n, line] of lines.entries()) {
    const { proof, ...record } = line;
    must(parseRecord(JSON.stringify(record)) !== null, `line ${n} is no record`);
    const [leaf, next] = [leaves[n], leaves[n + 1]];
    must(leaf !== undefined, "a line has a leaf");
    for (const [name, { salt, text }] of Object.entries(record.sections)) {
      expect(leaf.sections[name]).toBe(commitment(sha256, { name, salt, text }));
    }
    const excused = (record.absent ?? []).map(({ section }) => section);
    expect([...Object.keys(record.sections), ...excused].toSorted()).toEqual(Object.keys(leaf.sections).toSorted());
    const followed = next !== undefined && next.log === leaf.log && next.index === leaf.index + 1;
    expect(proof === undefined, `line ${n}`).toBe(followed);
    const leafHash = entryHash(sha256, record.leaf);
    if (followed) expect(next.prev).toBe(base64url(leafHash));
    else proveLine({ index: leaf.index, log: leaf.log, leafHash, proof: proof ?? [] }, manifest);
  }
  expect(lines.length).toBe(manifest.rows);
  return lines.map((line, n) => ({ line, leaf: leaves[n] }));
}

function proveLine(
  { index, log, leafHash, proof }: { index: number; log: string; leafHash: Uint8Array; proof: string[] },
  manifest: ExportManifest,
): void {
  const checkpoint = manifest.logs.find((one) => one.log === log)?.checkpoint;
  const parsed = parseCheckpoint(`${checkpoint?.split("\n\n")[0]}\n`);
  must(parsed !== null && parsed.origin === log, "the manifest has the log's checkpoint");
  const hashes = proof.map((hash) => fromBase64(hash) ?? new Uint8Array());
  expect(verifyInclusion(sha256, { index, size: parsed.size, leafHash, root: parsed.root, hashes })).toBe(true);
}

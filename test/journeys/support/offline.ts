import { readdir } from "node:fs/promises";
import { env, exports } from "cloudflare:workers";
import { expect, vi } from "vitest";
import type { NoteKey } from "../../../src/chain/note/note-key.ts";
import { mirrorOrg } from "../../../src/cli/export/mirror.ts";
import { Service } from "../../../src/cli/export/service.ts";
import { folderSource, recordLines } from "../../../src/cli/verify/folder.ts";
import type { ExportAnswer } from "../../../src/schema/export.ts";
import { sha256 } from "../../../src/sha256.ts";
import {
  type ExportReport,
  type KeptCheckpoint,
  type LogReport,
  openCheckpoint,
  openExport,
  verifyExport,
  verifyLog,
} from "../../../src/verifier/index.ts";
import { linesOf } from "../../../src/verifier/lines-of.ts";
import type { RecordLine } from "../../../src/verifier/record-groups.ts";
import { call } from "../../support/client.ts";
import { must } from "../../support/check/check-entry.ts";
import { finishJobs, pass } from "./org.ts";

const HOST = "http://log.test";
const LINE_MAX_BYTES = 1_000_000;

/** An export that somebody downloaded: its bytes and its manifest. */
export type Taken = { chunks: Uint8Array[]; manifest: string };

/** Downloads an export by its links, piece by piece as it comes. */
export async function taken({ links }: ExportAnswer): Promise<Taken> {
  must(links !== null, "what is done has links");
  const { text: manifest } = await call("GET", links.manifest.url, { key: null });
  const file = await exports.default.fetch(new Request(`${HOST}${links.data.url}`));
  expect(file.status).toBe(200);
  const chunks: Uint8Array[] = [];
  for await (const chunk of file.body as unknown as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return { chunks, manifest };
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) yield await Promise.resolve(item);
}

/** The lines of what was downloaded. */
export async function* linesIn({ chunks }: Taken): AsyncGenerator<string> {
  for await (const line of linesOf(each(chunks), { maxBytes: LINE_MAX_BYTES })) yield line ?? "";
}

/** What whoever has an export and the log's keys finds out alone; and the checkpoint that it stands under. */
export async function proven(
  { chunks, manifest }: Taken,
  keys: readonly NoteKey[],
): Promise<{ report: ExportReport; checkpoint: KeptCheckpoint }> {
  const opened = await openExport({ manifest, keys });
  must(opened.ok, `the manifest does not open: ${JSON.stringify(opened)}`);
  const [checkpoint] = [...opened.export.checkpoints.values()];
  must(checkpoint !== undefined && checkpoint !== null, "an export of a log has its checkpoint");
  const report = await verifyExport({ opened: opened.export, bytes: each(chunks), complete: true, sha256 });
  return { report, checkpoint: { ...checkpoint, name: "that of the export" } };
}

/** Copies an org into a folder, as `indelible export --all` does, and then has no service any more. */
export async function mirrored(org: string, to: string): Promise<void> {
  vi.stubGlobal("fetch", async (url: string, { redirect: _, signal: __, ...init }: RequestInit) => {
    pass();
    // The clock of its jobs stands still: they go on when somebody asks how they stand.
    if (/\/orgs\/[^/]+\/exports\//.test(url)) await finishJobs(org);
    return exports.default.fetch(new Request(url, init as any));
  });
  try {
    const said: string[] = [];
    const sink = { write: (text: string) => void said.push(text), live: false, columns: () => 100 };
    const service = new Service({ url: HOST, org, key: env.ROOT_KEY }, new AbortController().signal);
    const terminal = { out: sink, err: sink };
    const outcome = await mirrorOrg({ service, reason: "moving out", to, shown: to, json: true, terminal });
    expect(outcome, said.join("")).toEqual({ ok: true, value: 0 });
  } finally {
    vi.unstubAllGlobals();
  }
}

/** Verifies a copy by its files alone, against checkpoints that were kept; `look` is shown each record line. */
export async function verifiedIn(
  folder: string,
  {
    origin,
    keys,
    older,
    look,
  }: { origin: string; keys: NoteKey[]; older: KeptCheckpoint[]; look: (line: string) => void },
): Promise<LogReport> {
  const source = folderSource(folder);
  const note = await source.read("checkpoint", { maxBytes: 10_000 });
  must(note.kind === "bytes", "a copy has its checkpoint");
  const opened = await openCheckpoint({ note: new TextDecoder().decode(note.bytes), origin, keys });
  must(opened.ok, `the checkpoint does not open: ${JSON.stringify(opened)}`);
  const names = (await readdir(`${folder}/records`)).map((name) => `records/${name}`).sort();
  const { lines, fault } = recordLines(folder, names);
  async function* seen(): AsyncGenerator<RecordLine> {
    for await (const one of lines) {
      look(one.line);
      yield one;
    }
  }
  const { checkpoint } = opened;
  const report = await verifyLog({ source, checkpoint, older, records: seen(), complete: true, sha256 });
  expect(fault()).toBeNull();
  return report;
}

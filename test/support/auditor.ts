import { env, exports } from "cloudflare:workers";
import { expect } from "vitest";
import { bundlePath, newTiles, tilePath } from "../../src/chain/tile.ts";
import { sha256 } from "../../src/sha256.ts";
import {
  httpSource,
  type KeptCheckpoint,
  type LogReport,
  type LogSource,
  openCheckpoint,
  readKey,
  type NoteKey,
  verifyLog,
} from "../../src/verifier/index.ts";
import type { RecordLine } from "../../src/verifier/record-groups.ts";
import { call } from "./client.ts";

/** Somebody with a key to read and the library `indelible/verify`, who has kept the log's key and a checkpoint. */
export type Auditor = { org: string; origin: string; keys: NoteKey[]; kept: KeptCheckpoint };

/** Has all of a log published, and takes its key and checkpoint home. */
export async function auditorOf(org: string): Promise<Auditor> {
  const read = readKey((await call("GET", `/v1/orgs/${org}/log-key`)).text.trimEnd());
  if (!read.ok) throw new Error(read.why);
  const origin = `log.test/v1/orgs/${org}`;
  const { checkpoint } = await opened({ origin, keys: [read.key] }, await publishedNote(org));
  return { org, origin, keys: [read.key], kept: { ...checkpoint, name: "kept" } };
}

/** The newest checkpoint, once it covers the whole log. */
export async function publishedNote(org: string): Promise<string> {
  const { size } = (await call("GET", `/v1/orgs/${org}/status`)).json.ingestion;
  const answer = await call("GET", `/v1/orgs/${org}/checkpoint?min_size=${size}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.text;
}

async function opened({ origin, keys }: Pick<Auditor, "origin" | "keys">, note: string) {
  const found = await openCheckpoint({ note, origin, keys });
  if (!found.ok) throw new Error(found.why);
  return found;
}

/** The log as the service serves it. */
function served(org: string): LogSource {
  return httpSource(`http://log.test/v1/orgs/${org}`, {
    headers: { authorization: `Bearer ${env.ROOT_KEY}` },
    fetch: (url, init) => exports.default.fetch(new Request(url, { headers: init?.headers ?? {} })),
  });
}

type More = {
  source?: LogSource;
  note?: string;
  older?: KeptCheckpoint[];
  records?: readonly string[];
  complete?: boolean;
};

/** Verifies all of a log as it is served now (or as `source` and `note` have it) with the key the auditor kept. */
export async function audit(
  auditor: Auditor,
  { source = served(auditor.org), note, older = [], records, complete = false }: More = {},
): Promise<LogReport> {
  const { checkpoint } = await opened(auditor, note ?? (await publishedNote(auditor.org)));
  return verifyLog({
    source,
    checkpoint,
    older,
    records: records === undefined ? null : placed(records),
    complete,
    sha256,
  });
}

async function* placed(lines: readonly string[]): AsyncGenerator<RecordLine> {
  for (const [n, line] of lines.entries()) yield await Promise.resolve({ line, place: `line ${n + 1}` });
}

/** What the service itself says of its log. */
export async function verified(org: string, query = ""): Promise<any> {
  const answer = await call("GET", `/v1/orgs/${org}/verify${query}`);
  expect(answer.status, answer.text).toBe(200);
  return JSON.parse(answer.text.trimEnd().split("\n").at(-1) as string);
}

/** All of a published log's files, as a mirror has them. */
export async function copyOf(org: string): Promise<{ note: string; files: Map<string, Uint8Array> }> {
  const note = await publishedNote(org);
  const size = Number(note.split("\n")[1]);
  const files = new Map<string, Uint8Array>();
  const copy = async (path: string) => {
    const read = await served(org).read(path, { maxBytes: 1e7 });
    if (read.kind !== "bytes") throw new Error(`${path}: ${read.kind}`);
    files.set(path, read.bytes);
  };
  for (const tile of newTiles({ from: 0, to: size })) {
    await copy(tilePath(tile));
    if (tile.level === 0) await copy(bundlePath(tile));
  }
  return { note, files };
}

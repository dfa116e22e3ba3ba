import { formatVkey, type NoteKey } from "../../src/chain/note/note-key.ts";
import { signCheckpoint } from "../../src/chain/note/sign-note.ts";
import { rootFromEdge } from "../../src/chain/proof/verify-tiles.ts";
import { bundlePath, edgeTiles, tilePath } from "../../src/chain/tile.ts";
import { entryBundle } from "../../src/chain/tree/entry-bundle.ts";
import { growTiles } from "../../src/chain/tree/grow-tiles.ts";
import type { LogSource, ReadResult } from "../../src/verifier/source.ts";
import { type KeptCheckpoint, type LogInput, type LogReport, verifyLog } from "../../src/verifier/verify-log.ts";
import { keyOf, signer } from "../chain/note/support.ts";
import { makeLog, record, sha256, type TestEvent, type TestLog } from "../chain/support.ts";

const LOG_SIGNER = signer(1);

/** A log as it is published: its files by their paths under the log's URL, and its record lines. */
export type Published = {
  log: string;
  size: number;
  root: Uint8Array;
  files: Map<string, Uint8Array>;
  lines: string[];
  sealed: TestLog;
  key: NoteKey;
  vkey: string;
};

export function textFile(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Events that cost little: what a large log is made of. */
export function plainEvents(count: number): TestEvent[] {
  return Array.from({ length: count }, () => ({ sections: [] }));
}

/** Publishes the first `size` entries of a log. */
export function publish(log: TestLog, { size = log.sealed.length, by = LOG_SIGNER } = {}): Published {
  const files = new Map<string, Uint8Array>();
  const sealed = log.sealed.slice(0, size);
  const leafHashes = Buffer.concat(sealed.map(({ hash }) => hash));
  for (const { tile, bytes } of growTiles(sha256, { size: 0, edge: [], leafHashes })) files.set(tilePath(tile), bytes);
  for (let first = 0; first < size; first += 256) {
    const leaves = sealed.slice(first, first + 256).map(({ line }) => record({ line }).leaf);
    files.set(bundlePath({ index: first / 256, width: leaves.length }), entryBundle(leaves));
  }
  const edge = edgeTiles(size).map((tile) => files.get(tilePath(tile)) as Uint8Array);
  const root = rootFromEdge(sha256, { size, edge }) as Uint8Array;
  const key = keyOf(by, log.log);
  const vkey = formatVkey(key);
  const note = signCheckpoint(sha256, { checkpoint: { origin: log.log, size, root }, signers: [by] });
  files.set("checkpoint", textFile(note));
  files.set("log-key", textFile(`${vkey}\n`));
  return { log: log.log, size, root, files, lines: sealed.map(({ line }) => line), sealed: log, key, vkey };
}

export function published(
  events: TestEvent[] | number,
  more: { log?: string; seed?: string; predecessor?: string } = {},
): Published {
  return publish(makeLog(typeof events === "number" ? plainEvents(events) : events, more));
}

export function noteOf({ files }: Published): string {
  return new TextDecoder().decode(files.get("checkpoint"));
}

/** The files as a source; `reads` counts what was asked for. */
export function mapSource(files: ReadonlyMap<string, Uint8Array>): LogSource & { reads: string[] } {
  const reads: string[] = [];
  return {
    reads,
    read(path, { maxBytes }): Promise<ReadResult> {
      reads.push(path);
      const bytes = files.get(path);
      if (bytes === undefined) return Promise.resolve({ kind: "absent" });
      if (bytes.length > maxBytes) return Promise.resolve({ kind: "unread", why: "it is too long" });
      return Promise.resolve({ kind: "bytes", bytes });
    },
  };
}

export async function* linesOf(lines: readonly string[]): AsyncGenerator<{ line: string; place: string }> {
  for (const [n, line] of lines.entries()) yield await Promise.resolve({ line, place: `line ${n + 1}` });
}

export function kept({ size, root }: Pick<Published, "size" | "root">, name = "old"): KeptCheckpoint {
  return { name, size, root };
}

/** Verifies a published log; `lines` are its records, null for leaves alone. */
export function verified(
  { log, size, root, files }: Published,
  { lines = null, ...more }: Partial<LogInput> & { lines?: readonly string[] | null } = {},
): Promise<LogReport> {
  return verifyLog({
    source: mapSource(files),
    checkpoint: { origin: log, size, root },
    records: lines === null ? null : linesOf(lines),
    sha256,
    ...more,
  });
}

/** Kind, place and section of each break, in one line a break. */
export function blamed({ breaks }: LogReport): string[] {
  return breaks.map(({ kind, index, to, section, found_at }) =>
    [
      kind,
      ...(index === null ? [] : [index]),
      ...(to === undefined ? [] : [`to ${to}`]),
      ...(section === undefined ? [] : [section]),
      ...(found_at === undefined ? [] : [`at ${found_at}`]),
    ].join(" "),
  );
}

export function changed(bytes: Uint8Array | undefined, at: number): Uint8Array {
  const copy = new Uint8Array(bytes as Uint8Array);
  copy[at] = (copy[at] as number) ^ 1;
  return copy;
}

/** Makes the bundles of a log anew from other leaves, and leaves the tiles as they are. */
export function withLeaves({ files, size }: Published, leafAt: (index: number) => string): Map<string, Uint8Array> {
  const copy = new Map(files);
  for (let first = 0; first < size; first += 256) {
    const width = Math.min(256, size - first);
    const leaves = Array.from({ length: width }, (_, n) => leafAt(first + n));
    copy.set(bundlePath({ index: first / 256, width }), entryBundle(leaves));
  }
  return copy;
}

export function leafOf({ lines }: Published, index: number): string {
  return record({ line: lines[index] as string }).leaf;
}

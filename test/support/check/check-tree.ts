import { createHash } from "node:crypto";
import { env } from "cloudflare:workers";
import { type CheckedEntry, must } from "./check-entry.ts";
import type { LedgerRows } from "./read-stores.ts";

const WIDTH = 256;

const sha256 = (...parts: (string | Uint8Array)[]) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** RFC 6962 section 2.1, written anew: the root over leaf hashes `[start, end)`. Full subtrees are kept. */
function merkleTree(leafHashes: readonly Buffer[]): (start: number, end: number) => Buffer {
  const known = new Map<string, Buffer>();
  const root = (start: number, end: number): Buffer => {
    if (end === start) return sha256();
    if (end - start === 1) return leafHashes[start] as Buffer;
    const name = `${start}-${end}`;
    const found = known.get(name);
    if (found !== undefined) return found;
    let half = 1;
    while (half * 2 < end - start) half *= 2;
    const made = sha256(Uint8Array.of(1), root(start, start + half), root(start + half, end));
    if (half * 2 === end - start) known.set(name, made);
    return made;
  };
  return root;
}

/** All a log has in R2 below `tree/`, by what follows the log's name. */
export async function readTree(log: string): Promise<Map<string, Buffer>> {
  const prefix = `tree/${log}/`;
  const objects = new Map<string, Buffer>();
  let cursor: string | undefined;
  do {
    const listed = await env.ARCHIVE.list({ prefix, ...(cursor === undefined ? {} : { cursor }) });
    for (const { key } of listed.objects) {
      const object = await env.ARCHIVE.get(key);
      objects.set(key.slice(prefix.length), Buffer.from((await object?.arrayBuffer()) ?? new ArrayBuffer()));
    }
    cursor = listed.truncated ? listed.cursor : undefined;
  } while (cursor !== undefined);
  return objects;
}

/**
 * Every tile, bundle and checkpoint in R2 is what the entries say, the ledger's row is the newest checkpoint, and what
 * that one covers is there.
 */
export async function checkTree({ tree, org: { log } }: LedgerRows, entries: readonly CheckedEntry[]): Promise<void> {
  const objects = await readTree(log);
  const root = merkleTree(entries.map(({ hash }) => Buffer.from(hash, "base64url")));
  const leaves = entries.map(({ line }) => (JSON.parse(line) as { leaf: string }).leaf);
  for (const [name, bytes] of objects) {
    const held = name.startsWith("checkpoint/") ? textOf(bytes.toString()) : bytes;
    const [kind, hash] = name.split("/");
    // A list is named by its own hash.
    if (kind === "absences") must(sha256(bytes).toString("hex") === hash, `${name} holds another list`);
    else must(held.equals(expected(name, { log, leaves, root })), `R2 holds another ${name} than the entries say`);
  }
  const size = tree?.size ?? 0;
  must(size <= entries.length, `a checkpoint of ${size} entries, of ${entries.length}`);
  if (tree === null) return;
  const name = `checkpoint/${String(size).padStart(10, "0")}`;
  must(objects.get(name)?.equals(Buffer.from(tree.note)), `the checkpoint of size ${size} is not in R2`);
  for (let level = 0, count = size; count > 0; level++, count = Math.floor(count / WIDTH)) {
    for (let index = 0; index < Math.floor(count / WIDTH); index++) {
      must(objects.has(`tile/${level}/${indexPath(index)}`), `tile ${level}/${index} is not in R2`);
      if (level === 0) must(objects.has(`tile/entries/${indexPath(index)}`), `bundle ${index} is not in R2`);
    }
  }
  const edge: Buffer[] = [];
  for (let level = 0, count = size; count > 0; level++, count = Math.floor(count / WIDTH)) {
    const first = Math.floor(count / WIDTH) * WIDTH;
    for (let at = first; at < count; at++) edge.push(root(at * WIDTH ** level, (at + 1) * WIDTH ** level));
  }
  must(Buffer.concat(edge).equals(Buffer.from(tree.edge)), "the ledger's edge is another");
}

type Source = { log: string; leaves: readonly string[]; root: (start: number, end: number) => Buffer };

/** A signature is left out: that it verifies is what the tests of the note ask. */
function expected(name: string, { log, leaves, root }: Source): Buffer {
  const [kind, level, ...rest] = name.split("/");
  if (kind === "checkpoint") {
    const size = Number(level);
    must(size <= leaves.length, `${name} is beyond the log`);
    return textOf(`${log}\n${size}\n${root(0, size).toString("base64")}\n\n`);
  }
  const first = Number(rest.join("").replaceAll("x", "")) * WIDTH;
  const places = Array.from({ length: WIDTH }, (_, n) => first + n);
  if (level === "entries") {
    return Buffer.concat(
      places.flatMap((at) => {
        const leaf = Buffer.from(leaves[at] ?? "");
        return [Buffer.of(leaf.length >> 8, leaf.length & 255), leaf];
      }),
    );
  }
  const span = WIDTH ** Number(level);
  return Buffer.concat(places.map((at) => root(at * span, (at + 1) * span)));
}

function textOf(note: string): Buffer {
  return Buffer.from(note.slice(0, note.indexOf("\n\n") + 1));
}

function indexPath(index: number): string {
  const digits = (at: number) => String(at).padStart(3, "0");
  return index < 1_000 ? digits(index) : `x${digits(Math.floor(index / 1_000))}/${digits(index % 1_000)}`;
}

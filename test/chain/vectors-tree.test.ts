import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { base64, fromBase64, hex } from "../../src/chain/encoding.ts";
import { parseCheckpoint } from "../../src/chain/note/checkpoint.ts";
import { logKeySeed } from "../../src/chain/note/log-key.ts";
import { formatVkey, KEY_TYPE, type NoteKey, noteKey, parseVkey } from "../../src/chain/note/note-key.ts";
import { openNote } from "../../src/chain/note/open-note.ts";
import { signCheckpoint } from "../../src/chain/note/sign-note.ts";
import { readBundle } from "../../src/chain/proof/read-bundle.ts";
import { formatTlogProof, parseTlogProof } from "../../src/chain/proof/tlog-proof.ts";
import { verifyConsistency } from "../../src/chain/proof/verify-consistency.ts";
import { verifyEntryProof } from "../../src/chain/proof/verify-entry-proof.ts";
import { verifyInclusion } from "../../src/chain/proof/verify-inclusion.ts";
import { bundlePath, edgeTiles, newTiles, parseTilePath, tileAt, tilePath } from "../../src/chain/tile.ts";
import { entryBundle } from "../../src/chain/tree/entry-bundle.ts";
import { ed25519Signer, hkdfSha256 } from "../../src/ed25519.ts";
import { verifyEd25519 } from "../../src/verify-ed25519.ts";
import { sha256 } from "./support.ts";
import { StoredTree } from "./tree/support.ts";

/** A vector file; its shape is what the test of its kind says. */
function vectors<T>(name: string): T {
  return JSON.parse(readFileSync(join(import.meta.dirname, "../vectors", name), "utf8")) as T;
}

function bytes(text: string): Uint8Array {
  const read = fromBase64(text);
  if (read === null) throw new Error(`not base64: ${text}`);
  return read;
}

function keysOf(vkeys: readonly string[]): NoteKey[] {
  return vkeys.map((vkey) => {
    const parsed = parseVkey(sha256, vkey);
    if (!parsed.ok) throw new Error(parsed.why);
    return parsed.key;
  });
}

describe("tree.json", () => {
  type Inclusion = { index: number; size: number; leaf_hash?: string; root?: string; hashes: string[] };
  type Consistency = { from: number; to: number; from_root?: string; to_root?: string; hashes: string[] };
  type File = {
    leaves: string[];
    leaf_hashes: string[];
    roots: string[];
    inclusion: Inclusion[];
    consistency: Consistency[];
    refused: { inclusion: (Inclusion & { why: string })[]; consistency: (Consistency & { why: string })[] };
  };
  const file = vectors<File>("tree.json");
  const tree = new StoredTree();
  tree.grow(file.leaves.map((leaf) => sha256(Buffer.from(`00${leaf}`, "hex"))));

  const included = ({ index, size, leaf_hash = file.leaf_hashes[index], root = file.roots[size], hashes }: Inclusion) =>
    verifyInclusion(sha256, {
      index,
      size,
      leafHash: bytes(leaf_hash ?? ""),
      root: bytes(root ?? ""),
      hashes: hashes.map(bytes),
    });
  const consistent = ({ from, to, from_root, to_root, hashes }: Consistency) =>
    verifyConsistency(sha256, {
      from: { size: from, root: bytes(from_root ?? file.roots[from] ?? "") },
      to: { size: to, root: bytes(to_root ?? file.roots[to] ?? "") },
      hashes: hashes.map(bytes),
    });

  it("has the leaf hashes and the roots of RFC 6962", () => {
    expect(tree.leaves.map(base64)).toEqual(file.leaf_hashes);
    expect(file.roots.map((_, size) => base64(tree.root(size)))).toEqual(file.roots);
  });

  it.each(file.inclusion)("inclusion of $index in $size", (claim) => {
    expect(tree.inclusion(claim.index, claim.size).map(base64)).toEqual(claim.hashes);
    expect(included(claim)).toBe(true);
  });

  it.each(file.consistency)("consistency from $from to $to", (claim) => {
    expect(tree.consistency(claim.from, claim.to).map(base64)).toEqual(claim.hashes);
    expect(consistent(claim)).toBe(true);
  });

  it.each(file.refused.inclusion)("refuses $why", (claim) => {
    expect(included(claim)).toBe(false);
  });

  it.each(file.refused.consistency)("refuses $why", (claim) => {
    expect(consistent(claim)).toBe(false);
  });
});

describe("tiles.json", () => {
  type Stored = { path: string; sha256: string };
  type File = {
    trees: { size: number; root: string; tiles: number; partial: Stored[]; full: Stored[] }[];
    paths: { level: number | null; index: number; width: number; path: string }[];
    no_paths: string[];
    grown: { from: number; to: number; paths: string[] }[];
    bundles: { leaves: string[]; bytes: string }[];
  };
  const file = vectors<File>("tiles.json");

  it.each(file.trees)("a tree of $size", ({ size, root, tiles, partial, full }) => {
    const tree = new StoredTree();
    tree.grow(Array.from({ length: size }, (_, n) => sha256(Buffer.from(`\0entry ${n}`))));
    expect(base64(tree.root(size))).toBe(root);
    expect(tree.tiles.size).toBe(tiles);
    expect(edgeTiles(size).map(tilePath)).toEqual(partial.map(({ path }) => path));
    for (const { path, sha256: expected } of [...partial, ...full]) {
      const read = parseTilePath(path);
      if (read === null) throw new Error(`no path: ${path}`);
      expect(tileAt({ ...read.tile, size })).toEqual(read.tile);
      expect(base64(sha256(tree.read(read.tile)))).toBe(expected);
    }
  });

  it.each(file.paths)("$path", ({ level, index, width, path }) => {
    expect(level === null ? bundlePath({ index, width }) : tilePath({ level, index, width })).toBe(path);
    const kind = level === null ? "bundle" : "tile";
    expect(parseTilePath(path)).toEqual({ kind, tile: { level: level ?? 0, index, width } });
  });

  it.each(file.no_paths)("%s is no path", (path) => {
    expect(parseTilePath(path)).toBeNull();
  });

  it.each(file.grown)("growth from $from to $to", ({ from, to, paths }) => {
    expect(newTiles({ from, to }).map(tilePath)).toEqual(paths);
  });

  it.each(file.bundles)("a bundle of $leaves", ({ leaves, bytes: expected }) => {
    expect(hex(entryBundle(leaves))).toBe(expected);
    expect(readBundle(Buffer.from(expected, "hex"), leaves.length)).toEqual(leaves);
  });
});

describe("note.json", () => {
  type File = {
    keys: { vkey: string; name: string; type: number; id: string }[];
    no_keys: { why: string; vkey: string }[];
    opened: { keys: string[]; note: string; text: string; signed: { vkey: string; time?: number }[] }[];
    refused: { kind: string; keys: string[]; note: string }[];
  };
  const file = vectors<File>("note.json");

  it.each(file.keys)("$vkey", ({ vkey, name, type, id }) => {
    const [key] = keysOf([vkey]) as [NoteKey];
    expect({ name: key.name, type: KEY_TYPE[key.type], id: hex(key.id) }).toEqual({ name, type, id });
    expect(formatVkey(key)).toBe(vkey);
  });

  it.each(file.no_keys)("no key: $why", ({ vkey }) => {
    expect(parseVkey(sha256, vkey).ok).toBe(false);
  });

  it.each(file.opened)("opens with $keys", async ({ keys, note, text, signed }) => {
    const opened = await openNote(verifyEd25519, { note, keys: keysOf(keys) });
    if (!opened.ok) throw new Error(opened.why);
    expect(opened.text).toBe(text);
    const found = opened.signed.map(({ key, timestamp }) =>
      timestamp === null ? { vkey: formatVkey(key) } : { vkey: formatVkey(key), time: timestamp },
    );
    expect(found).toEqual(signed);
  });

  it.each(file.refused)("$kind with $keys", async ({ kind, keys, note }) => {
    expect(await openNote(verifyEd25519, { note, keys: keysOf(keys) })).toMatchObject({ ok: false, kind });
  });
});

describe("checkpoint.json", () => {
  type File = {
    keys: { secret: string; origin: string; generation: number; seed: string; public_key: string; vkey: string }[];
    signed: { origin: string; size: number; root: string; generations: number[]; lines: string[] }[];
    good: { text: string; origin: string; size: number; root: string; extensions: string[] }[];
    malformed: { why: string; text: string }[];
  };
  const file = vectors<File>("checkpoint.json");

  it.each(file.keys)("the key of $origin, generation $generation", ({ secret, origin, generation, ...expected }) => {
    const seed = logKeySeed(hkdfSha256, { secret: bytes(secret), origin, generation });
    const { publicKey } = ed25519Signer(seed);
    const vkey = formatVkey(noteKey(sha256, { name: origin, type: "ed25519", publicKey }));
    expect({ seed: base64(seed), public_key: base64(publicKey), vkey }).toEqual(expected);
  });

  it.each(file.signed)("$origin at $size, signed by $generations", ({ origin, size, root, generations, lines }) => {
    const signers = generations.map((generation) => {
      const key = file.keys.find((one) => one.origin === origin && one.generation === generation);
      return ed25519Signer(bytes(key?.seed ?? ""));
    });
    const note = signCheckpoint(sha256, { checkpoint: { origin, size, root: bytes(root) }, signers });
    expect(note.split("\n")).toEqual(lines);
  });

  it.each(file.good)("$text", ({ text, root, ...expected }) => {
    expect(parseCheckpoint(text)).toEqual({ ...expected, root: bytes(root) });
  });

  it.each(file.malformed)("malformed: $why", ({ text }) => {
    expect(parseCheckpoint(text)).toBeNull();
  });
});

describe("tlog-proof.json", () => {
  type Case = { keys: string[]; proof: string };
  type File = {
    origin: string;
    verified: (Case & {
      index: number;
      size: number;
      absent: { section: string; cause: string }[];
      witnesses: { name: string; time: number }[];
    })[];
    refused: (Case & { kind: string; note: string })[];
  };
  const { origin, verified, refused } = vectors<File>("tlog-proof.json");
  const check = ({ keys, proof }: Case) =>
    verifyEntryProof({ sha256, verifyEd25519 }, { proof, origin, keys: keysOf(keys) });

  it.each(verified)("entry $index of $size", async ({ index, size, absent, witnesses, ...given }) => {
    const parsed = parseTlogProof(given.proof);
    if (parsed === null) throw new Error("it is a proof");
    expect(formatTlogProof(parsed)).toBe(given.proof);
    const report = await check(given);
    if (!report.ok) throw new Error(report.why);
    expect({ index: report.leaf.index, size: report.checkpoint.size, absent: report.absences }).toEqual({
      index,
      size,
      absent,
    });
    expect(report.cosigned.map(({ name, timestamp }) => ({ name, time: timestamp }))).toEqual(witnesses);
  });

  it.each(refused)("$kind: $note", async ({ kind, ...given }) => {
    expect(await check(given)).toMatchObject({ ok: false, kind });
  });
});

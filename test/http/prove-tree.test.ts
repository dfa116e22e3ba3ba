import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { base64 } from "../../src/chain/encoding.ts";
import { verifyConsistency } from "../../src/chain/proof/verify-consistency.ts";
import { verifyInclusion } from "../../src/chain/proof/verify-inclusion.ts";
import { bundlePath, edgeTiles, newTiles, tilePath } from "../../src/chain/tile.ts";
import { entryBundle } from "../../src/chain/tree/entry-bundle.ts";
import { growTiles } from "../../src/chain/tree/grow-tiles.ts";
import { entryHash } from "../../src/chain/leaf.ts";
import { joinBytes } from "../../src/chain/bytes.ts";
import { sha256 } from "../../src/sha256.ts";
import { append, batchOf } from "../support/append.ts";
import { checkLedger } from "../support/check-ledger.ts";
import { call, createOrg, event } from "../support/client.ts";
import { replaceMethod, restoreFaults } from "../support/faults.ts";
import { at, bytesAt, checkpointOf, originOf, publishedOrg } from "./prove-support.ts";
import { problemOf } from "./support.ts";

afterEach(restoreFaults);

describe("the published tree", () => {
  const SIZE = 700;
  let org = "";
  beforeAll(async () => {
    org = await publishedOrg("tree", SIZE);
  });

  it("has the tiles and bundles C2SP tlog-tiles says, with those bytes, for ever", async () => {
    const { entries } = await checkLedger(org, { archived: true });
    const leaves = entries.map(({ line }) => (JSON.parse(line) as { leaf: string }).leaf);
    const leafHashes = joinBytes(...leaves.map((leaf) => entryHash(sha256, leaf)));
    for (const { tile, bytes } of growTiles(sha256, { size: 0, edge: [], leafHashes })) {
      const answer = await call("GET", at(org, tilePath(tile)));
      expect(answer.headers.get("content-type")).toBe("application/octet-stream");
      expect(answer.headers.get("cache-control")).toBe("private, max-age=31536000, immutable");
      expect(await bytesAt(at(org, tilePath(tile)))).toEqual(bytes);
      if (tile.level > 0) continue;
      const bundle = entryBundle(leaves.slice(tile.index * 256, tile.index * 256 + tile.width));
      expect(await bytesAt(at(org, bundlePath(tile)))).toEqual(bundle);
    }
    // As they were in smaller trees: partial tiles that have grown since.
    for (const { tile, bytes } of growTiles(sha256, { size: 0, edge: [], leafHashes: leafHashes.slice(0, 300 * 32) })) {
      expect(await bytesAt(at(org, tilePath(tile)))).toEqual(bytes);
    }
    expect(newTiles({ from: 0, to: SIZE }).length).toBe(4);
    expect(await bytesAt(at(org, "tile/entries/000.p/3"))).toEqual(entryBundle(leaves.slice(0, 3)));
  });

  it.each([
    "tile/0/002.p/189",
    "tile/0/002",
    "tile/0/003.p/1",
    "tile/1/000.p/3",
    "tile/1/000",
    "tile/2/000.p/1",
    "tile/entries/002",
    "tile/entries/003.p/1",
    "tile/0/000.p/256",
    "tile/0/000.p/0",
    "tile/00/000",
    "tile/0/0",
    "tile/0/x000/000",
    "tile/64/000",
    "tile/0//000",
    "tile/data/000",
    "tile/0/000/",
  ])("has no %s", async (path) => {
    problemOf(await call("GET", at(org, path)), "not_found");
  });

  it("is not served before there is a checkpoint, though its key is", async () => {
    const fresh = await createOrg("fresh");
    for (const path of ["checkpoint", "tile/0/000.p/1", "proof/inclusion?index=0", "proof/consistency?from=0"]) {
      expect(problemOf(await call("GET", at(fresh, path)), "not_found").detail).toContain("no checkpoint yet");
    }
    expect((await call("GET", at(fresh, "log-key"))).text).toMatch(/^log\.test\/v1\/orgs\/[^+]+\+[0-9a-f]{8}\+\S+\n$/);
  });

  it("answers inclusion proofs that verify, for its size and for smaller ones", async () => {
    const newest = await checkpointOf(org, 1);
    for (const [index, size] of [
      [0, 1],
      [0, 700],
      [255, 256],
      [256, 257],
      [699, 700],
      [300, 513],
    ] as const) {
      const answer = await call("GET", at(org, `proof/inclusion?index=${index}&size=${size}`));
      expect(answer.headers.get("cache-control")).toContain("immutable");
      const decode = (text: string) => new Uint8Array(Buffer.from(text, "base64"));
      const { leaf_hash, root, hashes } = answer.json;
      const claim = { index, size, leafHash: decode(leaf_hash), root: decode(root), hashes: hashes.map(decode) };
      expect(verifyInclusion(sha256, claim)).toBe(true);
      if (size === SIZE) expect(root).toBe(base64(newest.root));
    }
    const unsized = await call("GET", at(org, "proof/inclusion?index=5"));
    expect(unsized.json.size).toBeGreaterThanOrEqual(SIZE);
    expect(unsized.headers.get("cache-control")).toBe("no-cache");
  });

  it("answers consistency proofs that verify", async () => {
    for (const [from, to] of [
      [0, 5],
      [1, 700],
      [256, 700],
      [300, 513],
      [699, 700],
      [700, 700],
    ] as const) {
      const { json } = await call("GET", at(org, `proof/consistency?from=${from}&to=${to}`));
      const decode = (text: string) => new Uint8Array(Buffer.from(text, "base64"));
      const claim = {
        from: { size: from, root: decode(json.from_root) },
        to: { size: to, root: decode(json.to_root) },
        hashes: json.hashes.map(decode),
      };
      expect(verifyConsistency(sha256, claim), `${from} to ${to}`).toBe(true);
    }
  });

  it.each([
    ["proof/inclusion?index=5&size=5", "invalid_request"],
    ["proof/inclusion?index=0&size=0", "invalid_request"],
    ["proof/inclusion?index=0&size=900000", "not_found"],
    ["proof/inclusion?index=-1", "invalid_request"],
    ["proof/inclusion?index=01", "invalid_request"],
    ["proof/inclusion", "invalid_request"],
    ["proof/inclusion?index=0&extra=1", "invalid_request"],
    ["proof/inclusion?index=99999999999", "invalid_request"],
    ["proof/consistency?from=2&to=1", "invalid_request"],
    ["proof/consistency?from=0&to=900000", "not_found"],
    ["proof/consistency", "invalid_request"],
    ["checkpoint?min_size=x", "invalid_request"],
    ["log-key?x=1", "invalid_request"],
  ] as const)("refuses %s with %s", async (path, code) => {
    problemOf(await call("GET", at(org, path)), code);
    // What is wrong with a question is for those to know who may ask.
    problemOf(await call("GET", at(org, path), { key: null }), "unauthorized");
  });

  it("only grows: checkpoints of successive sizes are consistent", async () => {
    const grown = await createOrg("grown");
    let before = await checkpointOf(grown, 1);
    for (const count of [1, 254, 3, 400]) {
      await append(grown, batchOf(Array.from({ length: count }, (_, n) => event(n))));
      const after = await checkpointOf(grown, before.size + count);
      expect(after.size).toBe(before.size + count);
      const { json } = await call("GET", at(grown, `proof/consistency?from=${before.size}&to=${after.size}`));
      const hashes = json.hashes.map((text: string) => new Uint8Array(Buffer.from(text, "base64")));
      expect(verifyConsistency(sha256, { from: before, to: after, hashes })).toBe(true);
      before = after;
    }
  });

  it("is read in O(log n): few objects a proof, however long the log", async () => {
    const gets = replaceMethod(env.ARCHIVE, "get", (original, args) => original(...args));
    await call("GET", at(org, "proof/inclusion?index=300&size=700"));
    // Level 0: the tile of the entry; all else is in the ledger's edge.
    expect(gets.hits).toBeLessThanOrEqual(2);
    const before = gets.hits;
    await call("GET", at(org, "proof/consistency?from=300&to=650"));
    expect(gets.hits - before).toBeLessThanOrEqual(2);
    expect(edgeTiles(SIZE).length).toBe(2);
  });

  it("with a tile changed in R2 answers no proof at all", async () => {
    const bad = await publishedOrg("bad", 600);
    await env.ARCHIVE.put(`tree/${originOf(bad)}/tile/0/000`, new Uint8Array(8_192).fill(1));
    problemOf(await call("GET", at(bad, "proof/inclusion?index=3&size=600")), "internal");
    await env.ARCHIVE.delete(`tree/${originOf(bad)}/tile/0/000`);
    problemOf(await call("GET", at(bad, "tile/0/000")), "internal");
    problemOf(await call("GET", at(bad, "events/3/proof")), "internal");
  });
});

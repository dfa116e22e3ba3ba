import { describe, expect, it } from "vitest";
import { base64url } from "../../src/chain/encoding.ts";
import { makeLog, OTHER_LOG, record, sealEvent, sha256 } from "../chain/support.ts";
import { blamed, changed, leafOf, plainEvents, publish, published, verified, withLeaves } from "./support.ts";

const big = publish(makeLog(plainEvents(1_000)));

let made: ReturnType<typeof published> | undefined;

const huge = () => (made ??= published(70_000));

describe("leaves that are not the tree's", () => {
  const other = makeLog(plainEvents(1_000), { log: OTHER_LOG });

  it("are changed, and blamed at their index alone", async () => {
    for (const index of [0, 255, 256, 700, 999]) {
      const leaf = leafOf(big, index).replace('"general"', '"login"');
      const files = withLeaves(big, (at) => (at === index ? leaf : leafOf(big, at)));
      const report = await verified({ ...big, files });
      expect(blamed(report)).toEqual([`leaf_changed ${index}`]);
      expect(report).toMatchObject({ ok: false, entries: 999, unvouched: [] });
    }
  });

  it("are bytes that are no text", async () => {
    const files = new Map(big.files);
    const path = "tile/entries/001";
    const bytes = new Uint8Array(files.get(path) as Uint8Array);
    bytes[40] = 0xff;
    files.set(path, bytes);
    expect(blamed(await verified({ ...big, files }))).toEqual(["leaf_changed 256"]);
  });

  it("are of another org", async () => {
    const leaf = record({ line: other.sealed[300]?.line as string }).leaf;
    const files = withLeaves(big, (at) => (at === 300 ? leaf : leafOf(big, at)));
    expect(blamed(await verified({ ...big, files }))).toEqual(["misrouted 300"]);
  });

  it("were swapped, near and far", async () => {
    for (const [a, b] of [
      [3, 9],
      [3, 900],
      [255, 256],
    ] as const) {
      const files = withLeaves(big, (at) => leafOf(big, at === a ? b : at === b ? a : at));
      expect(blamed(await verified({ ...big, files }))).toEqual([`reordered ${a} at ${b}`, `reordered ${b} at ${a}`]);
    }
  });

  it("are not there", async () => {
    const files = new Map(big.files);
    files.delete("tile/entries/002");
    expect(blamed(await verified({ ...big, files }))).toEqual(["missing 512 to 767"]);
    files.set("tile/entries/002", new Uint8Array([0, 1]));
    expect(blamed(await verified({ ...big, files }))).toEqual(["missing 512 to 767"]);
  });
});

describe("what was sealed wrong", () => {
  it("is a leaf with a member given twice, signed as it is", async () => {
    const log = makeLog(plainEvents(3));
    const line = log.sealed[2]?.line as string;
    const leaf = record({ line }).leaf.replace('"v":1', '"v":1,"v":1');
    const sealed = {
      ...log.sealed[2],
      line: JSON.stringify({ ...record({ line }), leaf }),
      hash: hashOf(leaf),
    } as never;
    const bad = publish({ ...log, sealed: [...log.sealed.slice(0, 2), sealed] });
    expect(blamed(await verified(bad))).toEqual(["leaf_malformed 2"]);
    expect(blamed(await verified(bad, { lines: bad.lines }))).toEqual(["leaf_malformed 2"]);
  });

  it("is a link that names no predecessor, though all are in the tree", async () => {
    const log = makeLog(plainEvents(300));
    const [a, b] = [log.sealed.slice(0, 270), makeLog(plainEvents(300), { seed: "x" }).sealed.slice(270)];
    const bad = publish({ ...log, sealed: [...a, ...b] });
    expect(blamed(await verified(bad))).toEqual(["link_broken 270"]);
    const cut = makeLog(plainEvents(300), { log: OTHER_LOG });
    expect(blamed(await verified(publish({ ...cut, sealed: cut.sealed.slice(5, 6) }))).at(0)).toBe("reordered 5 at 0");
  });

  it("is a first entry that does not name the genesis", async () => {
    const entry = sealEvent({}, { index: 0, prev: base64url(new Uint8Array(32)) });
    const bad = publish({ ...makeLog([]), sealed: [entry] });
    expect(blamed(await verified(bad))).toEqual(["link_broken 0"]);
  });
});

describe("tiles that are not the tree's", () => {
  it("are named, and what they should hold is had from below", async () => {
    const cases: [string, string][] = [
      ["tile/0/001", "diverged 256 to 511"],
      ["tile/0/003.p/232", "diverged 768 to 999"],
      ["tile/1/000.p/3", "diverged 0 to 767"],
    ];
    for (const [path, blame] of cases) {
      const files = new Map(big.files);
      files.set(path, changed(files.get(path), 5));
      const report = await verified({ ...big, files });
      expect(blamed(report)).toEqual([blame]);
      expect(report).toMatchObject({ ok: false, entries: 1_000, unvouched: [] });
      files.delete(path);
      const missing = await verified({ ...big, files });
      expect(blamed(missing)).toEqual([blame.replace("diverged", "missing")]);
    }
  });

  it("are named at every height", async () => {
    const cases: [string, string][] = [
      ["tile/1/000", "diverged 0 to 65535"],
      ["tile/1/001.p/17", "diverged 65536 to 69887"],
      ["tile/2/000.p/1", "diverged 0 to 65535"],
    ];
    for (const [path, blame] of cases) {
      const files = new Map(huge().files);
      files.set(path, changed(files.get(path), 5));
      const stop = new AbortController();
      const report = await verified({ ...huge(), files }, { signal: stop.signal, onProgress: () => stop.abort() });
      expect(blamed(report)).toEqual([blame]);
    }
  });

  it("vouch for nothing when what lies below is changed too", async () => {
    const leaf = leafOf(big, 300).replace('"general"', '"login"');
    const files = withLeaves(big, (at) => (at === 300 ? leaf : leafOf(big, at)));
    files.set("tile/0/001", changed(files.get("tile/0/001"), 5));
    const report = await verified({ ...big, files });
    expect(blamed(report)).toEqual(["diverged 256 to 511"]);
    expect(report).toMatchObject({ entries: 744, unvouched: [{ from: 256, to: 511 }] });
  });

  it("are those of another tree altogether", async () => {
    const files = new Map(published(1_000, { seed: "other" }).files);
    const report = await verified({ ...big, files });
    expect(blamed(report)).toEqual(["diverged"]);
    expect(report).toMatchObject({ ok: false, entries: 0, unvouched: [{ from: 0, to: 999 }] });
  });

  it("may be had from the full one once the partial one is gone", async () => {
    const cut = publish(big.sealed, { size: 700 });
    const files = new Map(big.files);
    for (const path of ["tile/0/002", "tile/entries/002"]) expect(cut.files.has(path)).toBe(false);
    files.set("tile/1/000.p/2", cut.files.get("tile/1/000.p/2") as Uint8Array);
    expect(await verified({ ...cut, files })).toMatchObject({ ok: true, entries: 700 });
  });
});

function hashOf(leaf: string): Uint8Array {
  return sha256(new TextEncoder().encode(`\0${leaf}`));
}

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bundlePath, edgeTiles, newTiles, parseTilePath, tileAt, tilePath } from "../../src/chain/tile.ts";

describe("a tile's path", () => {
  it.each([
    [{ level: 0, index: 0, width: 256 }, "tile/0/000"],
    [{ level: 0, index: 0, width: 1 }, "tile/0/000.p/1"],
    [{ level: 0, index: 999, width: 255 }, "tile/0/999.p/255"],
    [{ level: 1, index: 1_000, width: 256 }, "tile/1/x001/000"],
    [{ level: 0, index: 1_234_067, width: 256 }, "tile/0/x001/x234/067"],
    [{ level: 0, index: 2 ** 24 - 1, width: 256 }, "tile/0/x016/x777/215"],
    [{ level: 63, index: 5, width: 8 }, "tile/63/005.p/8"],
  ])("of %j is %s", (tile, path) => {
    expect(tilePath(tile)).toBe(path);
    expect(parseTilePath(path)).toEqual({ kind: "tile", tile });
  });

  it("of entries has their name in place of the level", () => {
    expect(bundlePath({ index: 1_234_067, width: 9 })).toBe("tile/entries/x001/x234/067.p/9");
    expect(parseTilePath("tile/entries/x001/x234/067.p/9")).toEqual({
      kind: "bundle",
      tile: { level: 0, index: 1_234_067, width: 9 },
    });
  });

  it.each([
    "",
    "tile",
    "tile/0",
    "tile/0/",
    "tile/0/0",
    "tile/0/00",
    "tile/0/0000",
    "tile/00/000",
    "tile/01/000",
    "tile/64/000",
    "tile/-1/000",
    "tile/x/000",
    "tile/0/x000/000",
    "tile/0/x000/x001/000",
    "tile/0/001/000",
    "tile/0/x001",
    "tile/0/x001/",
    "tile/0/X001/000",
    "tile/0/000.p",
    "tile/0/000.p/",
    "tile/0/000.p/0",
    "tile/0/000.p/00",
    "tile/0/000.p/01",
    "tile/0/000.p/256",
    "tile/0/000.p/257",
    "tile/0/000.p/999",
    "tile/0/x004/x294/x967/296",
    "tile/0/000.p/1/",
    "tile/0/000.p/-1",
    "tile/0/000.P/1",
    "tile/0/000.p/1.p/1",
    "tile/0/x999/x999/x999/x999/x999/x999/999",
    "tile/8/0/000",
    "tile/entries/0/000",
    "tile/Entries/000",
    "/tile/0/000",
    "tile//0/000",
    "tile/0/000\n",
    "tile/0/٠٠٠",
  ])("is not %j", (path) => {
    expect(parseTilePath(path)).toBeNull();
  });

  it("is read only from what it is written as", () => {
    const index = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    fc.assert(
      fc.property(fc.nat(63), index, fc.integer({ min: 1, max: 256 }), (level, index, width) => {
        const tile = { level, index, width };
        expect(parseTilePath(tilePath(tile))).toEqual({ kind: "tile", tile });
        expect(parseTilePath(bundlePath(tile))).toEqual({ kind: "bundle", tile: { ...tile, level: 0 } });
      }),
    );
    fc.assert(
      fc.property(fc.stringMatching(/^tile\/([0-9]{1,3}|entries)\/[x0-9/]{1,12}(\.p\/[0-9]{0,4})?$/), (path) => {
        const read = parseTilePath(path);
        if (read !== null) expect(read.kind === "tile" ? tilePath(read.tile) : bundlePath(read.tile)).toBe(path);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("the tiles of a tree", () => {
  it("are those of the example of C2SP tlog-tiles at 70,000", () => {
    const tiles = newTiles({ from: 0, to: 70_000 });
    expect(tiles.filter(({ level }) => level === 0).length).toBe(274);
    expect(tiles.slice(-4)).toEqual([
      { level: 0, index: 273, width: 112 },
      { level: 1, index: 0, width: 256 },
      { level: 1, index: 1, width: 17 },
      { level: 2, index: 0, width: 1 },
    ]);
    expect(edgeTiles(70_000)).toEqual([
      { level: 0, index: 273, width: 112 },
      { level: 1, index: 1, width: 17 },
      { level: 2, index: 0, width: 1 },
    ]);
  });

  it("are a full one and one above it at 256, and none at 0", () => {
    expect(newTiles({ from: 0, to: 256 })).toEqual([
      { level: 0, index: 0, width: 256 },
      { level: 1, index: 0, width: 1 },
    ]);
    expect(edgeTiles(256)).toEqual([{ level: 1, index: 0, width: 1 }]);
    expect(newTiles({ from: 0, to: 0 })).toEqual([]);
    expect(edgeTiles(0)).toEqual([]);
  });

  it("that are new when it grows are those that change", () => {
    expect(newTiles({ from: 255, to: 257 })).toEqual([
      { level: 0, index: 0, width: 256 },
      { level: 0, index: 1, width: 1 },
      { level: 1, index: 0, width: 1 },
    ]);
    expect(newTiles({ from: 257, to: 258 })).toEqual([{ level: 0, index: 1, width: 2 }]);
    expect(newTiles({ from: 256, to: 256 })).toEqual([]);
    expect(newTiles({ from: 2 ** 32 - 1, to: 2 ** 32 })).toEqual([
      { level: 0, index: 2 ** 24 - 1, width: 256 },
      { level: 1, index: 2 ** 16 - 1, width: 256 },
      { level: 2, index: 2 ** 8 - 1, width: 256 },
      { level: 3, index: 0, width: 256 },
      { level: 4, index: 0, width: 1 },
    ]);
  });

  it("are there, as wide as they are, and no others", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70_000 }), (size) => {
        for (const tile of newTiles({ from: 0, to: size })) expect(tileAt({ ...tile, size })).toEqual(tile);
        for (const { level, index } of newTiles({ from: 0, to: size }).slice(-3)) {
          expect(tileAt({ level: level + 9, index, size })).toBeNull();
          expect(tileAt({ level, index: index + 300, size })).toBeNull();
        }
      }),
      { numRuns: 30 },
    );
    expect(tileAt({ level: 63, index: 0, size: 2 ** 32 })).toBeNull();
  });
});

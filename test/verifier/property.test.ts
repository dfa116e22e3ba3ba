import fc from "fast-check";
import { expect, it } from "vitest";
import { makeLog } from "../chain/support.ts";
import { blamed, kept, plainEvents, publish, type Published, verified } from "./support.ts";

const all = makeLog(plainEvents(700));
const published = new Map<number, Published>();
function cut(size: number): Published {
  const known = published.get(size) ?? publish(all, { size });
  published.set(size, known);
  return known;
}
const size = fc.integer({ min: 1, max: 700 });

it("finds every single bit that is changed in any file of a log, and blames only what lies there", async () => {
  await fc.assert(
    fc.asyncProperty(size, fc.nat(), fc.nat(), async (entries, file, bit) => {
      const log = cut(entries);
      const paths = [...log.files.keys()].filter((path) => path.startsWith("tile/"));
      const path = paths[file % paths.length] as string;
      const bytes = new Uint8Array(log.files.get(path) as Uint8Array);
      const at = bit % (bytes.length * 8);
      bytes[at >> 3] = (bytes[at >> 3] as number) ^ (1 << (at & 7));
      const report = await verified({ ...log, files: new Map(log.files).set(path, bytes) });
      expect(report.ok, path).toBe(false);
      expect(report.breaks.length, path).toBe(1);
      // A tile is had anew from what lies below; an entry, or a bundle cut in the wrong places, from nowhere.
      expect(report.unvouched, path).toEqual([]);
      if (path.startsWith("tile/entries")) expect(blamed(report)[0]).toMatch(/^(leaf_changed|missing|misrouted) \d+/);
      else expect(blamed(report)[0]).toMatch(/^diverged \d+ to \d+$/);
    }),
    { numRuns: 120 },
  );
});

it("finds every file that is cut, emptied, made longer or put in place of another", async () => {
  await fc.assert(
    fc.asyncProperty(
      size,
      fc.nat(),
      fc.nat(),
      fc.constantFrom("cut", "longer", "other"),
      async (entries, file, more, how) => {
        const log = cut(entries);
        const paths = [...log.files.keys()].filter((path) => path.startsWith("tile/"));
        const path = paths[file % paths.length] as string;
        const bytes = log.files.get(path) as Uint8Array;
        const other = log.files.get(paths[more % paths.length] as string) as Uint8Array;
        fc.pre(how !== "other" || Buffer.compare(bytes, other) !== 0);
        const changed = {
          cut: bytes.subarray(0, more % bytes.length),
          longer: Buffer.concat([bytes, Buffer.alloc(1 + (more % 40))]),
          other,
        }[how];
        const report = await verified({ ...log, files: new Map(log.files).set(path, changed) });
        expect(report.ok, `${path} ${how}`).toBe(false);
      },
    ),
    { numRuns: 120 },
  );
});

it("tells growth from every other change between two checkpoints of any sizes", async () => {
  const rewritten = makeLog(plainEvents(700), { seed: "other" });
  await fc.assert(
    fc.asyncProperty(size, size, fc.boolean(), async (from, to, same) => {
      const older = kept(same ? cut(from) : publish(rewritten, { size: from }));
      const report = await verified(cut(to), { older: [older] });
      expect(report.older[0]?.grew).toBe(same && from <= to);
      const kind = from > to ? "truncated" : "diverged";
      expect(report.breaks.map((found) => found.kind)).toEqual(same && from <= to ? [] : [kind]);
    }),
    { numRuns: 60 },
  );
});

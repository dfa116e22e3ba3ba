import { describe, expect, it } from "vitest";
import { predecessorText } from "../../src/chain/continuation.ts";
import { LOG, sha256 } from "../chain/support.ts";
import { blamed, kept, noteOf, published, verified } from "./support.ts";

const first = published(300);
const predecessor = predecessorText(sha256, { origin: LOG, note: noteOf(first) });
const second = published(7, { log: `${LOG}/2`, predecessor });

describe("a log that continues another", () => {
  it("is held to the checkpoint that its first leaf names", async () => {
    for (const more of [{}, { lines: second.lines, has: { tiles: false, entries: false } }]) {
      expect(await verified(second, { predecessor, ...more })).toMatchObject({ ok: true, entries: 7, breaks: [] });
      const other = predecessorText(sha256, { origin: LOG, note: noteOf(published(299)) });
      const report = await verified(second, { predecessor: other, ...more });
      expect(blamed(report)).toEqual(["link_broken 0"]);
      expect(report.breaks[0]?.detail).toBe(
        `The first leaf does not name the checkpoint of ${LOG} at size 299: that is not what this log continues.`,
      );
      expect(blamed(await verified(second, more))).toEqual(["link_broken 0"]);
    }
    expect(blamed(await verified(first, { predecessor }))).toEqual(["link_broken 0"]);
  });

  it("may continue one that never had a checkpoint", async () => {
    const none = predecessorText(sha256, { origin: LOG, note: null });
    expect(none).toBe(`${LOG}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n`);
    const next = published(3, { log: `${LOG}/2`, predecessor: none });
    expect((await verified(next, { predecessor: none })).ok).toBe(true);
  });

  it("is not wholly checked while that checkpoint is not known", async () => {
    const report = await verified(second, { predecessor: null });
    expect(report).toMatchObject({ ok: false, entries: 7, breaks: [] });
    expect(report.could_not_check).toEqual([
      { index: 0, why: "what it continues: the last checkpoint of the log before is not known" },
    ]);
  });
});

describe("a log that was continued", () => {
  const without = (paths: RegExp) => ({
    ...first,
    files: new Map([...first.files].filter(([path]) => !paths.test(path))),
  });
  const lost = without(/^tile\//);

  it("could not be checked when its tree is lost, and is not broken by that", async () => {
    for (const gone of [lost, without(/^tile\/.*\.p\//)]) {
      const report = await verified(gone, { continued: true });
      expect(report).toMatchObject({ ok: false, breaks: [], unvouched: [], entries: 0 });
      expect(report.could_not_check).toEqual([
        { index: null, why: expect.stringContaining("tile/0/001.p/44 is not there") },
      ]);
      expect((await verified(gone)).breaks).not.toEqual([]);
    }
  });

  it("is still compared with what somebody kept, as far as roots alone go", async () => {
    const grew = async (older: ReturnType<typeof kept>) =>
      (await verified(lost, { continued: true, older: [older] })).older[0]?.grew;
    expect(await grew(kept(first))).toBe(true);
    expect(await grew(kept(published(300, { seed: "other" })))).toBe(false);
    expect(await grew(kept(published(301)))).toBe(false);
    expect(await grew(kept(published(299)))).toBe(null);
  });

  it("is broken like any other by what is there and is not its own", async () => {
    const files = new Map(first.files).set("tile/0/001.p/44", new Uint8Array(44 * 32));
    const report = await verified({ ...first, files }, { continued: true });
    expect(report.breaks).not.toEqual([]);
    const missing = await verified(without(/^tile\/entries\/000$/), { continued: true });
    expect(blamed(missing)).toEqual(["missing 0 to 255"]);
    const both = await verified(without(/^tile\/(0|entries)\/000$/), { continued: true });
    expect(blamed(both)).toEqual(["missing 0 to 255"]);
  });
});

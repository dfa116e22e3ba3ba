import { describe, expect, it } from "vitest";
import { blames, edited, HASH, LOG, makeLog, OTHER_LOG, sealEvent, walk } from "./support.ts";
import { foreign, log, moved, row, SIZE, withLeaf, without } from "./ten-entries.ts";

describe("the tamper matrix", () => {
  it("content: names the section whose text changed, and vouches for everything", () => {
    const report = walk(log, [
      ...without(4),
      edited(row(4), (value) => (value.sections["actor"]!.text = '{"id":"u_X"}')),
    ]);
    expect(blames(report)).toEqual(["content_changed 4 actor"]);
    expect(report.unvouched).toEqual([]);
  });

  it("content: names the section whose salt changed", () => {
    const salt = "AAAAAAAAAAAAAAAAAAAAAA";
    const report = walk(log, [...without(4), edited(row(4), (value) => (value.sections["note"]!.salt = salt))]);
    expect(blames(report)).toEqual(["content_changed 4 note"]);
  });

  it.each(["", "AAAA", "AAAAAAAAAAAAAAAAAAAAAB", "AAAAAAAAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAAAAAAAAAAA"])(
    "content: names the section whose salt %j is no salt",
    (salt) => {
      const report = walk(log, [...without(4), edited(row(4), (value) => (value.sections["note"]!.salt = salt))]);
      expect(blames(report)).toEqual(["content_changed 4 note"]);
    },
  );

  it("content: a lone surrogate does not pass for the U+FFFD it would hash like", () => {
    const replaced = makeLog([{ sections: [{ name: "note", text: '{"reason":"\ufffd"}' }] }]);
    const line = replaced.rows[0]!.line.replace("\ufffd", "\\ud800");
    expect(blames(walk(replaced, [{ index: 0, line }]))).toEqual(["content_changed 0 note"]);
  });

  it("content: names a section the leaf never committed", () => {
    const extra = { salt: "AAAAAAAAAAAAAAAAAAAAAA", text: "{}" };
    const context = walk(log, [...without(4), edited(row(4), (value) => (value.sections["context"] = extra))]);
    expect(blames(context)).toEqual(["content_changed 4 context"]);
    const line = row(4).line.replace(
      '"sections":{',
      '"sections":{"__proto__":{"salt":"AAAAAAAAAAAAAAAAAAAAAA","text":"{}"},',
    );
    expect(blames(walk(log, [...without(4), { index: 4, line }]))).toEqual(["content_changed 4 __proto__"]);
  });

  it("content: two sections of one entry that changed places are both named", () => {
    const swap = edited(row(4), ({ sections }) => {
      [sections["actor"], sections["target/0"]] = [sections["target/0"]!, sections["actor"]!];
    });
    expect(blames(walk(log, [...without(4), swap]))).toEqual(["content_changed 4 actor", "content_changed 4 target/0"]);
  });

  it("content: a row that is more than a record is named", () => {
    const line = `${row(4).line.slice(0, -1)},"x":1}`;
    expect(blames(walk(log, [...without(4), { index: 4, line }]))).toEqual(["content_changed 4"]);
  });

  it("content: a section that vanished is an unexplained gap", () => {
    const report = walk(log, [...without(4), edited(row(4), ({ sections }) => delete sections["metadata"])]);
    expect(blames(report)).toEqual(["unexplained_gap 4 metadata"]);
  });

  it("leaf: names the leaf alone, and everything older as unvouched", () => {
    const report = walk(log, [...without(4), withLeaf(4, (leaf) => leaf.replace("general", "telemetry"))]);
    expect(blames(report)).toEqual(["leaf_changed 4"]);
    expect(report.breaks[0]).toMatchObject({ expected: log.sealed[4]!.prev });
    expect(report.unvouched).toEqual([{ from: 0, to: 3 }]);
  });

  it("leaf: a changed prev does not blame the entry before", () => {
    const report = walk(log, [
      ...without(4),
      withLeaf(4, (leaf) => leaf.replace(/"prev":"[^"]+"/, `"prev":"${HASH}"`)),
    ]);
    expect(blames(report)).toEqual(["leaf_changed 4"]);
    expect(report.unvouched).toEqual([{ from: 0, to: 3 }]);
  });

  it("leaf: a second changed leaf is named relative to its intact successor", () => {
    const change = (leaf: string) => leaf.replace("general", "telemetry");
    const report = walk(log, [...without(2, 6), withLeaf(6, change), withLeaf(2, change)]);
    expect(blames(report)).toEqual(["leaf_changed 2", "leaf_changed 6"]);
    expect(report.unvouched).toEqual([
      { from: 0, to: 1 },
      { from: 3, to: 5 },
    ]);
  });

  it.each(["", "null", "[]", "{}", '{"leaf":7,"sections":{}}', "not JSON"])(
    "leaf: a row that reads %j is changed",
    (line) => {
      const report = walk(log, [...without(4), { index: 4, line }]);
      expect(blames(report)).toEqual(["leaf_changed 4"]);
      expect(report.unvouched).toEqual([{ from: 0, to: 3 }]);
    },
  );

  it.each([0, 4, SIZE - 1])("delete: entry %i is missing", (index) => {
    const report = walk(log, without(index));
    expect(blames(report)).toEqual([`missing ${index}`]);
    expect(report.unvouched).toEqual(index === 0 ? [] : [{ from: 0, to: index - 1 }]);
    expect(report.checked).toBe(SIZE - 1);
  });

  it("delete: all rows are missing", () => {
    expect(blames(walk(log, []))).toHaveLength(SIZE);
  });

  it("insert: a made-up second row at an index is extra", () => {
    const made = sealEvent({ action: "made.up" }, { index: 4, prev: HASH });
    expect(blames(walk(log, [...log.rows, { index: 4, line: made.line }]))).toEqual(["extra 4"]);
  });

  it("insert: a second row that follows the same predecessor is a fork, in either order", () => {
    const fork = { index: 4, line: sealEvent({ action: "other.event" }, { index: 4, prev: log.sealed[3]!.prev }).line };
    for (const rows of [
      [...log.rows, fork],
      [fork, ...log.rows],
    ]) {
      const report = walk(log, rows);
      expect(blames(report)).toEqual(["duplicate_index 4"]);
      expect(report.unvouched).toEqual([]);
    }
  });

  it("insert: a fork whose sections do not open is only extra", () => {
    const fork = { index: 4, line: sealEvent({ action: "other.event" }, { index: 4, prev: log.sealed[3]!.prev }).line };
    const spoiled = edited(fork, (value) => (value.sections["note"]!.text = "{}"));
    expect(blames(walk(log, [...log.rows, spoiled]))).toEqual(["extra 4"]);
  });

  it("insert: the same row twice is extra", () => {
    expect(blames(walk(log, [...log.rows, row(4)]))).toEqual(["extra 4"]);
  });

  it("insert: rows beyond the head are extra, whatever they hold", () => {
    const grown = sealEvent({}, { index: SIZE, prev: log.sealed[SIZE - 1]!.prev });
    const rows = [{ index: SIZE, line: grown.line }, moved(3, SIZE + 5), { index: SIZE + 9, line: "{}" }];
    expect(blames(walk(log, [...log.rows, ...rows]))).toEqual(["extra 10", "extra 15", "extra 19"]);
  });

  it.each([
    [3, 7],
    [4, 5],
    [0, 9],
    [0, 1],
    [8, 9],
  ])("swap: rows %i and %i are both reordered, and everything is vouched for", (a, b) => {
    const report = walk(log, [...without(a, b), moved(a, b), moved(b, a)]);
    expect(blames(report)).toEqual([`reordered ${a} at ${b}`, `reordered ${b} at ${a}`]);
    expect(report.unvouched).toEqual([]);
  });

  it("swap: what changed in a swapped row is named too", () => {
    const spoiled = edited(moved(3, 7), (value) => (value.sections["note"]!.text = "{}"));
    const report = walk(log, [...without(3, 7), spoiled, moved(7, 3)]);
    expect(blames(report)).toEqual(["content_changed 3 note", "reordered 3 at 7", "reordered 7 at 3"]);
  });

  it("copy: a row of another org in place of ours is misrouted", () => {
    const report = walk(log, [...without(4), foreign.rows[4]!]);
    expect(blames(report)).toEqual(["misrouted 4"]);
    expect(report.breaks[0]).toMatchObject({ expected: LOG, actual: OTHER_LOG });
    expect(report.unvouched).toEqual([{ from: 0, to: 3 }]);
  });

  it("copy: a row of another org beside ours is misrouted, and ours stays vouched for", () => {
    const report = walk(log, [...log.rows, foreign.rows[4]!, foreign.rows[SIZE + 1]!]);
    expect(blames(report)).toEqual(["misrouted 11", "misrouted 4"]);
    expect(report.unvouched).toEqual([]);
  });

  it("copy: a row over another of the same log is a changed leaf", () => {
    const report = walk(log, [...without(7), moved(3, 7)]);
    expect(blames(report)).toEqual(["leaf_changed 7"]);
    expect(report.unvouched).toEqual([{ from: 0, to: 6 }]);
  });

  it.each([
    [5, 12],
    [5, 8],
    [5, 2],
    [0, 10],
    [9, 0],
  ])("renumber: entry %i found at %i is one reordered, and nothing is missing", (index, at) => {
    const report = walk(log, [...without(index), moved(index, at)]);
    expect(blames(report)).toEqual([`reordered ${index} at ${at}`]);
    expect(report.unvouched).toEqual([]);
  });

  it("renumber: rows shifted over a deleted one are named with the one that is gone", () => {
    const shifted = log.rows
      .filter(({ index }) => index !== 5)
      .map((one) => ({ ...one, index: one.index > 5 ? one.index - 1 : one.index }));
    const report = walk(log, shifted);
    expect(blames(report)).toEqual([
      "missing 5",
      "reordered 6 at 5",
      "reordered 7 at 6",
      "reordered 8 at 7",
      "reordered 9 at 8",
    ]);
    expect(report.unvouched).toEqual([{ from: 0, to: 4 }]);
  });

  it("swap: a changed leaf just below is named by the leaf that turned up, and vouches for nothing", () => {
    const changed = withLeaf(6, (leaf) => leaf.replace("general", "telemetry"));
    const report = walk(log, [...without(3, 6, 7), moved(3, 7), changed, moved(7, 3)]);
    expect(blames(report)).toEqual(["leaf_changed 6", "reordered 3 at 7", "reordered 7 at 3"]);
    expect(report.unvouched).toEqual([{ from: 0, to: 5 }]);
  });

  it("swap: a changed leaf is made good by the true one, which lies beyond the head", () => {
    const changed = withLeaf(6, (leaf) => leaf.replace("general", "telemetry"));
    const report = walk(log, [...without(6), changed, moved(6, 12)]);
    expect(blames(report)).toEqual(["extra 6", "reordered 6 at 12"]);
    expect(report.unvouched).toEqual([]);
  });

  it("renumber: below a missing entry, a moved leaf is known by the entry it names, but vouches for nothing", () => {
    const report = walk(log, [...without(4, 5), moved(4, 12)]);
    expect(blames(report)).toEqual(["missing 5", "reordered 4 at 12"]);
    expect(report.unvouched).toEqual([{ from: 0, to: 4 }]);
  });

  it("renumber: a leaf made up for a missing entry is not taken for it", () => {
    const made = sealEvent({ action: "made.up" }, { index: 5, prev: log.sealed[4]!.prev });
    const report = walk(log, [...without(5), { index: 12, line: made.line }]);
    expect(blames(report)).toEqual(["extra 12", "missing 5"]);
    expect(report.unvouched).toEqual([{ from: 0, to: 4 }]);
  });
});

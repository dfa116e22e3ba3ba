import { describe, expect, it } from "vitest";
import { blames, edited, HASH, makeLog, OTHER_LOG, sealEvent, sha256, walk } from "./support.ts";
import { log, row, withLeaf } from "./ten-entries.ts";

describe("sealed wrong", () => {
  const malformed = '{"v":1}';

  it("a leaf the head vouches for, but not canonical, is malformed", () => {
    const line = JSON.stringify({ leaf: malformed, sections: {} });
    const trusted = sha256Text(`\0${malformed}`);
    expect(blames(walk(log, [{ index: 0, line }], { size: 1, trusted }))).toEqual(["leaf_malformed 0"]);
  });

  it("a leaf of a later version could not be checked, which is no break", () => {
    const leaf = '{"v":2}';
    const line = JSON.stringify({ leaf, sections: {} });
    const report = walk(log, [row(0), { index: 1, line }], { size: 2, trusted: sha256Text(`\0${leaf}`) });
    expect(report).toMatchObject({
      ok: false,
      breaks: [],
      could_not_check: [{ index: 1, why: "the leaf is of version 2" }],
      unvouched: [{ from: 0, to: 0 }],
    });
  });

  it("a leaf the head vouches for, but which says another index or log, is named, and its link holds", () => {
    const prev = log.sealed[0]!.prev;
    const misnumbered = sealEvent({}, { index: 0, prev });
    const reordered = walk(log, [row(0), { index: 1, line: misnumbered.line }], { size: 2, trusted: misnumbered.prev });
    expect(blames(reordered)).toEqual(["reordered 0 at 1"]);
    expect(reordered.unvouched).toEqual([]);
    const elsewhere = sealEvent({}, { index: 1, prev, log: OTHER_LOG });
    const misrouted = walk(log, [row(0), { index: 1, line: elsewhere.line }], { size: 2, trusted: elsewhere.prev });
    expect(blames(misrouted)).toEqual(["misrouted 1"]);
    expect(misrouted.unvouched).toEqual([]);
  });

  it("sections that open but are not of their shape are malformed", () => {
    const sections = [
      { name: "note", text: '{"reason":7}' },
      { name: "actor", text: '{"id":null}' },
      { name: "actor/detail", text: '{"name":"a","name":"b"}' },
      { name: "context", text: '{"ip":1}' },
      { name: "changes", text: '{"fields":"x"}' },
      { name: "metadata", text: "{" },
    ];
    const bad = makeLog([{ sections }]);
    expect(blames(walk(bad, bad.rows))).toEqual(sections.map(({ name }) => `section_malformed 0 ${name}`).sort());
  });

  it("leaf and event section must agree on category", () => {
    const agreed = makeLog([{ category: "login" }]);
    expect(walk(agreed, agreed.rows).ok).toBe(true);
    const entry = sealEvent({ category: "login", sections: [] }, { index: 0, prev: HASH });
    const leaf = JSON.parse(entry.leaf) as object;
    const line = JSON.stringify({
      ...(JSON.parse(entry.line) as object),
      leaf: JSON.stringify({ ...leaf, category: "general" }),
    });
    const trusted = sha256Text(`\0${JSON.stringify({ ...leaf, category: "general" })}`);
    const report = walk(log, [{ index: 0, line }], { size: 1, trusted, genesis: null });
    expect(blames(report)).toEqual(["section_malformed 0 event"]);
  });

  it("a link that does not name the predecessor's leaf in the tree is broken", () => {
    const rows = log.rows.map((one) => ({ ...one, treeHash: log.sealed[one.index]!.prev }));
    expect(walk(log, rows).ok).toBe(true);
    const loose = sealEvent({}, { index: 5, prev: HASH });
    const relinked = makeLog([]);
    relinked.sealed = [...log.sealed.slice(0, 5), loose];
    relinked.rows = relinked.sealed.map(({ line, prev }, index) => ({ index, line, treeHash: prev }));
    const report = walk({ ...relinked, genesis: log.genesis }, relinked.rows);
    expect(blames(report)).toEqual(["link_broken 5"]);
    expect(report.unvouched).toEqual([]);
  });

  it("a leaf that is not the tree's is changed, and the tree vouches for the others", () => {
    const rows = log.rows.map((one) => ({ ...one, treeHash: log.sealed[one.index]!.prev }));
    rows[4] = { ...withLeaf(4, (leaf) => leaf.replace("general", "telemetry")), treeHash: log.sealed[4]!.prev };
    const report = walk(log, rows);
    expect(blames(report)).toEqual(["leaf_changed 4"]);
    expect(report.unvouched).toEqual([]);
  });
});

describe("absent sections", () => {
  const began = { action: "indelible.erasure.begun", source: "service" as const };
  const ran = { action: "indelible.retention.run", source: "service" as const };
  const erasing = makeLog([{ keep_until: "2026-11-20" }, {}, began, ran, { ...began, source: "client" as const }]);
  const absent = (index: number, cause: "erased" | "expired" | "withheld", by?: number) =>
    erasing.rows.map((one) =>
      one.index !== index
        ? one
        : edited(one, (value) => {
            delete value.sections["note"];
            value.absent = [{ section: "note", cause, ...(by === undefined ? {} : { by }) }];
          }),
    );

  it("are counted when a later entry of the ledger is their cause", () => {
    expect(walk(erasing, absent(1, "erased", 2))).toMatchObject({ ok: true, absent: { erased: 1 } });
    expect(walk(erasing, absent(0, "expired", 3))).toMatchObject({ ok: true, absent: { expired: 1 } });
  });

  it.each([
    ["a client's entry", 1, "erased", 4],
    ["an entry of another kind", 0, "erased", 1],
    ["an earlier entry", 3, "erased", 2],
    ["itself", 2, "erased", 2],
    ["a retention run that erased", 1, "erased", 3],
    ["an erasure that let it expire", 0, "expired", 2],
    ["a retention run before its time", 1, "expired", 3],
  ] as const)("are unexplained when their cause is %s", (_, index, cause, by) => {
    expect(blames(walk(erasing, absent(index, cause, by)))).toEqual([`unexplained_gap ${index} note`]);
  });

  it("could not be judged when the cause lies above the range", () => {
    const rows = absent(1, "erased", 2).slice(0, 2);
    const report = walk(erasing, rows, { size: 2 });
    expect(report).toMatchObject({ ok: false, breaks: [], could_not_check: [{ index: 1 }] });
  });

  it("are never withheld in a store, but may be from a reader", () => {
    const rows = absent(1, "withheld");
    expect(blames(walk(erasing, rows))).toEqual(["unexplained_gap 1 note"]);
    expect(walk(erasing, rows, { allowWithheld: true })).toMatchObject({ ok: true, absent: { withheld: 1 } });
  });

  it("are content changed when they are there, or were never committed", () => {
    const still = edited(erasing.rows[1]!, (value) => (value.absent = [{ section: "note", cause: "erased", by: 2 }]));
    expect(blames(walk(erasing, erasing.rows.with(1, still)))).toEqual(["content_changed 1 note"]);
    const never = edited(
      erasing.rows[1]!,
      (value) => (value.absent = [{ section: "context", cause: "erased", by: 2 }]),
    );
    expect(blames(walk(erasing, erasing.rows.with(1, never)))).toEqual(["content_changed 1 context"]);
  });
});

function sha256Text(text: string): string {
  return Buffer.from(sha256(new TextEncoder().encode(text))).toString("base64url");
}

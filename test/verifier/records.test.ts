import { describe, expect, it } from "vitest";
import { base64url } from "../../src/chain/encoding.ts";
import { VERIFIER_AHEAD_BYTES } from "../../src/limits.ts";
import { RecordGroups } from "../../src/verifier/record-groups.ts";
import { verifyLog } from "../../src/verifier/verify-log.ts";
import { edited, makeLog, OTHER_LOG, record, sealEvent, sha256 } from "../chain/support.ts";
import { blamed, linesOf, mapSource, plainEvents, publish, published, verified } from "./support.ts";

const big = publish(makeLog(plainEvents(1_000)));

const rich = published(Array.from({ length: 20 }, () => ({})));

describe("records", () => {
  const tamper = (index: number, edit: (record: any) => void) =>
    rich.lines.map((line, at) => (at === index ? edited({ index: at, line }, edit).line : line));

  it("name a section that does not open, is added, or lost", async () => {
    const cases: [(record: any) => void, string][] = [
      [(r) => (r.sections.metadata.text = '{"amount":1.1,"n":7}'), "content_changed 7 metadata"],
      [(r) => (r.sections.context = r.sections.metadata), "content_changed 7 context"],
      [(r) => delete r.sections.metadata, "unexplained_gap 7 metadata"],
      [(r) => (r.more = 1), "content_changed 7"],
      [(r) => (r.leaf = r.leaf.replace("general", "login")), "leaf_changed 7"],
    ];
    for (const [edit, blame] of cases) {
      const lines = tamper(7, edit);
      for (const has of [
        { tiles: true, entries: true },
        { tiles: true, entries: false },
      ]) {
        expect(blamed(await verified(rich, { lines, has }))).toEqual([blame]);
      }
    }
  });

  it("say withheld, erased or expired only with a cause", async () => {
    const absent = (index: number, claim: Record<string, unknown>) =>
      tamper(index, (r) => {
        delete r.sections.note;
        r.absent = [{ section: "note", ...claim }];
      });
    expect(await verified(rich, { lines: absent(7, { cause: "withheld" }) })).toMatchObject({
      ok: true,
      absent: { withheld: 1 },
    });
    const complete = await verified(rich, { lines: absent(7, { cause: "withheld" }), complete: true });
    expect(blamed(complete)).toEqual(["unexplained_gap 7 note"]);
    for (const claim of [
      { cause: "erased", by: 9 },
      { cause: "expired", by: 9 },
      { cause: "erased", by: 3 },
      { cause: "erased" },
    ]) {
      expect(blamed(await verified(rich, { lines: absent(7, claim) }))).toEqual(["unexplained_gap 7 note"]);
    }
    const beyond = await verified(rich, { lines: absent(7, { cause: "erased", by: 99 }) });
    expect(beyond).toMatchObject({ ok: false, breaks: [], could_not_check: [{ index: 7 }] });
  });

  it("were sealed in a shape that no section has", async () => {
    const log = published([{}, { sections: [{ name: "note", text: '{"id":7}' }] }]);
    expect(blamed(await verified(log, { lines: log.lines }))).toEqual(["section_malformed 1 note"]);
  });

  it("of a later version are in the tree, and could not be checked", async () => {
    const log = makeLog([{}, {}]);
    const line = log.sealed[1]?.line as string;
    const leaf = record({ line }).leaf.replace('"v":1', '"v":2');
    const sealed = {
      ...log.sealed[1],
      line: JSON.stringify({ ...record({ line }), leaf }),
      hash: sha256(Buffer.from(`\0${leaf}`)),
    };
    const later = publish({ ...log, sealed: [log.sealed[0], sealed] as typeof log.sealed });
    const report = await verified(later, { lines: later.lines });
    expect(report).toMatchObject({
      ok: false,
      breaks: [],
      could_not_check: [{ index: 1, why: "the leaf is of version 2" }],
    });
  });

  it("may stand in another order within a segment, and twice only once", async () => {
    expect((await verified(rich, { lines: rich.lines.toReversed() })).ok).toBe(true);
    const twice = await verified(rich, { lines: [...rich.lines, rich.lines[4] as string] });
    expect(blamed(twice)).toEqual(["extra 4"]);
  });

  it("are not all there", async () => {
    const some = rich.lines.filter((_, index) => index !== 4);
    expect(await verified(rich, { lines: some })).toMatchObject({
      ok: true,
      records: 19,
      entries: 20,
      sections_unseen: 6,
    });
    const has = { tiles: true, entries: false };
    expect(blamed(await verified(rich, { lines: some, has }))).toEqual(["missing 4"]);
    expect(blamed(await verified(rich, { lines: some, has: { tiles: false, entries: false } }))).toEqual(["missing 4"]);
  });

  it("of which one comes twice, with another content: a fork", async () => {
    const prev = base64url(rich.sealed.sealed[3]?.hash as Uint8Array);
    const forked = sealEvent({ action: "forked" }, { index: 4, prev, seed: "f" }).line;
    expect(blamed(await verified(rich, { lines: [...rich.lines, forked] }))).toEqual(["duplicate_index 4"]);
  });

  it("of another log", async () => {
    const foreign = makeLog([{}], { log: OTHER_LOG }).sealed[0]?.line as string;
    expect(
      blamed(
        await verified(rich, { lines: rich.lines.toSpliced(4, 1, foreign), has: { tiles: true, entries: false } }),
      ),
    ).toEqual(["misrouted 4"]);
  });

  it("changed without a tree to say where: all of them are in doubt", async () => {
    const rewritten = published(20, { seed: "other" });
    const report = await verified(
      { ...big, size: 20, root: big.root },
      { lines: rewritten.lines, has: { tiles: false, entries: false } },
    );
    expect(blamed(report)).toEqual(["diverged"]);
    expect(report.unvouched).toEqual([{ from: 0, to: 19 }]);
  });
});

it("holds no more of what lies ahead than fits, whatever the lines are made of", async () => {
  let read = 0;
  async function* heavy() {
    for (; read < 1_000; read++) {
      yield await Promise.resolve({
        line: JSON.stringify({ leaf: `${read}`.padEnd(390_000), sections: {} }),
        place: "",
      });
    }
  }
  await new RecordGroups(sha256, { log: rich.log, lines: heavy() }).tile(0);
  expect(read).toBeLessThan(VERIFIER_AHEAD_BYTES / 390_000 + 2);
});

it("verifies a log that continues another by that one's last checkpoint", async () => {
  expect(
    await verifyLog({
      source: mapSource(rich.files),
      checkpoint: { origin: rich.log, size: 20, root: rich.root },
      records: linesOf(rich.lines),
      predecessor: "other\n1\nx\n",
    }),
  ).toMatchObject({
    breaks: [{ kind: "link_broken", index: 0 }],
  });
});

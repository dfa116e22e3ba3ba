import { expect, it } from "vitest";
import { absenceListHash, absenceListText } from "../../src/chain/absence-list.ts";
import { ClaimLog } from "../../src/chain/claim-log.ts";
import { Claims } from "../../src/chain/claims.ts";
import { type Leaf, parseLeaf } from "../../src/chain/leaf.ts";
import { VERIFY_MAX_CAUSES } from "../../src/limits.ts";
import type { LogInput } from "../../src/verifier/verify-log.ts";
import { sha256 } from "../chain/support.ts";
import { causeEvent, type Gone, goneOf, listFile, redacted } from "./absences.ts";
import { blamed, leafOf, type Published, published, textFile, verified } from "./support.ts";

const erased = goneOf(0, 500);
const parsed = parseLeaf(leafOf(published(1), 0));
const LEAF = (parsed.kind === "leaf" ? parsed.leaf : null) as Leaf;
const plain = (count: number) => Array.from({ length: count }, () => ({}));

/** 500 entries of which a section went, the erasure that took them, another 89 and a retention run. */
const log = published([...plain(500), causeEvent("erased", erased), ...plain(89), causeEvent("expired", erased)]);
const lines = redacted(log.lines, erased, { cause: "erased", by: 500 });

function withFiles(of: Published, ...files: [string, Uint8Array][]): Published {
  return { ...of, files: new Map([...of.files, ...files]) };
}

const whole = withFiles(log, listFile(erased));
const check = (of: Published, given: readonly string[], more: Partial<LogInput> = {}) =>
  verified(of, { lines: given, ...more });

it("accepts what a cause of the service's own lists, and counts what it took", async () => {
  for (const has of [
    { tiles: true, entries: true },
    { tiles: true, entries: false },
    { tiles: false, entries: false },
  ]) {
    expect(await check(whole, lines, { has })).toMatchObject({
      ok: true,
      absent: { erased: 500, expired: 0, withheld: 0 },
    });
  }
});

it("accepts that less is gone than the list names", async () => {
  const some = lines.map((line, index) => (index % 3 === 0 ? (log.lines[index] as string) : line));
  expect(await check(whole, some)).toMatchObject({ ok: true, absent: { erased: 333 } });
});

it("could not check what no list is there for, or where it cannot be read", async () => {
  const [path, bytes] = listFile(erased);
  for (const of of [log, withFiles(log, [path, new Uint8Array(4_000_001)])]) {
    const report = await check(of, lines);
    expect(report).toMatchObject({ ok: false, breaks: [], unvouched: [], absent: { erased: 0 } });
    expect(report.could_not_check).toHaveLength(1);
    expect(report.could_not_check[0]).toMatchObject({ index: 0, why: expect.stringContaining(path) });
    expect(report.could_not_check[0]?.why).toContain("499 more");
  }
  expect(bytes.length).toBeGreaterThan(0);
});

it("blames what is gone by a list that is another one, is none, or does not name it", async () => {
  const [path, bytes] = listFile(erased);
  const report = await check(withFiles(log, [path, bytes.slice(0, -7)]), lines);
  expect(blamed(report)).toEqual(["unexplained_gap 0 note"]);
  expect(report.breaks[0]?.detail).toContain("is another one");

  const more = redacted(lines, new Map([[300, ["note", "metadata"]]]), { cause: "erased", by: 500 });
  const unlisted = await check(whole, more);
  expect(blamed(unlisted)).toEqual(["unexplained_gap 0 note"]);
  expect(unlisted.breaks[0]?.detail).toContain("does not have metadata of entry 300");

  const late = redacted(lines, new Map([[499, ["actor"]]]), { cause: "erased", by: 500 });
  expect((await check(whole, late)).breaks[0]?.detail).toContain("does not have actor of entry 499");
});

it("blames an erasure that took what an entry is of, whatever its list names", async () => {
  const gone = new Map([
    [1, ["note"]],
    [2, ["event", "note"]],
  ]);
  const of = published([...plain(3), causeEvent("erased", gone)]);
  const report = await check(withFiles(of, listFile(gone)), redacted(of.lines, gone, { cause: "erased", by: 3 }));
  expect(report).toMatchObject({ ok: false, absent: { erased: 0 } });
  expect(report.breaks[0]?.detail).toContain("no erasure takes it");
  const note = new Map([[1, ["note"]]]);
  const sound = published([...plain(3), causeEvent("erased", note)]);
  const lines = redacted(sound.lines, note, { cause: "erased", by: 3 });
  expect(await check(withFiles(sound, listFile(note)), lines)).toMatchObject({ ok: true, absent: { erased: 1 } });
});

it("blames what is gone by an entry that names no list, or one that is no list", async () => {
  const gone = goneOf(0, 3);
  const claim = { cause: "erased", by: 3 } as const;
  const sealedWith = (metadata: string) => {
    const of = published([...plain(3), causeEvent("erased", gone, { metadata })]);
    return check(of, redacted(of.lines, gone, claim));
  };
  for (const metadata of ["{}", "null", '{"list":7}', '{"list":{"sha256":"AB"}}']) {
    const report = await sealedWith(metadata);
    expect(blamed(report), metadata).toEqual(["unexplained_gap 0 note"]);
    expect(report.breaks[0]?.detail).toContain("entry 3 names no list of what goes");
  }
  const bad = textFile("0 note\n0 note\n");
  const sha256 = Buffer.from(await crypto.subtle.digest("SHA-256", bad)).toString("hex");
  const of = published([...plain(3), causeEvent("erased", gone, { metadata: JSON.stringify({ list: { sha256 } }) })]);
  const report = await check(withFiles(of, [`absences/${sha256}`, bad]), redacted(of.lines, gone, claim));
  expect(report.breaks[0]?.detail).toContain("is none");
});

it("blames a cause of the other kind, and what expired a day early", async () => {
  const swapped = redacted(log.lines, erased, { cause: "erased", by: 590 });
  const wrong = await check(whole, swapped);
  expect(blamed(wrong)).toEqual(["unexplained_gap 0 note"]);
  expect(wrong.breaks[0]?.detail).toContain("499 more");
  const early = await check(whole, redacted(log.lines, erased, { cause: "expired", by: 590 }));
  expect(early.breaks[0]?.detail).toContain("kept until 2027-11-21");

  const gone: Gone = new Map([[0, ["note"]]]);
  for (const [keep_until, ok] of [
    ["2026-11-20", true],
    ["2026-11-21", false],
    ["forever", false],
  ] as const) {
    const of = published([{ keep_until }, causeEvent("expired", gone)]);
    const given = redacted(of.lines, gone, { cause: "expired", by: 1 });
    const report = await check(withFiles(of, listFile(gone)), given);
    expect(report.ok, keep_until).toBe(ok);
    expect(report.absent.expired).toBe(ok ? 1 : 0);
  }
});

it("could not check a cause in another log, and refuses one in an earlier log", async () => {
  const gone = goneOf(0, 1);
  const of = published([...plain(2)]);
  const later = await check(of, redacted(of.lines, gone, { cause: "erased", by: 0, log: 2 }));
  expect(later).toMatchObject({ ok: false, breaks: [], could_not_check: [{ index: 0 }] });
  expect(later.could_not_check[0]?.why).toContain("lies in audit.example.com/v1/orgs/acme/2, which was not read");
});

it("keeps claims small, and in any order", () => {
  const claims = new ClaimLog();
  const kept: { index: number; section: string }[] = [];
  for (const index of [7, 8, 9, 300_000, 4_294_967_295, 2, 3, 0]) {
    for (const section of index % 2 === 0 ? ["note", "target/49/detail"] : ["actor", "event", "metadata"]) {
      claims.add(index, section);
      kept.push({ index, section });
    }
  }
  expect([...claims.sections()]).toEqual(kept);
  expect([...claims.sections()]).toEqual(kept);
  const many = new ClaimLog();
  for (let index = 0; index < 20_000; index++)
    for (const section of ["actor", "event", "note"]) many.add(index, section);
  expect(many.bytes).toBeLessThan(20_000 * 4);
  expect([...many.sections()]).toHaveLength(60_000);
});

it("takes no more claims by one cause than its list can name", () => {
  const leaf = (index: number): Leaf => ({ ...LEAF, index });
  const claims = new Claims();
  for (let index = 0; index < 20_001; index++) {
    expect(claims.add(leaf(index), { section: "note", cause: "erased", by: 30_000 })).toBe(true);
  }
  const [claimed] = claims.takeAll();
  expect([claimed?.sections, claims.size]).toEqual([20_001, 0]);
  const text = absenceListText(goneOf(0, 20_000));
  const named = { sha256: absenceListHash(sha256, text), log: null };
  expect(claimed?.judgeList(sha256, { named, text })).toMatchObject({ kind: "unexcused" });
});

it("keeps a bounded number of causes in mind", () => {
  const claims = new Claims();
  const add = (by: number) => claims.add(LEAF, { section: "note", cause: "expired", by });
  for (let by = 1; by <= VERIFY_MAX_CAUSES; by++) expect(add(by)).toBe(true);
  expect(add(VERIFY_MAX_CAUSES + 1)).toBe(false);
  expect(add(7)).toBe(true);
  expect(claims.take({ log: 1, by: 7 })).toHaveLength(1);
  expect(add(VERIFY_MAX_CAUSES + 1)).toBe(true);
});

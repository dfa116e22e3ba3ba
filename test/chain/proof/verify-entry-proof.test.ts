import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { utf8 } from "../../../src/chain/encoding.ts";
import { encodeLeaf, entryHash, parseLeaf } from "../../../src/chain/leaf.ts";
import { signCheckpoint } from "../../../src/chain/note/sign-note.ts";
import { formatTlogProof, type TlogProof } from "../../../src/chain/proof/tlog-proof.ts";
import { type EntryProofReport, verifyEntryProof } from "../../../src/chain/proof/verify-entry-proof.ts";
import type { EntryRecord } from "../../../src/chain/record.ts";
import { verifyEd25519 } from "../../../src/verify-ed25519.ts";
import { cosign, keyOf, signer } from "../note/support.ts";
import { edited, LOG, makeLog, OTHER_LOG, sha256 } from "../support.ts";
import { flipped, treeHash } from "../tree/support.ts";
import { LOG_SIGNER, logKey, proofOf } from "./support.ts";

const log = makeLog(Array.from({ length: 9 }, () => ({})));
const good = proofOf(log, { index: 4 });
const row = { index: 4, line: log.sealed[4]?.line ?? "" };

async function check(
  proof: TlogProof | string,
  { origin = LOG, keys = [logKey(LOG)] } = {},
): Promise<EntryProofReport> {
  const text = typeof proof === "string" ? proof : formatTlogProof(proof);
  return verifyEntryProof({ sha256, verifyEd25519 }, { proof: text, origin, keys });
}

async function fault(proof: TlogProof | string, options = {}): Promise<string> {
  const report = await check(proof, options);
  return report.ok ? "ok" : report.kind;
}

function withRecord(edit: (record: EntryRecord) => void): TlogProof {
  return { ...good, extra: utf8(edited(row, edit).line) };
}

/** A proof, signed by the log's own key, of a tree whose only leaf is this text. */
function proofOfLeaf(leaf: string, { index = 0, origin = LOG } = {}): TlogProof {
  const checkpoint = { origin, size: 1, root: entryHash(sha256, leaf) };
  const extra = utf8(JSON.stringify({ leaf, sections: JSON.parse(row.line).sections }));
  return { extra, index, hashes: [], checkpoint: signCheckpoint(sha256, { checkpoint, signers: [LOG_SIGNER] }) };
}

describe("the proof of an entry", () => {
  it("shows the entry, its checkpoint and the witnesses one knows", async () => {
    const witness = signer(2);
    const line = cosign(good.checkpoint, { name: "w.example", by: witness, timestamp: 1_795_000_000 });
    const keys = [logKey(LOG), keyOf(witness, "w.example", "cosignature")];
    const report = await check({ ...good, checkpoint: good.checkpoint + line }, { keys });
    if (!report.ok) throw new Error(report.why);
    expect(report.leaf.index).toBe(4);
    expect(report.record).toEqual(JSON.parse(row.line));
    expect(report.absences).toEqual([]);
    expect(report.cosigned).toEqual([{ name: "w.example", timestamp: 1_795_000_000, line }]);
    expect(report.checkpoint).toMatchObject({ origin: LOG, size: 9 });
  });

  it("verifies for every entry and size", async () => {
    for (let size = 1; size <= 9; size++) {
      for (let index = 0; index < size; index++) expect(await fault(proofOf(log, { index, size }))).toBe("ok");
    }
  });

  it("says which sections are withheld, erased or expired", async () => {
    const absent: EntryRecord["absent"] = [
      { section: "actor/detail", cause: "withheld" },
      { section: "metadata", cause: "erased", by: 7 },
    ];
    const report = await check(
      withRecord((record) => {
        for (const { section } of absent) delete record.sections[section];
        record.absent = absent;
      }),
    );
    expect(report).toMatchObject({ ok: true, absences: absent });
  });

  it("names an absence whose cause would have been there before the entry", async () => {
    for (const cause of ["erased", "expired"] as const) {
      for (const by of [0, 3, 4]) {
        const claimed = withRecord((record) => {
          delete record.sections["metadata"];
          record.absent = [{ section: "metadata", cause, by }];
        });
        const breaks = [{ kind: "unexplained_gap", index: 4, section: "metadata" }];
        expect(await check(claimed)).toMatchObject({ ok: false, kind: "sections_broken", breaks });
      }
    }
  });

  it("names sections that are not what was sealed", async () => {
    const gone = withRecord((record) => delete record.sections["metadata"]);
    expect(await check(gone)).toMatchObject({
      kind: "sections_broken",
      breaks: [{ kind: "unexplained_gap", index: 4, section: "metadata" }],
    });
    const changed = withRecord((record) => {
      record.sections["metadata"] = { ...record.sections["metadata"], text: "{}" } as { salt: string; text: string };
    });
    expect(await check(changed)).toMatchObject({ breaks: [{ kind: "content_changed", section: "metadata" }] });
    const more = withRecord((record) => {
      record.sections["changes"] = { salt: "AAAAAAAAAAAAAAAAAAAAAA", text: "{}" };
    });
    expect(await check(more)).toMatchObject({ breaks: [{ kind: "content_changed", section: "changes" }] });
    const both = withRecord((record) => {
      record.absent = [{ section: "metadata", cause: "withheld" }];
    });
    expect(await check(both)).toMatchObject({ breaks: [{ kind: "content_changed", section: "metadata" }] });
  });

  it("fails for another leaf, index, root or inclusion proof", async () => {
    const leaf = (edit: (text: string) => string): TlogProof =>
      withRecord((record) => {
        record.leaf = edit(record.leaf);
      });
    expect(await fault(leaf((text) => text.replace("general", "login")))).toBe("not_included");
    expect(await fault(leaf((text) => text.replace('"v":1', '"v":2')))).toBe("not_included");
    for (const index of [0, 3, 5, 8, 9]) expect(await fault({ ...good, index })).toBe("not_included");
    expect(await fault({ ...good, hashes: good.hashes.slice(1) })).toBe("not_included");
    expect(await fault({ ...good, hashes: good.hashes.toReversed() })).toBe("not_included");
    expect(await fault({ ...good, checkpoint: proofOf(log, { index: 4, size: 8 }).checkpoint })).toBe("not_included");
    expect(await fault({ ...good, extra: utf8(log.sealed[5]?.line ?? "") })).toBe("not_included");
    const fork = makeLog(Array.from({ length: 9 }, () => ({ action: "other" })));
    expect(await fault({ ...good, checkpoint: proofOf(fork, { index: 4 }).checkpoint })).toBe("not_included");
  });

  it("fails without the key of its log", async () => {
    expect(await fault(good, { keys: [] })).toBe("unknown_key");
    expect(await fault(good, { keys: [keyOf(signer(9), LOG)] })).toBe("unknown_key");
    expect(await fault(good, { keys: [logKey(OTHER_LOG)] })).toBe("unknown_key");
    expect(await fault(good, { origin: OTHER_LOG })).toBe("other_log");
    const forged = good.checkpoint.replace("\n9\n", "\n10\n");
    expect(await fault({ ...good, checkpoint: forged })).toBe("bad_signature");
  });

  it("fails for a log that signed what it must not have sealed", async () => {
    const leaf = JSON.parse(row.line).leaf as string;
    const parsed = parseLeaf(leaf);
    if (parsed.kind !== "leaf") throw new Error("the leaf of the test log is one");
    const at0 = encodeLeaf({ ...parsed.leaf, index: 0 });
    expect(await fault(proofOfLeaf(at0))).toBe("ok");
    expect(await fault(proofOfLeaf(leaf))).toBe("misrouted");
    expect(await fault(proofOfLeaf(at0.replace("acme", "acmf")))).toBe("misrouted");
    expect(await fault(proofOfLeaf(at0.replace('"index":0', '"index":0,"index":0')))).toBe("leaf_malformed");
    expect(await fault(proofOfLeaf(`${at0} `))).toBe("leaf_malformed");
    expect(await fault(proofOfLeaf('{"v":2}'))).toBe("unknown_version");
  });

  it("fails when it is not a proof that carries an entry", async () => {
    expect(await fault({ ...good, extra: null })).toBe("malformed");
    expect(await fault({ ...good, extra: new Uint8Array(0) })).toBe("malformed");
    expect(await fault({ ...good, extra: Uint8Array.of(0xff) })).toBe("malformed");
    expect(await fault({ ...good, extra: utf8("{}") })).toBe("malformed");
    expect(await fault({ ...good, extra: utf8(`\ufeff${row.line}`) })).toBe("malformed");
    expect(await fault({ ...good, extra: utf8(row.line.replace("{", '{"x":1,')) })).toBe("malformed");
    expect(await fault({ ...good, checkpoint: "" })).toBe("malformed");
    expect(await fault({ ...good, checkpoint: `${good.checkpoint}more\n` })).toBe("malformed");
    expect(await fault(`${formatTlogProof(good)}\n`)).toBe("malformed");
    expect(await fault("")).toBe("malformed");
  });

  it("of any entry and size fails with a hash changed in one bit, dropped, added, doubled or swapped", async () => {
    const many = makeLog(Array.from({ length: 600 }, () => ({ sections: [] })));
    const places = fc.integer({ min: 1, max: 600 }).chain((size) => fc.tuple(fc.nat(size - 1), fc.constant(size)));
    await fc.assert(
      fc.asyncProperty(places, fc.nat(255), async ([index, size], bit) => {
        const proof = proofOf(many, { index, size });
        expect(await fault(proof)).toBe("ok");
        const { hashes } = proof;
        const broken = [hashes.toSpliced(hashes.length, 0, many.genesis)];
        for (const [n, hash] of hashes.entries()) {
          const [first = hash] = hashes;
          broken.push(hashes.with(n, flipped(hash, bit)), hashes.toSpliced(n, 1), hashes.toSpliced(n, 0, hash));
          if (n > 0) broken.push(hashes.with(0, hash).with(n, first));
        }
        for (const others of broken) expect(await fault({ ...proof, hashes: others })).toBe("not_included");
      }),
      { numRuns: 40 },
    );
  });

  it("fails, or shows the same, whatever character of it is changed", async () => {
    const text = formatTlogProof(good);
    const record = JSON.parse(row.line) as EntryRecord;
    await fc.assert(
      fc.asyncProperty(
        fc.nat(text.length - 1),
        fc.constantFrom("x", "0", "A", "\n", " ", "="),
        async (at, character) => {
          const report = await check(text.slice(0, at) + character + text.slice(at + 1));
          if (report.ok) expect(report.record).toEqual(record);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it("of the tree of one entry has no hashes", async () => {
    const one = makeLog([{}]);
    const proof = proofOf(one, { index: 0 });
    expect(proof.hashes).toEqual([]);
    expect(treeHash([one.sealed[0]?.hash as Uint8Array])).toEqual(one.sealed[0]?.hash);
    expect(await fault(proof)).toBe("ok");
  });
});

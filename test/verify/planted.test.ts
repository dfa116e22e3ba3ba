import { gunzipSync, gzipSync } from "node:zlib";
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { readBundle } from "../../src/chain/proof/read-bundle.ts";
import { signCheckpoint } from "../../src/chain/note/sign-note.ts";
import { parseTlogProof, formatTlogProof } from "../../src/chain/proof/tlog-proof.ts";
import type { EntryRecord } from "../../src/chain/record.ts";
import { bundlePath, TILE_WIDTH } from "../../src/chain/tile.ts";
import { entryBundle } from "../../src/chain/tree/entry-bundle.ts";
import { ed25519Signer } from "../../src/ed25519.ts";
import { sha256 } from "../../src/sha256.ts";
import { openCheckpoint, verifyProof } from "../../src/verifier/index.ts";
import { append, batchOf } from "../support/append.ts";
import { audit, type Auditor, auditorOf, copyOf, publishedNote, verified } from "../support/auditor.ts";
import { call, createOrg, event } from "../support/client.ts";
import { problemOf } from "../http/support.ts";
import { evict } from "../support/faults.ts";
import { changeRow, type Forged, linesOf, rewriteLog } from "../support/owner.ts";
import { blamed } from "../verifier/support.ts";

/** What is planted into a log, or passed off as part of it, and how somebody outside finds it. */
const ENTRIES = 300;
const AT = 120;

async function watched(stem: string): Promise<Auditor> {
  const org = await createOrg(stem);
  const events = Array.from({ length: ENTRIES - 1 }, (_, n) => event(n, { id: `e-${n}`, reason: "because" }));
  await append(org, batchOf(events));
  return auditorOf(org);
}

async function proofAt({ org }: Auditor, index: number): Promise<string> {
  const answer = await call("GET", `/v1/orgs/${org}/events/${index}/proof`);
  expect(answer.status, answer.text).toBe(200);
  return answer.text;
}

describe("another org's entry", () => {
  it("in place of one in R2 is named, and what lies around it holds", async () => {
    const [one, other] = [await watched("mine"), await watched("theirs")];
    const path = bundlePath({ index: 0, width: TILE_WIDTH });
    const leaves = async ({ org }: Auditor) => {
      const read = readBundle((await copyOf(org)).files.get(path) as Uint8Array, TILE_WIDTH) as string[];
      return read;
    };
    const foreign = (await leaves(other))[AT] as string;
    const planted = entryBundle((await leaves(one)).with(AT, foreign));
    await env.ARCHIVE.put(`tree/${one.origin}/${path}`, planted);
    const report = await audit(one);
    expect(blamed(report)).toEqual([`misrouted ${AT}`]);
    expect(report).toMatchObject({ ok: false, unvouched: [], entries: report.size - 1 });
  });

  it("sealed and signed with the log is named by the log it says it is of", async () => {
    const [one, other] = [await watched("mine"), await watched("theirs")];
    const foreign = (leaf: string) => leaf.replace(one.origin, other.origin);
    await rewriteLog(one.org, (entries) => entries.with(AT, { ...(entries[AT] as Forged), as: foreign }));
    expect(blamed(await audit(one))).toEqual([`misrouted ${AT}`]);
  });

  it("is not proven by a proof of its own log, nor under this one's checkpoint", async () => {
    const [one, other] = [await watched("mine"), await watched("theirs")];
    const proof = await proofAt(other, AT);
    expect(await verifyProof({ proof, ...other })).toMatchObject({ ok: true });
    expect(await verifyProof({ proof, ...one })).toMatchObject({ ok: false, kind: "unknown_key" });
    const parsed = parseTlogProof(proof);
    if (parsed === null) throw new Error("the service's proof is one");
    const moved = formatTlogProof({ ...parsed, checkpoint: await publishedNote(one.org) });
    expect(await verifyProof({ proof: moved, ...one })).toMatchObject({ ok: false, kind: "not_included" });
  });
});

describe("a checkpoint of the very tree, by another key", () => {
  it("is refused by who has the log's key, though the ledger and R2 hold it", async () => {
    const { org, origin, keys } = await watched("signed");
    const own = await publishedNote(org);
    await append(org, batchOf([event(1)]));
    const { kept } = await auditorOf(org);
    const thief = ed25519Signer(new Uint8Array(32).fill(9));
    const note = signCheckpoint(sha256, { checkpoint: { ...kept, origin }, signers: [thief] });
    await runInDurableObject(env.ORG_LEDGER.getByName(org), (_, { storage }) => {
      storage.sql.exec("update tree set note = ?", note);
    });
    await env.ARCHIVE.put(`tree/${origin}/checkpoint/${String(kept.size).padStart(10, "0")}`, note);
    await evict(org);
    const { text } = await call("GET", `/v1/orgs/${org}/checkpoint`);
    expect(text).toBe(note);
    expect(await openCheckpoint({ note: text, origin, keys })).toMatchObject({ ok: false, kind: "unknown_key" });
    // The log's own signature, of the tree before, is none of this text.
    const pasted = await openCheckpoint({ note: `${note}${own.split("\n").at(-2)}\n`, origin, keys });
    expect(pasted).toMatchObject({ ok: false, kind: "bad_signature" });
  });
});

describe("a leaf with a member given twice", () => {
  it("is named though it is sealed, signed and linked", async () => {
    const auditor = await watched("twice");
    const twice = (leaf: string) => leaf.replace('"v":1', '"v":1,"v":1');
    await rewriteLog(auditor.org, (entries) => entries.with(AT, { ...(entries[AT] as Forged), as: twice }));
    expect(blamed(await audit(auditor))).toEqual([`leaf_malformed ${AT}`]);
    expect(blamed(await audit(auditor, { records: await linesOf(auditor.org) }))).toEqual([`leaf_malformed ${AT}`]);
  });
});

describe("a section that was taken away", () => {
  /** What the proof of the entry says then; null when the service gives none. */
  const CLAIMS = [
    ["withheld", { cause: "withheld" }, "withheld"],
    ["erased, with no cause", { cause: "erased" }, null],
    ["erased by an entry before it", { cause: "erased", by: 0 }, null],
    ["erased by an entry of a client", { cause: "erased", by: AT + 9 }, "erased"],
    ["expired by an entry of a client", { cause: "expired", by: AT + 9 }, "expired"],
  ] as const;

  it.each(CLAIMS)("and is said to be %s is an unexplained gap in D1", async (_, claim, said) => {
    const auditor = await watched("gap");
    const { org } = auditor;
    await call("GET", `/v1/orgs/${org}/events?limit=1&min_size=${ENTRIES}`);
    await changeRow(org, AT, (line) => withoutNote(line, claim));
    expect((await verified(org)).breaks).toMatchObject([{ kind: "unexplained_gap", index: AT, section: "note" }]);
    if (said === null) {
      // Without a cause it is not a record, and with a false one its proof would not verify.
      const proof = await call("GET", `/v1/orgs/${org}/events/${AT}/proof`);
      problemOf(proof, "by" in claim ? "internal" : "unprocessable");
      return;
    }
    // One proof shows that the section is not there, and what is said of it; a cause is named, and has a proof too.
    const proven = await verifyProof({ proof: await proofAt(auditor, AT), ...auditor });
    expect(proven).toMatchObject({ ok: true, absences: [{ section: "note", cause: said }] });
    if (!("by" in claim)) return;
    const cause = await verifyProof({ proof: await proofAt(auditor, claim.by), ...auditor });
    expect(cause).toMatchObject({ ok: true, leaf: { source: "client" } });
  });

  it.each(CLAIMS)("and is said to be %s is an unexplained gap in what R2 holds", async (_, claim) => {
    const auditor = await watched("gap");
    const records = await segmentLines(auditor.origin, (line) => withoutNote(line, claim));
    const report = await audit(auditor, { records, complete: true });
    expect(blamed(report)).toEqual([`unexplained_gap ${AT} note`]);
  });
});

function withoutNote(line: string, claim: { cause: string; by?: number }): string {
  const record = JSON.parse(line) as EntryRecord;
  delete record.sections["note"];
  return JSON.stringify({ ...record, absent: [{ section: "note", ...claim }] });
}

/** Changes entry AT in its segment, under the name it has, and answers all lines of the log as R2 holds them then. */
async function segmentLines(origin: string, edit: (line: string) => string): Promise<string[]> {
  const { objects } = await env.ARCHIVE.list({ prefix: `seg/${origin}/` });
  const lines: string[] = [];
  for (const { key } of objects) {
    const body = await (await env.ARCHIVE.get(key))?.arrayBuffer();
    const held = gunzipSync(body as ArrayBuffer)
      .toString()
      .trimEnd()
      .split("\n");
    const at = AT - lines.length;
    if (held[at] !== undefined) {
      held[at] = edit(held[at]);
      await env.ARCHIVE.put(key, gzipSync(`${held.join("\n")}\n`));
    }
    lines.push(...held);
  }
  return lines;
}

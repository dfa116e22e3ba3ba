import { readFileSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { formatVkey } from "../../src/chain/note/note-key.ts";
import { formatTlogProof, type TlogProof } from "../../src/chain/proof/tlog-proof.ts";
import { FREE } from "../chain/full-entry.ts";
import { cosign, keyOf, signer } from "../chain/note/support.ts";
import { logKey, proofOf } from "../chain/proof/support.ts";
import { edited, LOG, makeLog, OTHER_LOG, type TestEvent } from "../chain/support.ts";
import { flipped } from "../chain/tree/support.ts";
import { workplace } from "./support/run-cli.ts";

const END = (code: number) => ({ ok: true, value: code });
const VKEY = formatVkey(logKey(LOG));
const sections = [
  { name: "note", text: '{"id":"inv-1","reason":"quarterly review"}' },
  { name: "actor", text: '{"id":"u_1"}' },
  { name: "actor/detail", text: '{"name":"Jane","email":"jane@example.com"}' },
  { name: "target/0", text: '{"id":"d_1"}' },
  { name: "context", text: '{"ip":"192.0.2.1"}' },
  { name: "changes", text: '{"before":1.10,"after":null,"fields":["a"]}' },
  { name: "metadata", text: FREE },
];
const events: TestEvent[] = Array.from({ length: 20 }, (_, index) => (index === 7 ? { sections } : {}));
const log = makeLog(events);

/** The line of entry 7, changed. */
function shown(edit: (record: any) => void): string {
  return edited({ index: 7, line: log.sealed[7]?.line as string }, edit).line;
}

async function place() {
  const { run, path } = await workplace();
  const verify = (proof: TlogProof | string, args: string[] = ["--key", VKEY], more: { columns?: number } = {}) => {
    writeFileSync(path("event.tlog-proof"), typeof proof === "string" ? proof : formatTlogProof(proof));
    return run("verify", ["event.tlog-proof", ...args], more);
  };
  return { verify, run };
}

it("says what happened, in which log, covered by which checkpoint, and what is not proven", async () => {
  const { verify } = await place();
  const { outcome, out } = await verify(proofOf(log, { index: 7 }));
  expect(outcome).toEqual(END(0));
  expect(out).toMatchSnapshot();
});

it.each([60, 120])("fits a terminal of %i columns", async (columns) => {
  const { verify } = await place();
  const { out } = await verify(proofOf(log, { index: 3 }), ["--key", VKEY], { columns });
  expect(out).toMatchSnapshot();
});

it("keeps every digit in its JSON", async () => {
  const { verify } = await place();
  const { out } = await verify(proofOf(log, { index: 7 }), ["--key", VKEY, "--json"]);
  expect(out).toContain(`"metadata":${FREE}`);
  expect(JSON.parse(out)).toMatchObject({
    ok: true,
    origin: LOG,
    index: 7,
    checkpoint: { size: 20 },
    absent: [],
    entry: { id: "inv-1" },
  });
});

it("names what is withheld, erased and expired, each for what it is", async () => {
  const { verify } = await place();
  const line = shown((record) => {
    for (const name of ["context", "note", "changes"]) delete record.sections[name];
    record.absent = [
      { section: "changes", cause: "expired", by: 15 },
      { section: "context", cause: "withheld" },
      { section: "note", cause: "erased", by: 12 },
    ];
  });
  const proof = proofOf(log, { index: 7, line });
  const { outcome, out } = await verify(proof);
  expect(outcome).toEqual(END(0));
  expect(out).toMatch(/withheld +context/);
  expect(out).toMatch(/erased +note \(by entry 12\)/);
  expect(out).toMatch(/expired +changes \(by entry 15\)/);
  expect(out).toContain("so it is said");
  expect(out.startsWith("•")).toBe(true);
  expect((await verify(proof, ["--key", VKEY, "--complete"])).outcome).toEqual(END(1));
});

it("takes nobody's word that a section is gone when all of them were asked for", async () => {
  const { verify } = await place();
  const erased = (by: number) =>
    shown((record) => {
      delete record.sections.note;
      record.absent = [{ section: "note", cause: "erased", by }];
    });
  const proof = proofOf(log, { index: 7, line: erased(12) });
  expect((await verify(proof)).outcome).toEqual(END(0));
  const complete = await verify(proof, ["--key", VKEY, "--complete", "--json"]);
  expect([complete.outcome, JSON.parse(complete.out).ok]).toEqual([END(2), false]);
  for (const by of [0, 7]) {
    const { outcome, out } = await verify(proofOf(log, { index: 7, line: erased(by) }));
    expect(outcome).toEqual(END(1));
    expect(out).toMatch(/unexplained_gap · section note/);
  }
});

it("shows an entry of which what happened is withheld", async () => {
  const { verify } = await place();
  const line = shown((record) => {
    record.absent = Object.keys(record.sections).map((section) => ({ section, cause: "withheld" }));
    record.sections = {};
  });
  const { outcome, out } = await verify(proofOf(log, { index: 7, line }));
  expect(outcome).toEqual(END(0));
  expect(out).toContain("Entry 7, of which what happened is not shown.");
});

it("refuses a proof that was tampered with, and names the break", async () => {
  const { verify } = await place();
  const proof = proofOf(log, { index: 7 });
  const cases: [TlogProof, RegExp][] = [
    [{ ...proof, index: 8 }, /entry 8 +leaf_changed/],
    [{ ...proof, hashes: proof.hashes.slice(1) }, /entry 7 +leaf_changed/],
    [{ ...proof, hashes: [flipped(proof.hashes[0] as Uint8Array, 9), ...proof.hashes.slice(1)] }, /leaf_changed/],
    [{ ...proof, checkpoint: proof.checkpoint.replace("\n20\n", "\n21\n") }, /the log +bad_signature/],
    [
      proofOf(log, { index: 7, line: shown((record) => (record.leaf = record.leaf.replace("general", "login"))) }),
      /leaf_changed/,
    ],
    [
      proofOf(log, { index: 7, line: shown((record) => (record.sections.metadata.text = "1")) }),
      /content_changed · section metadata/,
    ],
    [
      proofOf(log, { index: 7, line: shown((record) => delete record.sections.note) }),
      /unexplained_gap · section note/,
    ],
  ];
  for (const [tampered, blame] of cases) {
    const { outcome, out } = await verify(tampered);
    expect(outcome).toEqual(END(1));
    expect(out).toContain("this proof does not hold");
    expect(out).toMatch(blame);
    expect(JSON.parse((await verify(tampered, ["--key", VKEY, "--json"])).out)).toMatchObject({ ok: false });
  }
});

it("wants the key of the proof's own log, and remembers it", async () => {
  const { verify } = await place();
  const proof = proofOf(log, { index: 7 });
  const unknown = await verify(proof, []);
  expect(unknown.outcome).toMatchObject({ ok: false, failure: { what: `no key is known for the log ${LOG}` } });
  const other = await verify(proof, ["--key", formatVkey(logKey(OTHER_LOG))]);
  expect(other.outcome).toMatchObject({ ok: false, failure: { remedy: "give the key of that log" } });
  const wrong = await verify(proof, ["--key", formatVkey(keyOf(signer(9), LOG))]);
  expect(wrong.outcome).toEqual(END(1));
  expect((await verify(proof)).outcome).toEqual(END(0));
  const again = await verify(proof, []);
  expect(again.outcome).toEqual(END(0));
  expect(again.out).toContain("remembered from an earlier run");
});

it("finds a second history by the checkpoint it remembers", async () => {
  const { verify } = await place();
  await verify(proofOf(log, { index: 7 }));
  const other = proofOf(makeLog(events, { seed: "x" }), { index: 7 });
  const { outcome, out } = await verify(other);
  expect(outcome).toEqual(END(1));
  expect(out).toContain("two histories");
  const files = out.match(/\S+\.checkpoint/g)?.map((file) => readFileSync(file, "utf8"));
  expect(files).toEqual([proofOf(log, { index: 7 }), other].map(({ checkpoint }) => checkpoint));
});

it("names the witnesses one knows, and by when they saw it", async () => {
  const { verify } = await place();
  const proof = proofOf(log, { index: 7 });
  const witness = { name: "witness.example/w1", by: signer(5), timestamp: 1_790_000_000 };
  const checkpoint = proof.checkpoint + cosign(proof.checkpoint, witness);
  const known = formatVkey(keyOf(witness.by, witness.name, "cosignature"));
  const { out } = await verify({ ...proof, checkpoint }, ["--key", VKEY, "--key", known]);
  expect(out).toContain("witness.example/w1 saw this tree by 2026-09-21T14:13:20.000Z");
  expect((await verify({ ...proof, checkpoint })).out).not.toContain("witness.example");
});

it("could not check what is not whole", async () => {
  const { verify } = await place();
  const text = formatTlogProof(proofOf(log, { index: 7 }));
  const { extra: _, ...bare } = proofOf(log, { index: 7 });
  for (const cut of [
    text.slice(0, 40),
    text.slice(0, -200),
    `${text}\n`,
    text.replace("extra ", "extra !"),
    formatTlogProof({ ...bare, extra: null }),
  ]) {
    expect((await verify(cut)).outcome).toMatchObject({ ok: false });
  }
  expect((await verify(text, ["--key", "junk"])).outcome).toMatchObject({
    failure: { what: expect.stringContaining("junk is no key of a log") },
  });
  expect((await verify(text, ["--key", VKEY, "--since", "event.tlog-proof"])).outcome).toMatchObject({ ok: false });
});

it("prints hostile bytes as text", async () => {
  const { verify } = await place();
  const hostile = '{"id":"\\u001b]0;x\\u0007\\u202e\\u2028"}';
  const bad = makeLog([{ sections: [{ name: "actor", text: hostile }] }]);
  const { outcome, out } = await verify(proofOf(bad, { index: 0 }));
  expect(outcome).toEqual(END(0));
  for (const hidden of ["\u001b", "\u0007", "\u202e", "\u2028"]) expect(out).not.toContain(hidden);
  expect(out).toContain("User “\ufffd]0;x\ufffd\ufffd\ufffd” did");
  // As they stand in the source text, which may be of several lines.
  const raw = '{"id":\n"\u009b2J\u202e\u2028\ufeff\u{e0041}"}';
  const { out: json } = await verify(
    proofOf(makeLog([{ sections: [{ name: "metadata", text: raw }] }], { seed: "raw" }), { index: 0 }),
    ["--key", VKEY, "--state", "other", "--json"],
  );
  expect(json).toContain('"metadata":{"id":\n"\\u009b2J\\u202e\\u2028\\ufeff\\udb40\\udc41"}');
  expect(JSON.parse(json).entry.metadata).toEqual(JSON.parse(raw));
});

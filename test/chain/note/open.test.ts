import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openCheckpoint } from "../../../src/chain/note/open-checkpoint.ts";
import { cosignatureBytes, openNote } from "../../../src/chain/note/open-note.ts";
import type { NoteKey } from "../../../src/chain/note/note-key.ts";
import { signatureLine } from "../../../src/chain/note/note.ts";
import { signCheckpoint } from "../../../src/chain/note/sign-note.ts";
import { verifyEd25519 } from "../../../src/verify-ed25519.ts";
import { LOG, OTHER_LOG, sha256 } from "../support.ts";
import { cosign, keyOf, signedNote, signer } from "./support.ts";

const log = signer(1);
const witness = signer(2);
const other = signer(3);
const W1 = "witness.example/w1";
const logKey = keyOf(log, LOG);
const witnessKey = keyOf(witness, W1, "cosignature");

const checkpoint = { origin: LOG, size: 7, root: new Uint8Array(32).fill(9) };
const plain = signCheckpoint(sha256, { checkpoint, signers: [log] });
const line = cosign(plain, { name: W1, by: witness, timestamp: 1_795_000_000 });
const cosigned = plain + line;

async function kind(note: string, keys = [logKey, witnessKey], origin = LOG): Promise<string> {
  const opened = await openCheckpoint(verifyEd25519, { note, origin, keys });
  return opened.ok ? "ok" : opened.kind;
}

describe("a checkpoint", () => {
  it("opens with the key of its log, and names the witnesses one knows", async () => {
    expect(await openCheckpoint(verifyEd25519, { note: cosigned, origin: LOG, keys: [logKey, witnessKey] })).toEqual({
      ok: true,
      checkpoint: { ...checkpoint, extensions: [] },
      text: plain.slice(0, plain.indexOf("\n\n") + 1),
      cosigned: [{ name: W1, timestamp: 1_795_000_000, line }],
    });
    const opened = await openCheckpoint(verifyEd25519, { note: cosigned, origin: LOG, keys: [logKey] });
    expect(opened).toMatchObject({ ok: true, cosigned: [] });
  });

  it("opens with any of the log's keys, while one takes over from another", async () => {
    const both = signCheckpoint(sha256, { checkpoint, signers: [log, other] });
    expect(await kind(both, [logKey])).toBe("ok");
    expect(await kind(both, [keyOf(other, LOG)])).toBe("ok");
    expect(await kind(both, [logKey, keyOf(other, LOG)])).toBe("ok");
  });

  it("does not open without a key of its log", async () => {
    expect(await kind(cosigned, [])).toBe("unknown_key");
    expect(await kind(cosigned, [keyOf(other, LOG)])).toBe("unknown_key");
    expect(await kind(cosigned, [witnessKey])).toBe("unknown_key");
    expect(await kind(cosigned, [keyOf(log, OTHER_LOG)])).toBe("unknown_key");
    const own = cosign(plain, { name: LOG, by: log, timestamp: 1 });
    expect(await kind(plain + own, [keyOf(log, LOG, "cosignature")])).toBe("unknown_key");
  });

  it("of another log does not open, whoever signed it", async () => {
    expect(await kind(plain, [logKey], OTHER_LOG)).toBe("other_log");
    const foreign = signedNote(`${OTHER_LOG}\n7\n${"A".repeat(43)}=\n`, [[LOG, log]]);
    expect(await kind(foreign, [logKey], LOG)).toBe("other_log");
    expect(await kind(foreign, [logKey], OTHER_LOG)).toBe("unknown_key");
  });

  it("that is a signed note of another kind does not open", async () => {
    expect(await kind(signedNote(`${LOG}\nhello\n`, [[LOG, log]]))).toBe("malformed");
    expect(await kind("hello\n")).toBe("malformed");
  });

  it("does not open with anything of it changed", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(cosigned.length - 1),
        fc.constantFrom("x", "0", "A", "\n", " ", "+"),
        async (at, character) => {
          if (cosigned[at] === character) return;
          const changed = cosigned.slice(0, at) + character + cosigned.slice(at + 1);
          const opened = await openCheckpoint(verifyEd25519, {
            note: changed,
            origin: LOG,
            keys: [logKey, witnessKey],
          });
          if (!opened.ok) return;
          // A changed name or key id makes it a stranger's signature, which says nothing.
          expect(opened.checkpoint).toEqual({ ...checkpoint, extensions: [] });
          expect(opened.cosigned).toEqual([]);
          expect(at).toBeGreaterThan(plain.length);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("a note", () => {
  const keys = [logKey, witnessKey];
  const text = "hello\n";
  const note = signedNote(text, [[LOG, log]]);

  it("passes over strangers, also those that share a name or an id with a known key", async () => {
    const bytes = new Uint8Array(64);
    const sameName = signatureLine({ name: LOG, id: Uint8Array.of(1, 2, 3, 4), signature: bytes });
    const sameId = signatureLine({ name: OTHER_LOG, id: logKey.id, signature: bytes });
    const opened = await openNote(verifyEd25519, { note: note + sameName + sameId, keys });
    expect(opened).toMatchObject({ ok: true, text, signed: [{ key: logKey, timestamp: null }] });
    const alone = `${text}\n${sameName}${sameId}`;
    expect(await openNote(verifyEd25519, { note: alone, keys })).toMatchObject({ ok: false, kind: "unknown_key" });
  });

  it("is refused whole for one bad signature of a known key", async () => {
    for (const length of [1, 63, 64, 65, 72]) {
      const bad = signatureLine({ name: LOG, id: logKey.id, signature: new Uint8Array(length) });
      expect(await openNote(verifyEd25519, { note: note + bad, keys })).toMatchObject({ kind: "bad_signature" });
    }
    for (const length of [8, 64, 71, 72, 73]) {
      const bad = signatureLine({ name: W1, id: witnessKey.id, signature: new Uint8Array(length) });
      expect(await openNote(verifyEd25519, { note: note + bad, keys })).toMatchObject({ kind: "bad_signature" });
    }
  });

  it("is refused for a signature of another length or time without asking whether it is good", async () => {
    const yes = () => Promise.resolve(true);
    const open = (by: NoteKey, signature: Uint8Array) =>
      openNote(yes, { note: `${text}\n${signatureLine({ name: by.name, id: by.id, signature })}`, keys });
    expect(await open(logKey, new Uint8Array(64))).toMatchObject({ ok: true });
    const at = (timestamp: number) => cosignatureBytes({ timestamp, signature: new Uint8Array(64) });
    for (const timestamp of [1, 8.64e12]) {
      expect(await open(witnessKey, at(timestamp))).toMatchObject({ ok: true, signed: [{ timestamp }] });
    }
    // No time at all, and times that no date can say.
    for (const timestamp of [0, 8.64e12 + 1, Number.MAX_SAFE_INTEGER]) {
      expect(await open(witnessKey, at(timestamp))).toMatchObject({ kind: "bad_signature" });
    }
    for (const length of [1, 63, 65, 72]) {
      expect(await open(logKey, new Uint8Array(length))).toMatchObject({ kind: "bad_signature" });
    }
    for (const length of [1, 8, 64, 71, 73]) {
      expect(await open(witnessKey, new Uint8Array(length))).toMatchObject({ kind: "bad_signature" });
    }
    expect(await open(witnessKey, new Uint8Array(72).fill(255))).toMatchObject({ kind: "bad_signature" });
  });

  it("names a key once, however often it signed", async () => {
    const twice = signedNote(text, [
      [LOG, log],
      [LOG, log],
    ]);
    const opened = await openNote(verifyEd25519, { note: twice, keys: [logKey, logKey] });
    expect(opened.ok && opened.signed.length).toBe(1);
  });

  it("is not opened by one of two known keys that share name and id", async () => {
    const clash = { ...keyOf(other, LOG), id: logKey.id };
    const opened = await openNote(verifyEd25519, { note, keys: [logKey, clash] });
    expect(opened).toMatchObject({ ok: false, kind: "bad_signature" });
  });
});

describe("a cosignature", () => {
  it("is not one of another time, of another text, or a plain signature", async () => {
    const signature = Buffer.from(line.split(" ")[2] as string, "base64").subarray(12);
    const at = (timestamp: number, bytes: Uint8Array): string =>
      signatureLine({ name: W1, id: witnessKey.id, signature: cosignatureBytes({ timestamp, signature: bytes }) });
    expect(plain + at(1_795_000_000, signature)).toBe(cosigned);
    expect(await kind(plain + at(1_795_000_001, signature))).toBe("bad_signature");
    expect(await kind(plain + at(0, signature))).toBe("bad_signature");
    const text = Buffer.from(plain.slice(0, plain.indexOf("\n\n") + 1));
    expect(await kind(plain + at(1_795_000_000, witness.sign(text)))).toBe("bad_signature");
    const later = signCheckpoint(sha256, { checkpoint: { ...checkpoint, size: 8 }, signers: [log] });
    expect(await kind(later + line)).toBe("bad_signature");
  });

  it("of a time no number holds exactly is refused", async () => {
    const bytes = cosignatureBytes({ timestamp: 0, signature: new Uint8Array(64) });
    bytes.fill(255, 0, 8);
    const bad = signatureLine({ name: W1, id: witnessKey.id, signature: bytes });
    expect(await kind(plain + bad)).toBe("bad_signature");
  });

  it("covers lines that others added", async () => {
    const extended = signedNote(`${LOG}\n7\n${"A".repeat(43)}=\nmore\n`, [[LOG, log]]);
    const its = cosign(extended, { name: W1, by: witness, timestamp: 5 });
    expect(await kind(extended + its)).toBe("ok");
    const without = signedNote(`${LOG}\n7\n${"A".repeat(43)}=\n`, [[LOG, log]]);
    expect(await kind(without + its)).toBe("bad_signature");
  });
});

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { absenceListHash, absenceListText, parseAbsenceList } from "../../src/chain/absence-list.ts";
import { base64url, fromBase64url } from "../../src/chain/encoding.ts";
import { genesisPrev } from "../../src/chain/genesis.ts";
import { encodeLeaf, entryHash, type Leaf, parseLeaf } from "../../src/chain/leaf.ts";
import type { SectionText } from "../../src/chain/record.ts";
import { type Cause, redactLine } from "../../src/chain/redact.ts";
import { commitment } from "../../src/chain/section.ts";
import { sealEntry } from "../../src/chain/seal.ts";
import { CHANGES_SHAPE, DETAIL_SHAPE, EVENT_SHAPE, scanSource, type SourceNode } from "../../src/chain/source-text.ts";
import { createWalk, type Report } from "../../src/chain/verify.ts";
import { sha256 } from "./support.ts";

const FOLDER = join(import.meta.dirname, "../vectors");

/** A vector file; its shape is what the test of its kind says. */
function vectors<T>(name: string): T {
  return JSON.parse(readFileSync(join(FOLDER, name), "utf8")) as T;
}

function bytes(text: string): Uint8Array {
  const read = fromBase64url(text);
  if (read === null) throw new Error(`not base64url: ${text}`);
  return read;
}

describe("source-text.json", () => {
  type Case = {
    note: string;
    shape: "event" | "detail" | "changes";
    text: string;
    free?: Record<string, string>;
    faults?: string[];
  };
  const shapes = { event: EVENT_SHAPE, detail: DETAIL_SHAPE, changes: CHANGES_SHAPE };

  it.each(vectors<{ cases: Case[] }>("source-text.json").cases)("$note", ({ shape, text, free, faults }) => {
    const scanned = scanSource(text, shapes[shape], { maxDepth: 64 });
    if (!scanned.ok) {
      expect(scanned.faults.map(({ pointer }) => pointer)).toEqual(faults);
      return;
    }
    expect(faults).toBeUndefined();
    for (const [pointer, source] of Object.entries(free ?? {})) {
      let node: SourceNode | undefined = scanned.node;
      for (const step of pointer.slice(1).split("/")) node = node?.members?.get(step) ?? node?.items?.[Number(step)];
      expect(text.slice(node?.start, node?.end)).toBe(source);
    }
  });
});

describe("commitment.json", () => {
  type Case = { name: string; salt: string; text: string; commitment: string };
  it.each(vectors<{ cases: Case[] }>("commitment.json").cases)(
    "$name $text",
    ({ commitment: expected, ...section }) => {
      expect(commitment(sha256, section)).toBe(expected);
    },
  );
});

describe("genesis.json", () => {
  type Case = { origin: string; predecessor?: string; genesis: string };
  it.each(vectors<{ cases: Case[] }>("genesis.json").cases)("$origin", ({ genesis, ...input }) => {
    expect(base64url(genesisPrev(sha256, input))).toBe(genesis);
  });
});

describe("leaf.json", () => {
  type File = {
    good: { leaf: Leaf; text: string }[];
    malformed: { why: string; text: string }[];
    unknown_version: { text: string; version: number }[];
  };
  const { good, malformed, unknown_version } = vectors<File>("leaf.json");

  it.each(good)("$text", ({ leaf, text }) => {
    expect(encodeLeaf(leaf)).toBe(text);
    const parsed = parseLeaf(text);
    expect(parsed).toMatchObject({ kind: "leaf", leaf });
    if (parsed.kind === "leaf")
      expect(Object.keys(parsed.leaf.sections).sort()).toEqual(Object.keys(leaf.sections).sort());
  });

  it.each(malformed)("malformed: $why", ({ text }) => {
    expect(parseLeaf(text).kind).toBe("malformed");
  });

  it.each(unknown_version)("version $version", ({ text, version }) => {
    expect(parseLeaf(text)).toEqual({ kind: "unknown_version", version });
  });
});

describe("entry-hash.json", () => {
  type Case = { leaf: string; entry_hash: string };
  it.each(vectors<{ cases: Case[] }>("entry-hash.json").cases)("$leaf", ({ leaf, entry_hash }) => {
    expect(base64url(entryHash(sha256, leaf))).toBe(entry_hash);
  });
});

describe("sealed-log.json", () => {
  type Entry = Omit<Leaf, "log" | "sections" | "v"> & {
    sections: (SectionText & { salt: string })[];
    leaf: string;
    entry_hash: string;
    line: string;
  };
  const { origin, genesis, entries } = vectors<{ origin: string; genesis: string; entries: Entry[] }>(
    "sealed-log.json",
  );

  it.each(entries)("seals entry $index", ({ sections, leaf, entry_hash, line, ...members }) => {
    const salts = Uint8Array.from(sections.flatMap(({ salt }) => [...bytes(salt)]));
    const sealed = sealEntry(sha256, { ...members, log: origin, sections, salts });
    expect(sealed).toMatchObject({ leaf, prev: entry_hash, line });
    expect(members.prev).toBe(members.index === 0 ? genesis : entries[members.index - 1]?.entry_hash);
  });
});

describe("absence-list.json", () => {
  type File = {
    good: { sections: Record<string, string[]>; text: string; sha256: string }[];
    bad: { why: string; text: string }[];
    redacted: { line: string; sections: string[]; cause: Cause; after: string }[];
  };
  const { good, bad, redacted } = vectors<File>("absence-list.json");

  it.each(good)("$sha256", ({ sections, text, sha256: hash }) => {
    const list = new Map(Object.entries(sections).map(([index, names]) => [Number(index), names]));
    expect(parseAbsenceList(text)).toEqual(list);
    expect([absenceListText(list), absenceListHash(sha256, text)]).toEqual([text, hash]);
  });

  it.each(bad)("$why", ({ text }) => {
    expect(parseAbsenceList(text)).toBeNull();
  });

  it.each(redacted)("$cause", ({ line, sections, cause, after }) => {
    expect(redactLine(line, sections, cause)).toBe(after);
  });
});

type Broken = {
  log: string;
  genesis: string;
  size: number;
  trusted: string;
  rows: { index: number; line: string; tree_hash?: string }[];
  report: Pick<Report, "ok" | "checked" | "breaks" | "unvouched" | "absent" | "could_not_check">;
};

describe.each(readdirSync(FOLDER).filter((name) => name.startsWith("break-")))("%s", (name) => {
  const { log, genesis, size, trusted, rows, report } = vectors<Broken>(name);

  it("is reported exactly", () => {
    const walk = createWalk(sha256, { log, genesis: bytes(genesis), size, from: 0, trusted, maxBreaks: 1_000 });
    for (const { tree_hash, ...row } of rows) walk.row(tree_hash === undefined ? row : { ...row, treeHash: tree_hash });
    const found = walk.report();
    expect({
      ok: found.ok,
      checked: found.checked,
      breaks: found.breaks.map(({ detail, ...rest }) => {
        expect(detail).not.toBe("");
        return rest;
      }),
      unvouched: found.unvouched,
      absent: found.absent,
      could_not_check: found.could_not_check.map(({ index }) => ({ index })),
    }).toEqual(report);
  });

  it("holds the kind of break it is named after, and no other", () => {
    const kinds = new Set(report.breaks.map(({ kind }) => `break-${kind.replaceAll("_", "-")}.json`));
    expect([...kinds]).toEqual(name === "break-none.json" ? [] : [name]);
  });
});

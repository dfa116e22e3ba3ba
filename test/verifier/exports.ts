import { exportManifestText, type ExportManifest } from "../../src/chain/export-manifest.ts";
import { withProof } from "../../src/chain/export-line.ts";
import { signNote } from "../../src/chain/note/sign-note.ts";
import { type ExportInput, type ExportReport, openExport, verifyExport } from "../../src/verifier/index.ts";
import { keyOf, signer } from "../chain/note/support.ts";
import { sha256 } from "../chain/support.ts";
import { StoredTree } from "../chain/tree/support.ts";
import { blamed, noteOf, type Published } from "./support.ts";

/** An export: its parts by name, and its manifest, signed. */
export type Exported = { parts: Map<string, string>; manifest: string; said: ExportManifest };

type Asked = {
  /** Indexes of each log; all of them by default. */
  pick?: (index: number, log: number) => boolean;
  /** Lines in place of the logs' own. */
  lines?: readonly (readonly string[])[];
  complete?: boolean;
  /** Runs that the service had lost. */
  missing?: readonly { log: string; first: number; last: number }[];
  partLines?: number;
  change?: (said: ExportManifest) => void;
  by?: number;
  id?: string;
};

/** Exports logs as the service does. */
export function exportOf(logs: readonly Published[], asked: Asked = {}): Exported {
  const { pick = () => true, complete = asked.pick === undefined, missing = [], partLines = 100 } = asked;
  const lines: string[] = [];
  const said: ExportManifest["logs"] = [];
  for (const [n, log] of logs.entries()) {
    const tree = new StoredTree();
    tree.grow(log.sealed.sealed.slice(0, log.size).map(({ hash }) => hash));
    const picked = log.lines.map((_, index) => index).filter((index) => pick(index, n + 1));
    for (const [at, index] of picked.entries()) {
      const line = (asked.lines?.[n] ?? log.lines)[index] as string;
      lines.push(picked[at + 1] === index + 1 ? line : withProof(line, tree.inclusion(index, log.size)));
    }
    const [first = null, last = first] = [picked.at(0), picked.at(-1)];
    said.push({
      log: log.log,
      size: log.size,
      checkpoint: noteOf(log),
      first,
      last: last ?? null,
      rows: picked.length,
    });
  }
  const parts = new Map<string, string>();
  for (let at = 0; at < lines.length; at += partLines) {
    const name = `${String(parts.size).padStart(5, "0")}.ndjson`;
    parts.set(name, `${lines.slice(at, at + partLines).join("\n")}\n`);
  }
  const manifest: ExportManifest = {
    id: asked.id ?? "exp_1",
    org: "acme",
    format: "ndjson",
    // What chooses among entries is a filter, unless they were lost.
    filter: asked.pick === undefined || complete || missing.length > 0 ? {} : { action: "some.*" },
    from: null,
    to: null,
    sections: null,
    reason: "leaving",
    created_at: "2026-11-22T09:00:00.000Z",
    logs: said,
    rows: lines.length,
    missing: {
      entries: missing.reduce((sum, run) => sum + run.last - run.first + 1, 0),
      runs: [...missing],
      more: false,
    },
    parts: [...parts].map(([name, text]) => partOf(name, text)),
    complete,
  };
  asked.change?.(manifest);
  return {
    parts,
    said: manifest,
    manifest: signManifest(manifest, { name: logs.at(-1)?.log ?? "", by: asked.by ?? 1 }),
  };
}

export function signManifest(said: ExportManifest, { name, by }: { name: string; by: number }): string {
  return signNote(sha256, { text: exportManifestText(said), name, signers: [signer(by)] });
}

export function partOf(name: string, text: string): ExportManifest["parts"][number] {
  const bytes = Buffer.from(text);
  return {
    name,
    bytes: bytes.length,
    rows: text.split("\n").length - 1,
    sha256: Buffer.from(sha256(bytes)).toString("hex"),
  };
}

export function textOf({ parts }: Exported): string {
  return [...parts.values()].join("");
}

/** A text in chunks that end anywhere. */
export async function* chunksOf(text: string, bytes = 1_000): AsyncGenerator<Uint8Array> {
  const all = Buffer.from(text);
  for (let at = 0; at < all.length; at += bytes) yield await Promise.resolve(all.subarray(at, at + bytes));
}

export type ExportCheck = Partial<ExportInput> & { text?: string; logs: readonly Published[] };

export async function checkExport(
  made: Exported,
  { text = textOf(made), logs, ...more }: ExportCheck,
): Promise<ExportReport> {
  const opened = await openExport({ manifest: made.manifest, keys: logs.map((one) => keyOf(signer(1), one.log)) });
  if (!opened.ok) throw new Error(opened.why);
  return verifyExport({ opened: opened.export, bytes: chunksOf(text), sha256, ...more });
}

/** What is said of the file and of each log, in a line each. */
export function saidOf({ faults, logs }: ExportReport): string[] {
  return [
    ...faults.map(({ kind, part }) => (part === null ? kind : `${kind} ${part}`)),
    ...logs.flatMap((one) => blamed(one as never)),
    ...logs.flatMap(({ unvouched }) => unvouched.map(({ from, to }) => `unvouched ${from} to ${to}`)),
  ];
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openExport, readKey, verifyExport } from "../../src/verifier/index.ts";
import { chunksOf } from "./exports.ts";

type Found = { faults: { detail?: string }[]; logs: { breaks: { detail?: string }[] }[] };
type Vectors = {
  vkeys: string[];
  exports: { name: string; manifest: string; file: string; opens: string; report?: Found }[];
};

const { vkeys, exports: cases } = JSON.parse(
  readFileSync(join(import.meta.dirname, "../vectors/export.json"), "utf8"),
) as Vectors;

it.each(cases)("export.json: $name", async ({ manifest, file, opens, report }) => {
  const keys = vkeys.map(readKey).flatMap((read) => (read.ok ? [read.key] : []));
  const opened = await openExport({ manifest, keys });
  expect(opened.ok ? "ok" : opened.kind).toBe(opens);
  if (!opened.ok) return;
  const found = await verifyExport({ opened: opened.export, bytes: chunksOf(file) });
  for (const { detail } of [...found.faults, ...found.logs.flatMap(({ breaks }) => breaks)])
    expect(detail).not.toBe("");
  for (const one of [...found.faults, ...found.logs.flatMap(({ breaks }) => breaks)] as { detail?: string }[])
    delete one.detail;
  expect(found).toMatchObject(report ?? {});
});

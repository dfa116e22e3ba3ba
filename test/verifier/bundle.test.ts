import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createContext, runInContext } from "node:vm";
import { beforeAll, expect, it, onTestFinished } from "vitest";
import { bundleVerifier } from "../../scripts/verifier/bundle.ts";
import { formatTlogProof } from "../../src/chain/proof/tlog-proof.ts";
import { proofOf } from "../chain/proof/support.ts";
import { makeLog } from "../chain/support.ts";
import { noteOf, plainEvents, publish } from "./support.ts";

const log = publish(makeLog(plainEvents(300)));
const input = {
  vkey: log.vkey,
  origin: log.log,
  note: noteOf(log),
  proof: formatTlogProof(proofOf(log.sealed, { index: 7 })),
  files: Object.fromEntries([...log.files].map(([path, bytes]) => [path, [...bytes]])),
};

/** What somebody would write who has the library and nothing else; answers what it found. */
const PROGRAM = `async ({ vkey, origin, note, proof, files }) => {
  const { key } = readKey(vkey);
  const opened = await openCheckpoint({ note, origin, keys: [key] });
  const source = { read: async (path) => (files[path] ? { kind: "bytes", bytes: Uint8Array.from(files[path]) } : { kind: "absent" }) };
  const report = await verifyLog({ source, checkpoint: opened.checkpoint });
  const proven = await verifyProof({ proof, origin, keys: [key] });
  const forged = await verifyProof({ proof: proof.replace("index 7", "index 8"), origin, keys: [key] });
  return JSON.stringify([report.ok, report.entries, proven.ok, forged.kind]);
}`;
const FOUND = JSON.stringify([true, 300, true, "not_included"]);

let module = "";
beforeAll(async () => {
  module = await bundleVerifier({ format: "esm" });
});

it("imports nothing, of a platform or else", () => {
  // Not toMatch: a failure would print all of it.
  expect(/\bimport\b\s*[{*("']|\bfrom\s*["']|\brequire\(/.test(module)).toBe(false);
  expect(/["'](node|cloudflare):|\bBuffer\b|\bprocess\./.test(module)).toBe(false);
});

it("verifies where there is only what every browser has", async () => {
  const text = await bundleVerifier({ format: "iife" });
  const web = { crypto, TextEncoder, TextDecoder, AbortSignal, fetch, setTimeout, Uint8Array, DataView, ArrayBuffer };
  const context = createContext(web);
  const names = "const { readKey, openCheckpoint, verifyLog, verifyProof } = indelible;";
  const program = runInContext(`${text}\n${names}\n(${PROGRAM})`, context) as (given: typeof input) => Promise<string>;
  expect(runInContext("typeof process + typeof require + typeof Buffer", context)).toBe("undefined".repeat(3));
  expect(await program(input)).toBe(FOUND);
});

it("verifies in plain Node, the oldest one that package.json allows too", ({ skip }) => {
  const folder = mkdtempSync(join(tmpdir(), "indelible-bundle-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "verify.mjs"), module);
  writeFileSync(join(folder, "input.json"), JSON.stringify(input));
  const program = `import { readFileSync } from "node:fs";
    import { readKey, openCheckpoint, verifyLog, verifyProof } from "./verify.mjs";
    console.log(await (${PROGRAM})(JSON.parse(readFileSync("input.json", "utf8"))));`;
  writeFileSync(join(folder, "program.mjs"), program);
  const nodes = [process.execPath, "/usr/local/bin/node", "/usr/bin/node"];
  const ran = nodes.flatMap((node) => {
    const { status, stdout } = spawnSync(node, ["program.mjs"], { cwd: folder, encoding: "utf8" });
    return status === null ? [] : [stdout.trim()];
  });
  if (ran.length === 0) skip("there is no Node on this computer to run it in");
  for (const found of ran) expect(found).toBe(FOUND);
});

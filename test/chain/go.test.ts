import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { base64 } from "../../src/chain/encoding.ts";
import { formatVkey } from "../../src/chain/note/note-key.ts";
import { signCheckpoint } from "../../src/chain/note/sign-note.ts";
import { cosign, keyOf, signer } from "./note/support.ts";
import { LOG, sha256 } from "./support.ts";
import { StoredTree } from "./tree/support.ts";

/** Where Debian's golang-golang-x-mod-dev puts its source. */
const GOPATH = process.env["GOPATH"] ?? "/usr/share/gocode";
const SIZES = 600;

/** Why this cannot run here; null when it can. */
function missing(): string | null {
  if (spawnSync("go", ["version"]).status !== 0) return "Go is not installed (Debian: golang-go)";
  const found = existsSync(join(GOPATH, "src/golang.org/x/mod/sumdb/tlog"));
  return found ? null : "golang.org/x/mod is not in GOPATH (Debian: golang-golang-x-mod-dev)";
}

const reason = missing();
// Past the reporter, which says only that something was skipped.
if (reason !== null) process.stderr.write(`test/chain/go.test.ts is skipped: ${reason}\n`);

describe.skipIf(reason !== null)(
  `an independent reader, Go's sumdb${reason === null ? "" : `: skipped, ${reason}`}`,
  () => {
    let folder = "";

    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), "indelible-go-"));
    });

    afterAll(() => {
      rmSync(folder, { recursive: true, force: true });
    });

    it(`opens our checkpoints and accepts our tiles and proofs at every size up to ${SIZES}`, {
      timeout: 240_000,
    }, () => {
      const { input, inclusion, consistency } = writeLog(folder);
      writeFileSync(join(folder, "input.json"), JSON.stringify(input));
      const program = join(folder, "check-log");
      const env = { ...process.env, GO111MODULE: "off", GOPATH, GOFLAGS: "", CGO_ENABLED: "0" };
      const source = join(import.meta.dirname, "../go/check-log/main.go");
      const built = spawnSync("go", ["build", "-o", program, source], { env, encoding: "utf8" });
      expect(built.stderr).toBe("");
      const run = spawnSync(program, [join(folder, "input.json"), folder], { encoding: "utf8" });
      expect(run.stderr).toBe("");
      const counted = JSON.parse(run.stdout) as Record<string, number>;
      expect(counted).toMatchObject({
        Trees: SIZES,
        Leaves: (SIZES * (SIZES + 1)) / 2,
        Inclusion: inclusion,
        Consistency: consistency,
      });
      // Of each tree another key, text and tile; of each proof another size, index or roots, and leaf.
      expect(counted["Refused"]).toBe(3 * SIZES + 4 * inclusion - 1 + 3 * consistency);
    });
  },
);

/** A log grown entry by entry, each of its tiles in the folder, with a checkpoint and proofs at each size. */
function writeLog(folder: string): { input: unknown; inclusion: number; consistency: number } {
  const log = signer(1);
  const witness = signer(2);
  const name = "witness.example/w1";
  const tree = new StoredTree();
  const leaves = Array.from({ length: SIZES }, (_, index) => `{"index":${index}}`);
  const written = new Set<string>();
  let inclusion = 0;
  let consistency = 0;
  const trees = leaves.map((leaf, at) => {
    tree.grow([sha256(Buffer.from(`\0${leaf}`))]);
    for (const [path, bytes] of tree.tiles) {
      if (written.has(path)) continue;
      written.add(path);
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), bytes);
    }
    const size = at + 1;
    const checkpoint = signCheckpoint(sha256, {
      checkpoint: { origin: LOG, size, root: tree.root(size) },
      signers: [log],
    });
    const places = [...new Set([0, 1, at >> 1, 255, 256, (at * 7_919) % size, at - 1, at])].filter(
      (n) => n >= 0 && n < size,
    );
    inclusion += places.length;
    consistency += places.length;
    return {
      checkpoint,
      inclusion: places.map((index) => ({ at: index, hashes: tree.inclusion(index, size).map(base64) })),
      consistency: places.map((index) => ({ at: index + 1, hashes: tree.consistency(index + 1, size).map(base64) })),
    };
  });
  const last = trees.at(-1)?.checkpoint ?? "";
  const time = 1_795_284_000;
  const input = {
    vkey: formatVkey(keyOf(log, LOG)),
    wrongVkey: formatVkey(keyOf(signer(3), LOG)),
    origin: LOG,
    leaves,
    trees,
    cosigned: {
      vkey: formatVkey(keyOf(witness, name, "cosignature")),
      name,
      note: last + cosign(last, { name, by: witness, timestamp: time }),
      time,
    },
  };
  return { input, inclusion, consistency };
}

import { env } from "cloudflare:workers";
import { signCheckpoint } from "../../src/chain/note/sign-note.ts";
import { configOf } from "../../src/env.ts";
import { logSigner } from "../../src/log-signer.ts";
import { sha256 } from "../../src/sha256.ts";
import { readLedger } from "./check/read-stores.ts";
import { evict } from "./faults.ts";
import { statusOf } from "./check-ledger.ts";

/** Makes an org's ledger one that was rewound and cannot be rolled forward: a checkpoint of more entries than there are anywhere. */
export async function strand(org: string): Promise<{ log: string; size: number; note: string }> {
  const { log } = (await readLedger(org)).org;
  const size = (await statusOf(org)).size + 1;
  const checkpoint = { origin: log, size, root: new Uint8Array(32) };
  const note = signCheckpoint(sha256, { checkpoint, signers: [logSigner(configOf(env), log)] });
  await env.ARCHIVE.put(`tree/${log}/checkpoint/${String(size).padStart(10, "0")}`, note);
  await evict(org);
  return { log, size, note };
}

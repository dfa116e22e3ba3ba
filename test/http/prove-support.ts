import { env, exports } from "cloudflare:workers";
import { expect } from "vitest";
import type { Checkpoint } from "../../src/chain/note/checkpoint.ts";
import { type NoteKey, parseVkey } from "../../src/chain/note/note-key.ts";
import { openCheckpoint } from "../../src/chain/note/open-checkpoint.ts";
import { sha256 } from "../../src/sha256.ts";
import { verifyEd25519 } from "../../src/verify-ed25519.ts";
import { append, batchOf } from "../support/append.ts";
import { call, createOrg, event } from "../support/client.ts";

/** The raw bytes of an answer: tiles are no text. */
export async function bytesAt(path: string, key: string | null = env.ROOT_KEY): Promise<Uint8Array> {
  const headers: Record<string, string> = key === null ? {} : { authorization: `Bearer ${key}` };
  const response = await exports.default.fetch(new Request(`http://log.test${path}`, { headers }));
  expect(response.status).toBe(200);
  return new Uint8Array(await response.arrayBuffer());
}

export const at = (org: string, path: string) => `/v1/orgs/${org}/${path}`;
export const originOf = (org: string) => `log.test/v1/orgs/${org}`;

export async function keysOf(org: string): Promise<NoteKey[]> {
  const { text } = await call("GET", at(org, "log-key"));
  const parsed = parseVkey(sha256, text.trimEnd());
  if (!parsed.ok) throw new Error(parsed.why);
  return [parsed.key];
}

export async function checkpointOf(org: string, minSize: number): Promise<Checkpoint> {
  const { status, text } = await call("GET", at(org, `checkpoint?min_size=${minSize}`));
  expect(status, text).toBe(200);
  const opened = await openCheckpoint(verifyEd25519, { note: text, origin: originOf(org), keys: await keysOf(org) });
  if (!opened.ok) throw new Error(opened.why);
  return opened.checkpoint;
}

/** An org with `count` entries and a checkpoint of all of them. */
export async function publishedOrg(stem: string, count: number): Promise<string> {
  const org = await createOrg(stem);
  const events = Array.from({ length: count - 1 }, (_, n) => event(n));
  for (let n = 0; n < events.length; n += 1_000) await append(org, batchOf(events.slice(n, n + 1_000)));
  await checkpointOf(org, count);
  return org;
}

import { utf8 } from "./chain/encoding.ts";
import { takeRandom } from "./random.ts";
import { sha256 } from "./sha256.ts";

const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";

/** RFC 4648 base32 in lower case, without padding. */
function base32(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += BASE32[(held >>> (bits - 5)) & 31];
    held &= (1 << bits) - 1;
  }
  return bits > 0 ? text + BASE32[(held << (5 - bits)) & 31] : text;
}

/** A batch id for a request that brought no `Idempotency-Key`. */
export function newBatchId(): string {
  return `bat_${base32(takeRandom(16))}`;
}

/**
 * The id of an event that brought none. It follows from the batch and the position, so that a batch sent again
 * gets the same ids without one having been stored.
 */
export function eventIdsOf(batch: string): (position: number) => string {
  const stem = base32(sha256(utf8(`indelible/event-id/v1\0${batch}`)).subarray(0, 15));
  return (position) => `evt_${stem}.${position}`;
}

/** The id of an entry the service writes itself. */
export function newServiceEventId(): string {
  return `sev_${base32(takeRandom(15))}`;
}

/** The name in an API key's id: 60 bits, 12 characters, random unless `bytes` are given. */
export function newKeyName(bytes: Uint8Array = takeRandom(8)): string {
  return base32(bytes).slice(0, 12);
}

/** The id of a dead letter follows from its message's, so that one stored twice is one. */
export function deadLetterIdOf(messageId: string): string {
  return `dl_${base32(sha256(utf8(messageId)).subarray(0, 15))}`;
}

export function newQuarantineId(): string {
  return `qua_${base32(takeRandom(10))}`;
}

export function newHoldId(): string {
  return `hold_${base32(takeRandom(10))}`;
}

export function newErasureId(): string {
  return `era_${base32(takeRandom(15))}`;
}

/** The id of an export: random, or what follows from its org and the `Idempotency-Key` it was asked for with. */
export function exportIdOf(org: string, idempotencyKey: string | null): string {
  const asked = utf8(`indelible/export-id/v1\0${org}\0${idempotencyKey ?? ""}`);
  return `exp_${base32(idempotencyKey === null ? takeRandom(15) : sha256(asked).subarray(0, 15))}`;
}

export function newRunId(): string {
  return `run_${base32(takeRandom(10))}`;
}

export function newRequestId(): string {
  return `req_${base32(takeRandom(12))}`;
}

import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { archived, erased, person } from "../keep/erasure-support.ts";
import { made } from "../export/support.ts";
import { append, batchOf } from "../support/append.ts";
import { checkLedger, statusOf } from "../support/check-ledger.ts";
import { createOrg, event } from "../support/client.ts";
import { replaceMethod, restoreFaults } from "../support/faults.ts";
import { rewindTo, snapshotOf } from "../support/rewind.ts";
import { verified } from "../support/tamper.ts";

afterEach(restoreFaults);

/** R2 with a bucket lock on `tree/`: what is there is neither written over nor deleted. Answers what was tried all the same. */
function lockTree(): { deleted: string[] } {
  const deleted: string[] = [];
  const locked = () => new Error("The object is locked by the bucket policy. (10069)");
  replaceMethod(env.ARCHIVE, "put", async (original, [key, ...rest]) => {
    if (String(key).startsWith("tree/") && (await env.ARCHIVE.head(key)) !== null) throw locked();
    return original(key, ...rest);
  });
  replaceMethod(env.ARCHIVE, "delete", async (original, [keys]) => {
    const kept = [keys].flat().filter((key) => String(key).startsWith("tree/"));
    deleted.push(...kept);
    if (kept.length > 0) throw locked();
    return original(keys);
  });
  return { deleted };
}

describe("a bucket with a lock on tree/", () => {
  it("takes everything the service does: tiles, checkpoints, a rewind, an export, an erasure", async () => {
    const lock = lockTree();
    const org = await createOrg("locked");
    const jane = person();
    const events = Array.from({ length: 300 }, (_, n) => event(n, n % 50 === 0 ? { actor: jane } : {}));
    await append(org, batchOf(events));
    await archived(org);
    const snapshot = await snapshotOf(org);
    await append(org, batchOf([event(1_000), event(1_001, { actor: jane })]));
    await archived(org);
    const { size, published } = await statusOf(org);
    expect(published).toBe(size);
    // Rolls forward out of R2, and publishes again what is there.
    await rewindTo(org, snapshot);
    await archived(org);
    expect((await statusOf(org)).size).toBeGreaterThanOrEqual(size);
    expect(await made(org)).toMatchObject({ state: "done" });
    const { certificate } = await erased(org, { subject: { type: jane.type, id: jane.id } });
    expect(certificate).toMatchObject({ causes: [{ entries: 7 }], removed: { sections: 14 } });
    await archived(org);
    await checkLedger(org, { archived: true });
    expect(await verified(org)).toMatchObject({ ok: true, breaks: [] });
    expect(lock.deleted).toEqual([]);
  });
});

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { sha256 } from "../../src/sha256.ts";
import { signCheckpoint } from "../../src/chain/note/sign-note.ts";
import { openCheckpoint } from "../../src/chain/note/open-checkpoint.ts";
import { noteKey } from "../../src/chain/note/note-key.ts";
import { configOf } from "../../src/env.ts";
import { logSigner } from "../../src/log-signer.ts";
import { verifyEd25519 } from "../../src/verify-ed25519.ts";
import { append, batchOf, refusalOf } from "../support/append.ts";
import { checkLedger, later, statusOf, untilProjected, wake } from "../support/check-ledger.ts";
import { readTree } from "../support/check/check-tree.ts";
import { readLedger } from "../support/check/read-stores.ts";
import { createOrg, event } from "../support/client.ts";
import { breakTree, dropArchived, evict, replaceMethod, restoreFaults } from "../support/faults.ts";

afterEach(restoreFaults);

const events = (count: number) => Array.from({ length: count }, (_, n) => event(n));

async function appendMany(org: string, count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1_000) await append(org, batchOf(events(Math.min(left, 1_000))));
}

const checkpointAt = (log: string, size: number) => `tree/${log}/checkpoint/${String(size).padStart(10, "0")}`;

async function checkpoints(org: string): Promise<number[]> {
  const { log } = (await readLedger(org)).org;
  const names = [...(await readTree(log)).keys()].filter((name) => name.startsWith("checkpoint/"));
  return names.map((name) => Number(name.slice("checkpoint/".length)));
}

describe("a checkpoint", () => {
  it("comes a minute after the first entry it covers in a quiet log, and then only when there are new ones", async () => {
    const org = await createOrg("quiet");
    await append(org, batchOf(events(3)));
    await untilProjected(org);
    expect(await later(55_000, () => wake(org))).toMatchObject({ published: 0, publishing: "running" });
    expect(await later(61_000, () => wake(org))).toMatchObject({ published: 4, oldest_unpublished_at: null });
    await later(600_000, () => wake(org));
    expect(await checkpoints(org)).toEqual([4]);
    await checkLedger(org, { archived: true });
  });

  it("comes at once for a tile's worth of entries, and then at most every five seconds", async () => {
    const org = await createOrg("busy");
    await append(org, batchOf(events(300)));
    await expect.poll(async () => (await statusOf(org)).published).toBe(301);
    await append(org, batchOf(events(300)));
    await untilProjected(org);
    expect(await later(3_000, () => wake(org))).toMatchObject({ published: 301 });
    expect(await later(7_000, () => wake(org))).toMatchObject({ published: 601 });
    expect(await checkpoints(org)).toEqual([301, 601]);
    await checkLedger(org, { archived: true });
  });

  it("is set an alarm for, and published by it", async () => {
    const org = await createOrg("alarm");
    await append(org, batchOf(events(1)));
    await untilProjected(org);
    const alarmAt = await runInDurableObject(env.ORG_LEDGER.getByName(org), (_, { storage }) => storage.getAlarm());
    expect(alarmAt).toBeLessThanOrEqual(Date.now() + 62_000);
    await later(62_000, () =>
      runInDurableObject(env.ORG_LEDGER.getByName(org), async (ledger) => (await ledger.alarm(), undefined)),
    );
    expect(await statusOf(org)).toMatchObject({ published: 2 });
  });

  it("is signed by the log's key alone, under its origin", async () => {
    const org = await createOrg("signed");
    const { ledger } = await checkLedger(org, { archived: true });
    const origin = ledger.org.log;
    const { publicKey } = logSigner(configOf(env), origin);
    const keys = [noteKey(sha256, { name: origin, type: "ed25519", publicKey })];
    const opened = await openCheckpoint(verifyEd25519, { note: ledger.tree?.note ?? "", origin, keys });
    expect(opened).toMatchObject({ ok: true, checkpoint: { size: 1, origin } });
    expect(logSigner(configOf(env), `${origin}x`).publicKey).not.toEqual(publicKey);
  });
});

describe("a long backlog", () => {
  it("is published in parts, from segments where nothing is staged any more", async () => {
    const org = await createOrg("backlog");
    const tree = breakTree(org, { method: "put", kind: "failed" });
    await appendMany(org, 10_400);
    await untilProjected(org);
    expect(await later(61_000, () => wake(org))).toMatchObject({ archived: 10_401, published: 0 });
    await dropArchived(org);
    await append(org, batchOf(events(2)));
    // What was begun before these two came fails first: mended under way, it would have a checkpoint of its own.
    await wake(org);
    tree.restore();
    let gets = 0;
    replaceMethod(env.ARCHIVE, "get", (original, args) => {
      if (String(args[0]).startsWith("seg/") && String(args[0]).includes(`/${org}/`)) gets++;
      return original(...args);
    });
    expect(await later(122_000, () => wake(org))).toMatchObject({ published: 10_403, publishing: "running" });
    // Each segment once, once more where a checkpoint parts it, and for the entry before a tile that begins with it.
    expect(gets).toBeLessThanOrEqual((await readLedger(org)).segments.length + 5);
    expect(await checkpoints(org)).toEqual([4_096, 8_192, 10_403]);
    await checkLedger(org, { archived: true });
  });

  it("stays out of the way of appends: staged rows go though nothing is published", async () => {
    const org = await createOrg("stuck");
    breakTree(org, { method: "put", kind: "failed" });
    await appendMany(org, 17_500);
    await untilProjected(org);
    const { backlog, published } = await later(61_000, () => wake(org));
    expect(published).toBe(0);
    expect(backlog.entries).toBeLessThan(17_500);
    expect(await refusalOf(org)).toBe(null);
    restoreFaults();
    await later(122_000, () => wake(org));
    await checkLedger(org, { archived: true });
  });
});

describe("a ledger from before there was a tree", () => {
  it("gets its table when it starts, and publishes all it has", async () => {
    const org = await createOrg("old");
    await append(org, batchOf(events(600)));
    await checkLedger(org, { archived: true });
    const { log } = (await readLedger(org)).org;
    for (const name of (await readTree(log)).keys()) await env.ARCHIVE.delete(`tree/${log}/${name}`);
    await runInDurableObject(env.ORG_LEDGER.getByName(org), (_, { storage }) => {
      storage.sql.exec("drop table tree");
      storage.sql.exec("update org set settings = json_remove(settings, '$.public_log')");
    });
    await dropArchived(org);
    await append(org, batchOf(events(1)));
    const { status } = await checkLedger(org, { archived: true });
    expect(status).toMatchObject({ published: 602, publishing: "running" });
  });
});

describe("what contradicts the tree in R2", () => {
  const FOREIGN: Record<string, (log: string) => Promise<unknown>> = {
    "a tile of other bytes": (log) => env.ARCHIVE.put(`tree/${log}/tile/0/000`, new Uint8Array(8_192)),
    "a tile too large to be one": (log) => env.ARCHIVE.put(`tree/${log}/tile/0/000`, new Uint8Array(4_000_000)),
    "a bundle of other bytes": (log) => env.ARCHIVE.put(`tree/${log}/tile/entries/000`, "x"),
    "a checkpoint of another root at the very size": (log) =>
      env.ARCHIVE.put(
        `tree/${log}/checkpoint/0000000301`,
        `${log}\n301\n${Buffer.alloc(32, 7).toString("base64")}\n\n— x y\n`,
      ),
  };

  it.each(Object.keys(FOREIGN))("(%s) stops publishing and nothing else, until it is gone", async (kind) => {
    const org = await createOrg("conflict");
    const { log } = (await readLedger(org)).org;
    await FOREIGN[kind]?.(log);
    const names = [...(await readTree(log)).keys()];
    await append(org, batchOf(events(300)));
    await expect.poll(async () => (await statusOf(org)).publishing).toBe("stopped");
    expect((await statusOf(org)).conflict).toContain(names[0]);
    await append(org, batchOf(events(2)));
    await later(120_000, () => wake(org));
    // Neither a smaller nor a larger tree is signed beside it.
    expect(await statusOf(org)).toMatchObject({ published: 0, archived: 303, publishing: "stopped" });
    await evict(org);
    await later(120_000, () => wake(org));
    expect(await statusOf(org)).toMatchObject({ published: 0, publishing: "stopped", ingestion: "accepting" });
    expect((await checkpoints(org)).length).toBe(kind.startsWith("a checkpoint") ? 1 : 0);
    for (const name of names) await env.ARCHIVE.delete(`tree/${log}/${name}`);
    await later(800_000, () => wake(org));
    await checkLedger(org, { archived: true });
  });

  it("a checkpoint that is farther than a crash explains stops it as well", async () => {
    const org = await createOrg("far");
    const { log } = (await readLedger(org)).org;
    const puts = breakTree(org, { method: "put", kind: "failed" });
    await appendMany(org, 4_200);
    await untilProjected(org);
    await evict(org);
    puts.restore();
    await env.ARCHIVE.put(`tree/${log}/checkpoint/0000004097`, "x\n\n");
    await later(61_000, () => wake(org));
    const { publishing, conflict, published } = await statusOf(org);
    expect([publishing, published]).toEqual(["stopped", 0]);
    expect(conflict).toContain("4097");
    await env.ARCHIVE.delete(`tree/${log}/checkpoint/0000004097`);
    await later(800_000, () => wake(org));
    await checkLedger(org, { archived: true });
  });
});

describe("a ledger that was rewound", () => {
  it("refuses appends when R2 holds a checkpoint of more entries than it has", async () => {
    const org = await createOrg("rewound");
    await append(org, batchOf(events(3)));
    const { ledger } = await checkLedger(org, { archived: true });
    const { log } = ledger.org;
    const name = checkpointAt(log, 5);
    const checkpoint = { origin: log, size: 5, root: new Uint8Array(32) };
    await env.ARCHIVE.put(name, signCheckpoint(sha256, { checkpoint, signers: [logSigner(configOf(env), log)] }));
    await evict(org);
    const refusal = await refusalOf(org);
    expect(refusal).toMatchObject({
      code: "overloaded",
      detail:
        "The ledger was rewound to size 4: R2 holds a newer checkpoint, of size 5. " +
        "It cannot be rolled forward: entry 4 is in no store. An operator has to bring back what is missing, or to begin a new log with a reason: POST /v1/orgs/{org}/continue.",
    });
    expect(await statusOf(org)).toMatchObject({ size: 4, ingestion: "overloaded", refusal: refusal?.detail });
    await env.ARCHIVE.delete(name);
    expect(await refusalOf(org)).toBe(null);
  });

  it("is not believed for a checkpoint that another key signed, or that is of another size", async () => {
    const org = await createOrg("believed");
    await append(org, batchOf(events(3)));
    const { ledger } = await checkLedger(org, { archived: true });
    const { log } = ledger.org;
    const checkpoint = { origin: log, size: 5, root: new Uint8Array(32) };
    const note = signCheckpoint(sha256, { checkpoint, signers: [logSigner(configOf(env), `${log}x`)] });
    const forged = { 5: note, 6: ledger.tree?.note ?? "", 7: "junk" };
    for (const [size, text] of Object.entries(forged)) await env.ARCHIVE.put(checkpointAt(log, Number(size)), text);
    await evict(org);
    expect(await refusalOf(org)).toBe(null);
    await later(61_000, () => wake(org));
    expect(await statusOf(org)).toMatchObject({ publishing: "stopped", published: 4 });
    for (const size of Object.keys(forged)) await env.ARCHIVE.delete(checkpointAt(log, Number(size)));
    await later(800_000, () => wake(org));
    await checkLedger(org, { archived: true });
  });
});

import { describe, expect, it } from "vitest";
import { base64 } from "../../src/chain/encoding.ts";
import { parseCheckpoint } from "../../src/chain/note/checkpoint.ts";
import { openCheckpoint } from "../../src/chain/note/open-checkpoint.ts";
import { verifyEd25519 } from "../../src/verify-ed25519.ts";
import { append, batchOf } from "../support/append.ts";
import { checkLedger } from "../support/check-ledger.ts";
import { call, createOrg, event, freshOrg } from "../support/client.ts";
import { at, bytesAt, checkpointOf, keysOf, originOf, publishedOrg } from "./prove-support.ts";
import { bytesOf, platformKey, problemOf } from "./support.ts";

describe("public_log", () => {
  const PATHS = ["checkpoint", "log-key", "tile/0/000.p/1", "tile/entries/000.p/1"];
  const PROOFS = ["proof/inclusion?index=0&size=1", "proof/consistency?from=0&to=1"];
  const anonymous = (org: string, path: string) =>
    call("GET", at(org, path), { key: null, headers: { "x-request-id": "the-same" } });

  it("off: answers the same bytes as for an org that does not exist to who has no key", async () => {
    const org = await publishedOrg("private", 3);
    for (const path of [...PATHS, ...PROOFS, "checkpoint?min_size=1", "tile/junk"]) {
      const refused = await anonymous(org, path);
      problemOf(refused, "unauthorized");
      expect(bytesOf(await anonymous(freshOrg("nobody"), path))).toEqual(bytesOf(refused));
      expect(bytesOf(await anonymous("no!", path))).toEqual(bytesOf(refused));
    }
  });

  it("on: needs no key for checkpoint, tiles, bundles and bare proofs, and for nothing else", async () => {
    const org = await publishedOrg("public", 3);
    const put = (open: boolean) => call("PUT", `/v1/orgs/${org}`, { body: { public_log: open } });
    expect((await put(true)).json).toMatchObject({ public_log: true, size: 4, last_checkpoint: { size: 3 } });
    for (const path of [...PATHS, ...PROOFS]) {
      const { status, headers } = await anonymous(org, path);
      // A verifier may run in a page of somebody else's.
      expect([status, headers.get("access-control-allow-origin")], path).toEqual([200, "*"]);
    }
    const tile = await anonymous(org, "tile/0/000.p/1");
    expect(tile.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    for (const path of ["events", "events/0", "events/0/proof", "verify", "status", "keys", "checkpoint?min_size=1"]) {
      problemOf(await anonymous(org, path), "unauthorized");
    }
    const beyond = await anonymous(org, "tile/0/001");
    problemOf(beyond, "not_found");
    expect(beyond.headers.get("access-control-allow-origin")).toBe("*");
    for (const path of ["events", "events/0/proof", "verify"]) {
      expect((await call("GET", at(org, path))).headers.has("access-control-allow-origin"), path).toBe(false);
    }
    // A key that is sent has to be right.
    problemOf(await call("GET", at(org, "checkpoint"), { key: "junk" }), "unauthorized");
    expect((await put(false)).json.public_log).toBe(false);
    for (const path of [...PATHS, ...PROOFS]) problemOf(await anonymous(org, path), "unauthorized");
    const { entries } = await checkLedger(org, { archived: true });
    expect(entries.filter(({ action }) => action === "indelible.org.updated").length).toBe(2);
  });

  it("of one org opens no other's: each serves the tree of its own log", async () => {
    const [one, two] = [await publishedOrg("one", 3), await publishedOrg("two", 3)];
    await call("PUT", `/v1/orgs/${one}`, { body: { public_log: true } });
    problemOf(await anonymous(two, "tile/0/000.p/1"), "unauthorized");
    const { key } = await platformKey(["events:read"]);
    const tiles = await Promise.all([one, two].map((org) => bytesAt(at(org, "tile/0/000.p/3"), key)));
    expect(tiles[0]).not.toEqual(tiles[1]);
    const bundle = await bytesAt(at(one, "tile/entries/000.p/3"), null);
    expect(new TextDecoder().decode(bundle)).toContain(originOf(one));
    expect(new TextDecoder().decode(bundle)).not.toContain(originOf(two));
    const note = (await anonymous(one, "checkpoint")).text;
    expect(parseCheckpoint(note.slice(0, note.indexOf("\n\n") + 1))?.origin).toBe(originOf(one));
    const other = await openCheckpoint(verifyEd25519, { note, origin: originOf(one), keys: await keysOf(two) });
    expect(other).toMatchObject({ ok: false });
  });
});

describe("an org's settings and status", () => {
  it("tell the newest checkpoint and how far publishing is", async () => {
    const org = await createOrg("told");
    expect((await call("GET", `/v1/orgs/${org}`)).json).toMatchObject({ public_log: false, last_checkpoint: null });
    const { root } = await checkpointOf(org, 1);
    const { last_checkpoint } = (await call("GET", `/v1/orgs/${org}`)).json;
    expect(last_checkpoint).toMatchObject({ size: 1, root: base64(root) });
    await append(org, batchOf([event(1)]));
    const { publishing } = (await call("GET", at(org, "status"))).json;
    expect(publishing).toMatchObject({ state: "running", size: 1, lag_entries: 1, conflict: null });
  });
});

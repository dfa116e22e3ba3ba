import { afterEach, describe, expect, it } from "vitest";
import { utf8 } from "../../src/chain/encoding.ts";
import { entryHash } from "../../src/chain/leaf.ts";
import { parseTlogProof } from "../../src/chain/proof/tlog-proof.ts";
import { verifyEntryProof } from "../../src/chain/proof/verify-entry-proof.ts";
import { sha256 } from "../../src/sha256.ts";
import { verifyEd25519 } from "../../src/verify-ed25519.ts";
import { append, batchOf } from "../support/append.ts";
import { checkLedger } from "../support/check-ledger.ts";
import { call, createOrg, event } from "../support/client.ts";
import { breakTree, restoreFaults } from "../support/faults.ts";
import { at, checkpointOf, keysOf, originOf } from "./prove-support.ts";
import { orgKey, problemOf } from "./support.ts";

afterEach(restoreFaults);

describe("the proof of an entry", () => {
  const whole = {
    ...event(1, { id: "proved-1" }),
    actor: { type: "user", id: "u_1", name: "Jane", email: "jane@example.com" },
    context: { ip: "192.0.2.1" },
  };

  async function proofOf(org: string, id: string, key?: string) {
    const answer = await call("GET", at(org, `events/${id}/proof`), key === undefined ? {} : { key });
    expect(answer.status, answer.text).toBe(200);
    const report = await verifyEntryProof(
      { sha256, verifyEd25519 },
      { proof: answer.text, origin: originOf(org), keys: await keysOf(org) },
    );
    if (!report.ok) throw new Error(report.why);
    return { answer, report };
  }

  it("verifies offline, by id and by index, right after the append, and leaves a trace", async () => {
    const org = await createOrg("proof");
    const appended = await call("POST", at(org, "events"), { body: whole });
    const { index, entry_hash } = appended.json.data[0];
    const { answer, report } = await proofOf(org, "proved-1");
    expect(report).toMatchObject({ leaf: { index }, absences: [] });
    expect(Buffer.from(entryHash(sha256, report.record.leaf)).toString("base64url")).toBe(entry_hash);
    expect(JSON.parse(report.record.sections["context"]?.text ?? "")).toEqual({ ip: "192.0.2.1" });
    const traced = await call("GET", at(org, `events/${answer.headers.get("audit-read-index")}?`));
    expect(traced.json).toMatchObject({ action: "indelible.read", metadata: { route: "events.proof" } });
    expect(answer.headers.get("cache-control")).toBe("no-store");
    const { report: again } = await proofOf(org, String(index));
    expect(again.leaf).toEqual(report.leaf);
    await checkLedger(org, { archived: true });
  });

  it("withholds personal sections from a key without personal:read, and verifies all the same", async () => {
    const org = await createOrg("withheld");
    await call("POST", at(org, "events"), { body: whole });
    const { key } = await orgKey(org, ["events:read"]);
    const { answer, report } = await proofOf(org, "proved-1", key);
    const extra = Buffer.from(parseTlogProof(answer.text)?.extra ?? utf8("")).toString();
    for (const secret of ["Jane", "jane@example.com", "192.0.2.1"]) expect(extra).not.toContain(secret);
    const withheld = [
      { section: "actor/detail", cause: "withheld" },
      { section: "context", cause: "withheld" },
    ];
    expect(report.absences).toEqual(expect.arrayContaining(withheld));
    const { key: full } = await orgKey(org, ["events:read", "personal:read"]);
    expect((await proofOf(org, "proved-1", full)).report.absences).toEqual([]);
  });

  it("is 404, traced, for an entry that is not there, and 503 while no checkpoint can be made", async () => {
    const org = await createOrg("none");
    const missing = await call("GET", at(org, "events/nothing-like-this/proof"));
    problemOf({ ...missing, headers: missing.headers }, "not_found");
    expect(missing.headers.get("audit-read-index")).toMatch(/^\d+$/);
    breakTree(org, { method: "put", kind: "failed" });
    const refused = await call("GET", at(org, "events/0/proof"));
    problemOf(refused, "overloaded");
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  });
});

describe("min_size", () => {
  it("has a checkpoint made at once, and says 503 where there is none in time", async () => {
    const org = await createOrg("min");
    await append(org, batchOf([event(1)]));
    expect((await checkpointOf(org, 2)).size).toBe(2);
    const beyond = await call("GET", at(org, "checkpoint?min_size=3"));
    problemOf(beyond, "overloaded");
    expect(Number(beyond.headers.get("retry-after"))).toBeGreaterThan(0);
    await append(org, batchOf([event(2)]));
    breakTree(org, { method: "put", kind: "failed" });
    problemOf(await call("GET", at(org, "checkpoint?min_size=3")), "overloaded");
    expect((await call("GET", at(org, "checkpoint"))).text.split("\n")[1]).toBe("2");
    restoreFaults();
    expect((await checkpointOf(org, 3)).size).toBe(3);
  });

  it("keeps nobody waiting for longer than 5 s, though R2 hangs", async () => {
    const org = await createOrg("hangs");
    const fault = breakTree(org, { method: "put", kind: "hangs", times: 1 });
    const began = Date.now();
    problemOf(await call("GET", at(org, "checkpoint?min_size=1")), "overloaded");
    expect(Date.now() - began).toBeLessThan(8_000);
    expect(fault.hits).toBe(1);
  });
});

import { describe, expect, it } from "vitest";
import { utf8 } from "../../src/chain/encoding.ts";
import { parseTlogProof } from "../../src/chain/proof/tlog-proof.ts";
import { verifyEntryProof } from "../../src/chain/proof/verify-entry-proof.ts";
import { QUARANTINE_NOTES_MAX_SHOWN, QUARANTINES_MAX_STANDING } from "../../src/limits.ts";
import { sha256 } from "../../src/sha256.ts";
import { verifyEd25519 } from "../../src/verify-ed25519.ts";
import { keysOf, originOf } from "../http/prove-support.ts";
import { orgKey, problemOf } from "../http/support.ts";
import { actsOf, saysOf } from "../query/support.ts";
import { checkLedger } from "../support/check-ledger.ts";
import { call, createOrg } from "../support/client.ts";
import { evict } from "../support/faults.ts";
import { verified } from "../support/tamper.ts";
import { orgOf, WHY } from "./reads-support.ts";

const path = (org: string, more = "") => `/v1/orgs/${org}/quarantines${more}`;
const place = (org: string, body: Record<string, unknown>, key?: string) =>
  call("POST", path(org), { body: { reason: WHY, ...body }, ...(key === undefined ? {} : { key }) });
const release = (org: string, id: string, reason = "it was ours after all") =>
  call("POST", path(org, `/${id}/release`), { body: { reason } });
const listed = async (org: string) => (await call("GET", path(org))).json.data;

/** What the proof of an entry says of its sections. */
async function provenOf(org: string, index: number) {
  const { text } = await call("GET", `/v1/orgs/${org}/events/${index}/proof`);
  const crypto = { sha256, verifyEd25519 };
  const report = await verifyEntryProof(crypto, { proof: text, origin: originOf(org), keys: await keysOf(org) });
  if (!report.ok) throw new Error(report.why);
  const extra = Buffer.from(parseTlogProof(text)?.extra ?? utf8("")).toString();
  return { sections: Object.keys(report.record.sections), absences: report.absences, extra };
}

describe("a quarantine", () => {
  it("is placed, noted and released, each an entry with its reason and person", async () => {
    const org = await orgOf(5);
    const placed = await place(org, { from: 2, to: 4 });
    expect(placed.status, placed.text).toBe(201);
    const { id, at } = placed.json;
    expect(placed.json).toEqual({ id, log: 1, from: 2, to: 4, reason: WHY, by: "root", at, released: null, notes: [] });
    await evict(org);
    const noted = await call("POST", path(org, `/${id}/notes`), { body: { note: "of org b" } });
    expect(noted.status, noted.text).toBe(201);
    const released = await release(org, id);
    expect(released.json).toMatchObject({ released: { reason: "it was ours after all", by: "root" } });
    expect(await listed(org)).toEqual([released.json]);
    const acts = await Promise.all(
      ["placed", "annotated", "released"].map(async (verb) => (await actsOf(org, `indelible.quarantine.${verb}`))[0]),
    );
    expect(acts.map((act) => act?.targets[0]?.id)).toEqual([id, id, id]);
    expect(acts.map((act) => act?.note)).toEqual(
      [WHY, "of org b", "it was ours after all"].map((reason) => ({ reason })),
    );
    expect(saysOf(acts[0])).toEqual({ log: 1, from: 2, to: 4 });
    await checkLedger(org, { archived: true });
  });

  it("is one when it is asked for twice, released twice, or noted twice in the same words", async () => {
    const org = await orgOf(1);
    const first = await place(org, { from: 0, to: null });
    expect((await place(org, { from: 0, to: null })).json).toEqual(first.json);
    const { id } = first.json;
    for (let n = 0; n < 2; n++) await call("POST", path(org, `/${id}/notes`), { body: { note: "same" } });
    const released = await release(org, id);
    expect((await release(org, id, "again")).json).toEqual(released.json);
    expect(released.json.notes).toHaveLength(1);
    for (const verb of ["placed", "annotated", "released"]) {
      expect(await actsOf(org, `indelible.quarantine.${verb}`)).toHaveLength(1);
    }
    expect((await place(org, { from: 0, to: null })).json.id).not.toBe(id);
  });

  it("withholds every section from the proof of an entry, which verifies all the same; verification and tree go on", async () => {
    const org = await orgOf(5);
    const open = await provenOf(org, 3);
    const { id } = (await place(org, { from: 3, to: 4 })).json;
    const shut = await provenOf(org, 3);
    expect(shut.sections).toEqual([]);
    expect(shut.absences).toEqual(open.sections.map((section) => ({ section, cause: "withheld" })));
    expect(shut.extra).not.toContain("document.share");
    expect(await provenOf(org, 2)).toMatchObject({ absences: [] });
    expect(await verified(org)).toMatchObject({ ok: true, absent: { withheld: 0 } });
    await release(org, id);
    expect(await provenOf(org, 3)).toEqual(open);
  });

  it("over the open end covers what comes; of two that overlap each holds by itself", async () => {
    const org = await orgOf(3);
    const ends = (await place(org, { from: 3, to: null })).json.id;
    const second = (await place(org, { from: 2, to: 4 })).json.id;
    await call("POST", `/v1/orgs/${org}/events`, { body: { action: "later.on", actor: { type: "user", id: "u" } } });
    const shut = async (index: number) => (await provenOf(org, index)).sections.length === 0;
    const { size } = (await call("GET", `/v1/orgs/${org}/status`)).json.ingestion;
    expect([await shut(1), await shut(2), await shut(3), await shut(size - 1)]).toEqual([false, true, true, true]);
    await release(org, ends);
    expect([await shut(2), await shut(3), await shut(size - 1)]).toEqual([true, true, false]);
    await release(org, second);
    expect([await shut(2), await shut(3)]).toEqual([false, false]);
  });

  it("is for who has reads:write; one of another org is not there", async () => {
    const [org, other] = await Promise.all([createOrg("mine"), createOrg("theirs")]);
    const { key } = await orgKey(org, ["reads:write"]);
    const { key: weak } = await orgKey(org, ["events:read", "operate"]);
    const theirs = (await place(other, { from: 0, to: 1 })).json.id;
    for (const [method, more, body] of [
      ["GET", "", undefined],
      ["POST", "", { from: 0, to: 1, reason: WHY }],
      ["POST", `/${theirs}/release`, { reason: WHY }],
      ["POST", `/${theirs}/notes`, { note: WHY }],
    ] as const) {
      const reads = method === "GET";
      problemOf(await call(method, path(org, more), { body, key: reads ? key : weak }), "forbidden");
      problemOf(await call(method, path(other, more), { body, key: reads ? weak : key }), "not_found");
      if (more !== "") problemOf(await call(method, path(org, more), { body, key }), "not_found");
    }
    expect(await listed(org)).toEqual([]);
    expect(await listed(other)).toMatchObject([{ id: theirs, released: null, notes: [] }]);
  });

  it("is refused where it is not a window, and past the number that may stand at once", async () => {
    const org = await createOrg("bounds");
    for (const [body, at] of [
      [{ from: 3, to: 3 }, "/to"],
      [{ from: 3 }, "/to"],
      [{ from: -1, to: 3 }, "/from"],
      [{ from: 0, to: 3, reason: "" }, "/reason"],
    ] as const) {
      expect(problemOf(await place(org, body), "invalid_request").errors?.[0]?.pointer).toBe(at);
    }
    problemOf(await place(org, { from: 0, to: 1, log: 2 }), "unprocessable");
    const all = await Promise.all(
      Array.from({ length: QUARANTINES_MAX_STANDING + 5 }, (_, n) => place(org, { from: n, to: n + 1 })),
    );
    expect(all.filter(({ status }) => status === 201)).toHaveLength(QUARANTINES_MAX_STANDING);
    expect(all.filter(({ status }) => status === 422)).toHaveLength(5);
    const { id } = (await listed(org))[0];
    for (let n = 0; n < QUARANTINE_NOTES_MAX_SHOWN + 2; n++) {
      await call("POST", path(org, `/${id}/notes`), { body: { note: `note ${n}` } });
    }
    const [{ notes }] = await listed(org);
    expect(notes).toHaveLength(QUARANTINE_NOTES_MAX_SHOWN);
    expect(notes[0].note).toBe("note 2");
  });
});

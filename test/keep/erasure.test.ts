import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { putEvidence } from "../../src/archive/evidence.ts";
import { storeDeadLetter } from "../../src/ingest/dead-letters.ts";
import { termKeyOf, token } from "../../src/store/terms.ts";
import { made as madeExport, standing as exportNow } from "../export/support.ts";
import { viewerToken } from "../http/support.ts";
import { messageOf } from "../ingest/deliver.ts";
import { actsOf } from "../query/support.ts";
import { append, batchOf } from "../support/append.ts";
import { checkLedger, statusOf, untilProjected } from "../support/check-ledger.ts";
import { call, createOrg, event } from "../support/client.ts";
import { placesOf } from "../support/everywhere.ts";
import { CELLS, replaceMethod, restoreFaults } from "../support/faults.ts";
import { linesOf } from "../support/owner.ts";
import { strand } from "../support/strand.ts";
import { verified } from "../support/tamper.ts";
import { archived, erased, person } from "./erasure-support.ts";
import { config } from "./support.ts";

afterEach(restoreFaults);

describe("an erasure", () => {
  it("leaves nothing of its subject anywhere, and every proof as it was", async () => {
    const org = await createOrg("forget");
    const jane = person();
    const { type, id } = jane;
    const others = batchOf([
      event(1),
      event(2, { actor: jane, reason: `for ${jane.name}`, metadata: { sees: jane.email } }),
      event(3, { on_behalf_of: jane }),
      event(4, {
        targets: [
          { type: "doc", id: "d_1" },
          { type, id, name: jane.name, metadata: { of: jane.email } },
        ],
      }),
      event(5, { actor: { type: "robot", id } }),
    ]);
    await append(org, others);
    await untilProjected(org);
    // Whoever looks for her leaves traces that quote her; she reads as well.
    const ask = (query: string, key?: string) =>
      call("GET", `/v1/orgs/${org}/events?${query}`, key === undefined ? {} : { key });
    for (const query of [`actor=${id}`, `q=${encodeURIComponent(`"${jane.name}"`)}`, `q=${jane.email}`]) {
      expect((await ask(query)).status).toBe(200);
    }
    const { token: viewer } = await viewerToken(org, { actor: { type, id } });
    expect((await ask("limit=1", viewer)).status).toBe(200);
    const hold = await call("POST", `/v1/orgs/${org}/holds`, { body: { reason: "a case", filter: { actor: id } } });
    await call("POST", `/v1/orgs/${org}/holds/${hold.json.id}/release`, { body: { reason: "over" } });
    await archived(org);
    const made = await madeExport(org);
    expect(made.state).toBe("done");
    const hers = await madeExport(org, { format: "csv", reason: "a look", filter: { actor: id } });
    // Never sequenced, and found in D1 where it did not belong.
    const refusal = { code: "unprocessable", detail: "no" } as const;
    const letter = { org, refusal, state: "dead", attempts: 1 } as const;
    const alone = messageOf(org, [event(1, { actor: jane })]);
    const among = messageOf(org, [event(7), event(8, { targets: [{ type, id }] }), event(9)]);
    for (const { id: message, text } of [alone, among]) {
      await storeDeadLetter(config, { ...letter, id: `dl_${message}`, text });
    }
    const { log } = await statusOf(org);
    const at = new Date().toISOString();
    await putEvidence(env.ARCHIVE, { log, at, n: 0 }, { found: (await linesOf(org))[2], kind: "extra" });
    await putEvidence(env.ARCHIVE, { log, at, n: 1 }, { found: (await linesOf(org))[1], kind: "extra" });
    await archived(org);

    const before = await checkLedger(org, { archived: true });
    const note = (await call("GET", `/v1/orgs/${org}/checkpoint`)).text;
    const proof = await call("GET", `/v1/orgs/${org}/events/2/proof`);
    expect(await placesOf(org, [id])).not.toEqual([]);
    expect(await placesOf(org, [id.replaceAll(/[_-]/g, "+")])).not.toEqual([]);
    const { id: erasure, certificate } = await erased(org, { subject: { type, id }, sections: ["note", "metadata"] });

    // A search string is kept as its words.
    const words = id.replaceAll(/[_-]/g, "+");
    expect(await placesOf(org, [jane.name, jane.email, words])).toEqual([]);
    // A robot of the same id is somebody else.
    const robot = (await placesOf(org, [id])).filter((place) => !/segment|staged|^R2 seg|entry_/.test(place));
    expect(robot).toEqual([]);
    const { entries } = await checkLedger(org, { archived: true });
    expect(entries[5]?.gone).toEqual([]);
    expect(entries[2]?.gone).toEqual(["actor", "actor/detail", "metadata", "note"]);
    expect(entries[3]?.gone).toEqual(["metadata", "on_behalf_of", "on_behalf_of/detail"]);
    expect(entries[4]?.gone).toEqual(["metadata", "target/1", "target/1/detail"]);
    expect(entries.filter(({ line }) => line.includes(id)).map(({ index }) => index)).toEqual([5]);

    for (const { index, hash } of before.entries) expect(entries[index]?.hash).toBe(hash);
    const size = Number(note.split("\n")[1]);
    const kept = await env.ARCHIVE.get(`tree/${log}/checkpoint/${String(size).padStart(10, "0")}`);
    expect(await kept?.text()).toBe(note);
    expect(proof.status).toBe(200);
    expect(await verified(org)).toMatchObject({ ok: true, breaks: [] });

    const { removed, causes, elsewhere, held } = certificate;
    expect(elsewhere).toEqual({ exports: 2, dead_letters: 2, evidence: 1, read_sessions: 4, held: 0 });
    expect(held).toEqual({ entries: 0, indexes: [] });
    expect(removed.entries).toBe(entries.filter(({ gone }) => gone.length > 0).length);
    expect(removed.sections).toBe(entries.reduce((sum, { gone }) => sum + gone.length, 0));
    for (const { index } of causes) expect(entries[index]).toMatchObject({ action: "indelible.erasure.begun" });
    expect(entries[certificate.ended_index]).toMatchObject({ action: "indelible.erasure.ended" });
    expect((await exportNow(org, made.id)).state).toBe("withdrawn");
    expect(await exportNow(org, hers.id)).toMatchObject({ state: "withdrawn", filter: null });
    expect((await call("POST", `/v1/dead-letters/dl_${among.id}/replay`)).status).toBe(200);
    expect((await call("POST", `/v1/dead-letters/dl_${alone.id}/replay`)).status).toBe(500);
    const listed = await call("GET", `/v1/orgs/${org}/erasures`);
    expect(listed.json.data).toMatchObject([{ id: erasure, state: "done", reason: "she asked for it" }]);
  });

  it("takes the search tokens of what went out of the pages of the index", async () => {
    const org = await createOrg("tokens");
    const jane = person();
    await append(org, batchOf([event(1, { actor: jane }), event(2)]));
    await archived(org);
    const name = token(termKeyOf(env.INDEX_KEY, org), "actor", jane.id);
    // What a token shares with the one before it in a page is not written again.
    const end = name.slice(4);
    const inPages = async () => {
      const found: string[] = [];
      for (const cell of CELLS) {
        for (let n = 0; n < 16; n++) {
          const table = `term_${String(n).padStart(2, "0")}_data`;
          const { results } = await cell.prepare(`select block from ${table}`).all<{ block: number[] }>();
          if (results.some(({ block }) => Buffer.from(block).toString("latin1").includes(end))) found.push(table);
        }
      }
      return found;
    };
    expect(await inPages()).toHaveLength(1);
    await erased(org, { subject: { type: jane.type, id: jane.id } });
    expect(await inPages()).toEqual([]);
    const found = await call("GET", `/v1/orgs/${org}/events?actor=${jane.id}`);
    expect(found.json.data).toEqual([]);
  });

  it("leaves what a hold covers, counts it, and takes it once the hold is gone", async () => {
    const org = await createOrg("held");
    const jane = person();
    const subject = { type: jane.type, id: jane.id };
    await append(org, batchOf([event(1, { actor: jane, action: "case.open" }), event(2, { actor: jane }), event(3)]));
    await archived(org);
    const body = { reason: "a case", filter: { action: "case.open" } };
    const hold = await call("POST", `/v1/orgs/${org}/holds`, { body });
    const first = await erased(org, { subject });
    expect(first.certificate.held).toEqual({ entries: 1, indexes: [{ log: 1, index: 1 }] });
    const { entries } = await checkLedger(org, { archived: true });
    expect(entries.slice(0, 4).map(({ gone }) => gone.length)).toEqual([0, 0, 2, 0]);
    await call("POST", `/v1/orgs/${org}/holds/${hold.json.id}/release`, { body: { reason: "over" } });
    const second = await erased(org, { subject });
    expect(second.certificate).toMatchObject({ held: { entries: 0 }, removed: { entries: 1, sections: 2 } });
    expect(await placesOf(org, [jane.id])).toEqual([]);
  });

  it("respects a hold that is placed after the cause was sealed", async () => {
    const org = await createOrg("late-hold");
    const jane = person();
    await append(org, batchOf([event(1, { actor: jane, action: "case.open" }), event(2, { actor: jane })]));
    await archived(org);
    const { log } = await statusOf(org);
    const body = { reason: "a case", filter: { action: "case.open" } };
    let placed: number | null = null;
    // The segment is written anew, and the ledger has not taken it yet.
    replaceMethod(env.ARCHIVE, "put", async (original, args) => {
      if (placed === null && String(args[0]).startsWith(`seg/${log}/0000000000-`)) {
        placed = 0;
        placed = (await call("POST", `/v1/orgs/${org}/holds`, { body })).status;
      }
      return original(...args);
    });
    const { certificate } = await erased(org, { subject: { type: jane.type, id: jane.id } });
    expect(placed).toBe(201);
    const { entries } = await checkLedger(org, { archived: true });
    expect(entries.slice(0, 3).map(({ gone }) => gone.length)).toEqual([0, 0, 2]);
    // What went is counted, not what its list names.
    const removed = { entries: 1, sections: 2 };
    expect(certificate).toMatchObject({ held: { entries: 1 }, removed, causes: [{ ...removed, held: 1 }] });
    const ended = await actsOf(org, "indelible.erasure.ended");
    expect(ended.map(({ metadata }) => JSON.parse(metadata ?? ""))).toMatchObject([{ removed, held: 1 }]);
  });

  it("reaches into the logs that were continued", async () => {
    const org = await createOrg("continued");
    const jane = person();
    const events = [event(1, { actor: jane }), event(2)];
    await append(org, batchOf(events));
    await archived(org);
    await strand(org);
    const continued = await call("POST", `/v1/orgs/${org}/continue`, { body: { reason: "an entry is gone" } });
    expect(continued.status, continued.text).toBe(201);
    await append(org, batchOf(events));
    await archived(org);
    const { certificate } = await erased(org, { subject: { type: jane.type, id: jane.id } });
    expect(certificate.causes).toMatchObject([
      { log: 2, of_log: 1, entries: 1 },
      { log: 2, of_log: 2, entries: 1 },
    ]);
    expect(await placesOf(org, [jane.id])).toEqual([]);
    const [cause] = certificate.causes;
    const first = await call("GET", `/v1/orgs/${org}/1/events/1`);
    const absent = ["actor", "actor/detail"].map((section) => ({ section, cause: "erased", by: cause?.index, log: 2 }));
    expect(first.json).toMatchObject({ actor: { id: null }, absent });
    const report = (await call("GET", `/v1/orgs/${org}/1/verify`)).text.trim().split("\n").at(-1) ?? "";
    expect(JSON.parse(report)).toMatchObject({ breaks: [] });
    expect(await verified(org)).toMatchObject({ ok: true, breaks: [] });
    const list = await call("GET", `/v1/orgs/${org}/2/absences/${cause?.list}`);
    expect(list.text).toBe("1 actor\n1 actor/detail\n");
  });
});

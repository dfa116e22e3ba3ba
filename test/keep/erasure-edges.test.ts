import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { putEvidence } from "../../src/archive/evidence.ts";
import { type AnyKind, KINDS } from "../../src/jobs/kinds.ts";
import { storeDeadLetter } from "../../src/ingest/dead-letters.ts";
import { ALL, asked as askedExport, made as madeExport, standing as exportNow } from "../export/support.ts";
import { messageOf } from "../ingest/deliver.ts";
import { append, batchOf } from "../support/append.ts";
import { checkLedger, later, statusOf } from "../support/check-ledger.ts";
import { call, createOrg, event, freshOrg } from "../support/client.ts";
import { splitSegments } from "../support/cool.ts";
import { placesOf } from "../support/everywhere.ts";
import { replaceMethod, restoreFaults } from "../support/faults.ts";
import { finishJob } from "../support/jobs.ts";
import { linesOf } from "../support/owner.ts";
import { verified } from "../support/tamper.ts";
import { archived, asked, erased, person, standing } from "./erasure-support.ts";
import { daysPass, kept, keptOrg, ran, stopClock } from "./retention-support.ts";
import { config } from "./support.ts";

afterEach(() => {
  restoreFaults();
  vi.useRealTimers();
});

describe("an erasure", () => {
  it("of somebody nobody knows removes nothing, and says so", async () => {
    const org = await createOrg("nobody");
    const { certificate } = await erased(org, { subject: { type: "user", id: "u_nobody-at-all" } });
    expect(certificate).toMatchObject({ causes: [], removed: { entries: 0, sections: 0 } });
    await checkLedger(org, { archived: true });
  });

  it("finds ids that JSON escapes, and no others that look like them", async () => {
    const org = await createOrg("escaped");
    const odd = `${freshOrg("u")}"\\/é\u2028`;
    const near = `${odd}x`;
    await append(
      org,
      batchOf([event(1, { actor: { type: "user", id: odd } }), event(2, { actor: { type: "user", id: near } })]),
    );
    await archived(org);
    await erased(org, { subject: { type: "user", id: odd } });
    const { entries } = await checkLedger(org, { archived: true });
    expect(entries.slice(0, 3).map(({ gone }) => gone)).toEqual([[], ["actor"], []]);
  });

  it("goes through a log whose segments hold an entry each many at a time", async () => {
    const org = await createOrg("quiet");
    const jane = person();
    const events = Array.from({ length: 150 }, (_, n) => event(n, n % 50 === 0 ? { actor: jane } : {}));
    await append(org, batchOf(events));
    await archived(org);
    await splitSegments(org);
    let searches = 0;
    replaceMethod(KINDS.erasure as AnyKind, "step", (original, [context, request, progress]) => {
      if (context.org === org && progress?.phase === "search") searches++;
      return original(context, request, progress);
    });
    const { certificate } = await erased(org, { subject: { type: jane.type, id: jane.id } });
    expect(certificate.removed.entries).toBe(3);
    // Two rounds of 150 segments, and the entries that say so.
    expect(searches).toBeLessThan(10);
    expect(await placesOf(org, [jane.id])).toEqual([]);
    expect(await verified(org)).toMatchObject({ ok: true, breaks: [] });
  });

  it("lets two of one person run at once, and is the same", async () => {
    const org = await createOrg("twice");
    const jane = person();
    await append(org, batchOf([event(1, { actor: jane }), event(2, { targets: [jane] })]));
    await archived(org);
    const subject = { type: jane.type, id: jane.id };
    const { id: one } = await asked(org, { subject });
    const { id: two } = await asked(org, { subject });
    await finishJob(org, "erasure", one);
    await finishJob(org, "erasure", two);
    const sum = async (id: string) => (await standing(org, id)).certificate?.removed.entries ?? 0;
    expect((await sum(one)) + (await sum(two))).toBeGreaterThanOrEqual(2);
    await checkLedger(org, { archived: true });
    expect(await placesOf(org, [jane.id])).toEqual([]);
    expect(await verified(org)).toMatchObject({ ok: true, breaks: [] });
  });

  it("lets an export that is being made begin anew", async () => {
    const org = await createOrg("exporting");
    const jane = person();
    await append(org, batchOf([event(1, { actor: jane }), event(2)]));
    await archived(org);
    await erased(org, { subject: { type: jane.type, id: jane.id } });
    const made = await madeExport(org);
    expect(made.state).toBe("done");
    expect(await placesOf(org, [jane.id])).toEqual([]);
    const running = await askedExport(org);
    await finishJob(org, "export", running.id);
    expect((await exportNow(org, running.id)).state).toBe("done");
  });

  it("takes back an export that holds no entry and quotes somebody in its question or its reason", async () => {
    const org = await createOrg("asking");
    const jane = person();
    await append(org, batchOf([event(1, { actor: jane }), event(2)]));
    await archived(org);
    const nothing = { ...ALL, filter: { actor: jane.id, action: "no.such" } };
    const [question, reason, other] = [
      await madeExport(org, nothing),
      await madeExport(org, { ...nothing, reason: `about "${jane.name}"`, filter: { action: "no.such" } }),
      await madeExport(org, { ...nothing, filter: { actor: `${jane.id}x`, action: "no.such" } }),
    ];
    expect(question).toMatchObject({ state: "done", rows: 0 });
    const running = await askedExport(org, { ...ALL, filter: { actor: jane.id } });
    await archived(org);
    const { certificate } = await erased(org, { subject: { type: jane.type, id: jane.id } });
    expect(certificate.elsewhere.exports).toBe(3);
    expect(await exportNow(org, question.id)).toMatchObject({ state: "withdrawn", filter: null, reason: "(erased)" });
    expect(await exportNow(org, reason.id)).toMatchObject({ state: "withdrawn", reason: "(erased)" });
    expect(await exportNow(org, other.id)).toMatchObject({ state: "done", reason: ALL.reason });
    expect(await exportNow(org, running.id)).toMatchObject({ filter: null, links: null });
    const places = await placesOf(org, [`"${jane.id}"`, jane.name]);
    expect(places.filter((place) => !place.includes(other.id))).toEqual([]);
  });

  it("forgets why somebody read, if that quotes the subject, and names of three characters", async () => {
    const org = await createOrg("reasons");
    const jane = { ...person(), name: "김철수" };
    await append(org, batchOf([event(1, { actor: jane }), event(2)]));
    await archived(org);
    const read = (query: string, reason: string) =>
      call("GET", `/v1/orgs/${org}/events?limit=1${query}`, {
        headers: { "audit-reason": reason },
      });
    for (const reason of [`asked by ${jane.id}`, "for mail to Al", "a look"]) await read("", reason);
    await read(`&q=${encodeURIComponent('"김철수"')}`, "who");
    await read(`&q=${encodeURIComponent("김철수님")}`, "who");
    await read(`&q=${encodeURIComponent("김철민")}`, "another");
    await archived(org);
    await erased(org, { subject: { type: jane.type, id: jane.id } });
    expect(await placesOf(org, [jane.id])).toEqual([]);
    const notes = (await linesOf(org)).map((line) => JSON.parse(line).sections.note?.text ?? "");
    const reads = notes.filter((note) => note.includes("query"));
    expect(reads.map((note) => JSON.parse(note).reason)).toEqual(["for mail to Al", "a look", "another"]);
  });

  it("leaves messages and findings that a hold may cover, and takes them once it is gone", async () => {
    const org = await createOrg("held-elsewhere");
    const jane = person();
    const subject = { type: jane.type, id: jane.id };
    await append(org, batchOf([event(1, { actor: jane }), event(2, { actor: jane, action: "case.open" })]));
    await archived(org);
    const letter = messageOf(org, [event(1, { actor: jane })]);
    const refusal = { code: "unprocessable", detail: "no" } as const;
    await storeDeadLetter(config, {
      org,
      refusal,
      state: "dead",
      attempts: 1,
      id: `dl_${letter.id}`,
      text: letter.text,
    });
    const { log } = await statusOf(org);
    const lines = await linesOf(org);
    for (const [n, found] of [lines[1], lines[2], `${jane.id} {`].entries()) {
      await putEvidence(
        env.ARCHIVE,
        { log, at: new Date().toISOString(), n },
        { log, index: Math.min(n + 1, 2), found },
      );
    }
    const hold = async (body: object) => (await call("POST", `/v1/orgs/${org}/holds`, { body })).json.id;
    const release = (id: string) => call("POST", `/v1/orgs/${org}/holds/${id}/release`, { body: { reason: "over" } });
    const all = await hold({ reason: "everything" });
    expect((await erased(org, { subject })).certificate).toMatchObject({
      held: { entries: 2 },
      elsewhere: { dead_letters: 0, evidence: 0, held: 4 },
    });
    await hold({ reason: "a case", before_index: 3, filter: { action: "case.open" } });
    await release(all);
    expect((await erased(org, { subject })).certificate).toMatchObject({
      held: { entries: 1 },
      elsewhere: { dead_letters: 1, evidence: 1, held: 2 },
    });
  });

  it("takes back an export of entries that have expired since", async () => {
    stopClock();
    const jane = person();
    const org = await keptOrg([kept("login", 1, { actor: jane }), kept("telemetry", 2)]);
    const [before, other] = [
      await madeExport(org),
      await madeExport(org, { ...ALL, filter: { action: "telemetry.done" } }),
    ];
    daysPass(5);
    await ran(org);
    await archived(org);
    expect(await exportNow(org, before.id)).toMatchObject({ state: "done" });
    const { certificate } = await erased(org, { subject: { type: jane.type, id: jane.id } });
    expect(certificate).toMatchObject({ removed: { entries: 0, sections: 0 }, elsewhere: { exports: 1 } });
    expect(await exportNow(org, before.id)).toMatchObject({ state: "withdrawn", links: null });
    expect(await exportNow(org, other.id)).toMatchObject({ state: "done" });
    expect(await placesOf(org, [jane.id])).toEqual([]);
  });

  it("forgets whom it was about once it is over, in its own row as well", async () => {
    const org = await createOrg("row");
    const jane = person();
    await append(org, batchOf([event(1, { actor: jane })]));
    await archived(org);
    const { id } = await asked(org, { subject: { type: jane.type, id: jane.id } });
    expect(await placesOf(org, [jane.id])).toContainEqual(expect.stringMatching(/^ORG_JOBS/));
    await finishJob(org, "erasure", id);
    expect(await placesOf(org, [jane.id])).toEqual([]);
    expect((await later(0, () => standing(org, id))).certificate?.remains.length).toBeGreaterThan(0);
  });
});

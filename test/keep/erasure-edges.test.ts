import { afterEach, describe, expect, it } from "vitest";
import { asked as askedExport, made as madeExport, standing as exportNow } from "../export/support.ts";
import { append, batchOf } from "../support/append.ts";
import { checkLedger, later } from "../support/check-ledger.ts";
import { createOrg, event, freshOrg } from "../support/client.ts";
import { placesOf } from "../support/everywhere.ts";
import { restoreFaults } from "../support/faults.ts";
import { finishJob } from "../support/jobs.ts";
import { verified } from "../support/tamper.ts";
import { archived, asked, erased, person, standing } from "./erasure-support.ts";

afterEach(restoreFaults);

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

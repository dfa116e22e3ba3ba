import { afterEach, describe, expect, it } from "vitest";
import { type AnyKind, KINDS } from "../../src/jobs/kinds.ts";
import { ALL, made as madeExport, standing as exportNow } from "../export/support.ts";
import { actsOf, saysOf } from "../query/support.ts";
import { checkLedger } from "../support/check-ledger.ts";
import { must } from "../support/check/check-entry.ts";
import { call, createOrg } from "../support/client.ts";
import { placesOf } from "../support/everywhere.ts";
import { replaceMethod, restoreFaults } from "../support/faults.ts";
import { finishJob, jobOf, stepJobs } from "../support/jobs.ts";
import { archived, asked, erased, standing } from "./erasure-support.ts";
import { ENTRIES, expectEven, janes, partWay, type Progress } from "./part-erased.ts";

afterEach(restoreFaults);

/** Does something once, after the first step of an org's erasure of which `when` is so. */
function after(org: string, when: (progress: Progress) => boolean, act: () => Promise<unknown>): void {
  let done = false;
  replaceMethod(KINDS.erasure as AnyKind, "step", async (original, [context, request, progress]) => {
    const taken = await original(context, request, progress);
    if (!done && context.org === org && "progress" in taken && when(taken.progress as Progress)) {
      done = true;
      await act();
    }
    return taken;
  });
}

/** Takes the steps that clear up after a job. */
async function settled(org: string, id: string) {
  await finishJob(org, "erasure", id);
  await expect
    .poll(async () => {
      await stepJobs(org);
      return (await standing(org, id)).certificate;
    })
    .not.toBeNull();
  const { certificate, ...answer } = await standing(org, id);
  must(certificate !== null, "a certificate");
  return { ...answer, certificate };
}

const cancel = (org: string, id: string, key?: string) =>
  call("POST", `/v1/orgs/${org}/erasures/${id}/cancel`, key === undefined ? {} : { key });

const issued = async (org: string, scopes: string[]) =>
  (await call("POST", `/v1/orgs/${org}/keys`, { body: { name: "a key", scopes } })).json as { id: string; key: string };

describe("an erasure that is cancelled", () => {
  it("takes no more, and all stores say the same of what went and what stayed", async () => {
    const { org, subject, jane } = await janes();
    const copy = await madeExport(org, { ...ALL, filter: { action: "document.share" } });
    await archived(org);
    let answered: unknown;
    const { id } = await asked(org, { subject });
    after(org, partWay, async () => {
      answered = (await cancel(org, id)).json;
    });
    const { state, error, certificate } = await settled(org, id);
    expect(answered).toMatchObject({ id, state: "cancelled", ended_at: expect.any(String), certificate: null });
    expect([state, error]).toEqual(["cancelled", null]);
    await expectEven(org, certificate);
    const [ended] = await actsOf(org, "indelible.erasure.ended");
    const { removed, causes } = certificate;
    expect(saysOf(ended)).toMatchObject({ state: "cancelled", removed, held: 0 });
    expect([ended?.actor?.id, ended?.leaf.index]).toEqual(["root", certificate.ended_index]);
    expect(causes).toHaveLength(1);
    const told = await call("GET", `/v1/orgs/${org}/events/${certificate.ended_index}`);
    expect(told.json.summary).toMatch(
      /^Key root cancelled an erasure, which had erased \d+ sections of \d+ entries\.$/,
    );
    expect((await exportNow(org, copy.id)).state).toBe("withdrawn");
    // Its row knows nobody; whoever asks again gets the rest.
    expect((await placesOf(org, [jane.id])).filter((place) => /ORG_JOBS/.test(place))).toEqual([]);
    const again = await erased(org, { subject });
    expect(again.certificate.removed.entries).toBeGreaterThanOrEqual(ENTRIES - removed.entries);
    expect(await placesOf(org, [jane.id])).toEqual([]);
  });

  it("before it began has taken nothing, and that is in the log", async () => {
    const { org, subject } = await janes();
    const { id } = await asked(org, { subject });
    await cancel(org, id);
    const { certificate } = await settled(org, id);
    expect(certificate).toMatchObject({ causes: [], removed: { entries: 0, sections: 0, quoting: 0 } });
    const ended = await actsOf(org, "indelible.erasure.ended");
    expect(ended.map(saysOf)).toMatchObject([{ state: "cancelled" }]);
    await checkLedger(org, { archived: true });
  });

  it("twice, or when it is over, stays as it is", async () => {
    const { org, subject } = await janes();
    const { id } = await asked(org, { subject });
    await cancel(org, id);
    const first = await settled(org, id);
    expect((await cancel(org, id)).json).toEqual(await standing(org, id));
    await stepJobs(org);
    expect(await standing(org, id)).toMatchObject({ ended_at: first.ended_at, certificate: first.certificate });
    const other = await erased(org, { subject });
    const late = await cancel(org, other.id);
    expect([late.status, late.json.state]).toEqual([200, "done"]);
    expect(await actsOf(org, "indelible.erasure.ended")).toHaveLength(2);
  });

  it("by a key without the scope, or of another org, goes on", async () => {
    const [{ org, subject }, other] = [await janes(), await createOrg("other")];
    const { id } = await asked(org, { subject });
    const { key } = await issued(org, ["exports:write", "policy:write"]);
    expect((await cancel(org, id, key)).status).toBe(403);
    const { key: foreign } = await issued(other, ["erasures:write"]);
    const unknown = await cancel("no-such-org", id, foreign);
    const refused = await cancel(org, id, foreign);
    expect([refused.status, refused.text.replaceAll(/req_\w+/g, "")]).toEqual([
      404,
      unknown.text.replaceAll(/req_\w+/g, ""),
    ]);
    expect((await cancel(other, id, foreign)).status).toBe(404);
    await finishJob(org, "erasure", id);
    expect((await standing(org, id)).state).toBe("done");
  });
});

describe("an erasure whose key is revoked", () => {
  it("before its first step takes nothing", async () => {
    const { org, subject } = await janes();
    const { id: key, key: secret } = await issued(org, ["erasures:write"]);
    const body = { reason: "she asked for it", subject };
    let revoked = false;
    const real = replaceMethod(KINDS.erasure as AnyKind, "step", async (original, args) => {
      if (args[0].org === org && !revoked) {
        revoked = true;
        expect((await call("DELETE", `/v1/orgs/${org}/keys/${key}`)).status).toBeLessThan(300);
      }
      return original(...args);
    });
    const { id } = (await call("POST", `/v1/orgs/${org}/erasures`, { body, key: secret })).json;
    const { state, error, certificate } = await settled(org, id);
    expect([state, error]).toEqual(["failed", "The key that asked for it was revoked, or may not do so any more."]);
    expect(certificate).toMatchObject({ causes: [], removed: { entries: 0 } });
    expect(await actsOf(org, "indelible.erasure.begun")).toEqual([]);
    real.restore();
  });

  it("while a cause is carried out ends with what went until then, and says why", async () => {
    const { org, subject } = await janes();
    const { id: key, key: secret } = await issued(org, ["erasures:write"]);
    const body = { reason: "she asked for it", subject };
    after(org, partWay, () => call("DELETE", `/v1/orgs/${org}/keys/${key}`));
    const { id } = (await call("POST", `/v1/orgs/${org}/erasures`, { body, key: secret })).json;
    const { state, error, certificate } = await settled(org, id);
    expect(state).toBe("failed");
    await expectEven(org, certificate);
    const [ended] = await actsOf(org, "indelible.erasure.ended");
    expect(saysOf(ended)).toMatchObject({ state: "failed", error, removed: certificate.removed });
    expect(ended?.actor).toMatchObject({ type: "service", id: "erasure" });
    expect((await jobOf(org, "erasure", id)).progress).toBeNull();
  });
});

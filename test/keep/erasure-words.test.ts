import { afterEach, describe, expect, it } from "vitest";
import { orgKey } from "../http/support.ts";
import { close, reads, reopen } from "../policy/reads-support.ts";
import { call, event } from "../support/client.ts";
import { append, batchOf } from "../support/append.ts";
import { checkLedger, wake } from "../support/check-ledger.ts";
import { placesOf } from "../support/everywhere.ts";
import { evict, restoreFaults } from "../support/faults.ts";
import { rewindTo, snapshotOf } from "../support/rewind.ts";
import { filled, rowAt, verified, write } from "../support/tamper.ts";
import { archived, erased, person } from "./erasure-support.ts";

afterEach(restoreFaults);

const GONE = "(erased)";

/** An org whose reads are closed, with a wish to open them, and with quarantines and holds, each for reasons that quote somebody: by id, by name, by address. */
async function quoting() {
  const { org, cell } = await filled();
  const { id, name, email, type } = person();
  await append(org, batchOf([event(1, { actor: { type, id, name, email } })]));
  await archived(org);
  const before = await snapshotOf(org);
  const post = async (path: string, body: Record<string, unknown>) => {
    const answer = await call("POST", `/v1/orgs/${org}/${path}`, { body });
    expect([200, 201], answer.text).toContain(answer.status);
    return answer.json.id as string;
  };
  const one = await post("quarantines", { from: 1, to: 2, reason: `about ${id}` });
  await post(`quarantines/${one}/notes`, { note: `${email} asked` });
  await post(`quarantines/${one}/notes`, { note: "nothing new" });
  const other = await post("quarantines", { from: 2, to: 3, reason: "a mistake" });
  await post(`quarantines/${other}/release`, { reason: `said ${name}` });
  const hold = await post("holds", { reason: `for ${name}`, filter: { actor: "u_nobody" } });
  await post(`holds/${hold}/release`, { reason: "over" });
  await close(org, { reason: `${name} saw others' entries` });
  const { record } = await rowAt(cell, 5);
  await write(cell, 5, record.replace("because", "becausE"));
  await verified(org);
  await orgKey(org, ["reads:write"]);
  expect((await reopen(org, { accept_breaks: true, reason: `${id} has to see it` })).status).toBe(202);
  await write(cell, 5, record);
  await archived(org);
  const said = await snapshotOf(org);
  return { org, before, said, subject: { type, id }, texts: [id, name, email] };
}

/** What the lists of an org say by now. */
async function listsOf(org: string) {
  const get = async (path: string) => (await call("GET", `/v1/orgs/${org}/${path}`)).json.data;
  return { quarantines: await get("quarantines"), holds: await get("holds"), reads: (await reads(org)).json };
}

const FORGOTTEN = {
  quarantines: [
    { reason: GONE, notes: [{ note: GONE }, { note: "nothing new" }], released: null },
    { reason: "a mistake", released: { reason: GONE } },
  ],
  holds: [{ reason: GONE, filter: {}, released: { reason: "over" } }],
};

describe("what a ledger lists", () => {
  it("quotes nobody who was erased: not in quarantines, closed reads, the wish to open them, nor released holds", async () => {
    const { org, subject, texts } = await quoting();
    expect(await placesOf(org, texts)).not.toEqual([]);
    const { certificate } = await erased(org, { subject });
    expect(certificate.removed.entries).toBe(7);
    expect(await placesOf(org, texts)).toEqual([]);
    const reads = { enabled: false, reason: GONE, pending: { reason: GONE } };
    expect(await listsOf(org)).toMatchObject({ ...FORGOTTEN, reads });
    const told = await call("GET", `/v1/orgs/${org}/events`);
    expect([told.status, told.json.reads.reason]).toEqual([503, GONE]);
    await evict(org);
    expect(await listsOf(org)).toMatchObject({ ...FORGOTTEN, reads });
    await checkLedger(org, { archived: true });
  });

  it.each(["was not said yet", "was said"])("says none of it again when it is set back to when it %s", async (when) => {
    const { org, before, said, subject, texts } = await quoting();
    await erased(org, { subject });
    await archived(org);
    await rewindTo(org, when === "was said" ? said : before);
    await wake(org);
    expect(await listsOf(org)).toMatchObject({ ...FORGOTTEN, reads: { enabled: false, reason: GONE } });
    await archived(org);
    expect(await placesOf(org, texts)).toEqual([]);
  });
});

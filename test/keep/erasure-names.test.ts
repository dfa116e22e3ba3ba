import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import { ERASURE_MAX_NAMES } from "../../src/limits.ts";
import { ALL, made as madeExport, standing as exportNow } from "../export/support.ts";
import { actsOf, entriesOf, saysOf } from "../query/support.ts";
import { append, batchOf } from "../support/append.ts";
import { checkLedger, untilProjected } from "../support/check-ledger.ts";
import { call, createOrg, event, freshOrg } from "../support/client.ts";
import { placesOf } from "../support/everywhere.ts";
import { restoreFaults } from "../support/faults.ts";
import { archived, erased, person } from "./erasure-support.ts";

afterEach(restoreFaults);

const REASON = "quarterly review";

/** An org in which others said "quarterly review", and somebody chose that for a name. */
async function reviewed() {
  const org = await createOrg("reviewed");
  const mallory = { type: "user", id: freshOrg("u_mallory"), name: "Quarterly Review", email: "m@example.com" };
  await append(org, batchOf([event(1, { actor: mallory })]));
  await untilProjected(org);
  const read = (query: string) =>
    call("GET", `/v1/orgs/${org}/events?${query}`, { headers: { "audit-reason": REASON } });
  expect((await read("q=invoice")).status).toBe(200);
  expect((await read(`actor=${mallory.id}`)).status).toBe(200);
  const hold = await call("POST", `/v1/orgs/${org}/holds`, { body: { reason: REASON, filter: { actor: "nobody" } } });
  await call("POST", `/v1/orgs/${org}/holds/${hold.json.id}/release`, { body: { reason: `${REASON} is over` } });
  const copy = await madeExport(org, { ...ALL, reason: REASON, filter: { action: "no.such" } });
  await archived(org);
  return { org, subject: { type: mallory.type, id: mallory.id }, copy };
}

/** Acts of others whose note is there, of reads, holds and exports. */
async function saying(org: string): Promise<number> {
  return (await entriesOf(org)).filter(({ note }) => note?.reason?.startsWith(REASON) === true).length;
}

describe("what the service says of its own", () => {
  it("loses its note where it quotes what entries call the subject, and that is counted apart", async () => {
    const { org, subject, copy } = await reviewed();
    expect(await saying(org)).toBe(5);
    const { certificate } = await erased(org, { subject });
    expect(await saying(org)).toBe(0);
    const { removed, causes } = certificate;
    // The entry of the subject, two reads with their ends, a hold twice, and what was asked for.
    const quoting = removed.entries - 1;
    expect(quoting).toBeGreaterThanOrEqual(5);
    expect(removed.quoting).toBe(quoting);
    expect(causes.reduce((sum, cause) => sum + cause.quoting, 0)).toBe(quoting);
    const [ended] = await actsOf(org, "indelible.erasure.ended");
    expect(saysOf(ended)).toMatchObject({ state: "done", removed: { quoting }, names_left: 0 });
    expect(await exportNow(org, copy.id)).toMatchObject({
      state: "withdrawn",
      error: "Its filter or reason quoted somebody who was erased.",
    });
    await checkLedger(org, { archived: true });
  });

  it("is looked through for the id alone where no names are given", async () => {
    const { org, subject, copy } = await reviewed();
    const { certificate } = await erased(org, { subject, names: [] });
    // Whoever looked for the id quoted it.
    expect(await saying(org)).toBe(4);
    expect(certificate.removed).toMatchObject({ quoting: certificate.removed.entries - 1 });
    expect(await exportNow(org, copy.id)).toMatchObject({ state: "done", reason: REASON });
    expect(await placesOf(org, [subject.id])).toEqual([]);
  });

  it("is looked through for the names that are given and no others, in whatever form they are written", async () => {
    const org = await createOrg("given");
    const jane = { ...person(), name: "Quarterly" };
    await append(org, batchOf([event(1, { actor: jane }), event(2)]));
    await untilProjected(org);
    const read = async (reason: string, q = "") => {
      const path = `/v1/orgs/${org}/events?limit=1${q === "" ? "" : `&q=${encodeURIComponent(q)}`}`;
      expect((await call("GET", path, { headers: { "audit-reason": reason } })).status).toBe(200);
    };
    for (const reason of [`for ${jane.email}`, "asked by Maiden Name", "a review"]) await read(reason);
    await read("of a name", '"Renée Given"');
    await read("of another name", `"${jane.name}"`);
    await archived(org);
    const names = [jane.email, " Maiden Name ", "Rene\u0301e Given"];
    const { id } = await erased(org, { subject: { type: jane.type, id: jane.id }, names });
    const left = (await actsOf(org, "indelible.read")).map(({ note }) => note?.reason);
    expect(left).toEqual([undefined, undefined, "a review", undefined, "of another name"]);
    const row = await runInDurableObject(env.ORG_JOBS.getByName(org), (_, { storage }) =>
      JSON.stringify(storage.sql.exec("select * from job where id = ?", id).toArray()),
    );
    expect(row).not.toMatch(/Maiden|example\.com|Given/);
    expect(await placesOf(org, ["Maiden Name", "maiden+name", jane.email])).toEqual([]);
  });

  it("is looked through once more for names that entries under hold give", async () => {
    const org = await createOrg("held-names");
    const jane = { ...person(), email: `${freshOrg("mail")}@example.com` };
    const look = await call("GET", `/v1/orgs/${org}/events?q=${encodeURIComponent(`"${jane.email}"`)}`);
    expect(look.status).toBe(200);
    await archived(org);
    await append(org, batchOf([event(1, { actor: jane })]));
    const held = await call("POST", `/v1/orgs/${org}/holds`, {
      body: { reason: "a case", filter: { actor: jane.id } },
    });
    expect(held.status).toBe(201);
    await archived(org);
    const { certificate } = await erased(org, { subject: { type: jane.type, id: jane.id } });
    expect(certificate).toMatchObject({ held: { entries: 2 }, names_left: 0, removed: { entries: 1, quoting: 1 } });
    const notes = (await actsOf(org, "indelible.read")).map(({ note }) => note);
    expect(notes).toEqual([null]);
  });

  it.each([
    ["too many", { names: Array.from({ length: 51 }, (_, n) => `name ${n}`) }],
    ["too long", { names: ["x".repeat(201)] }],
    ["empty", { names: [" "] }],
  ])("is not looked through for names that are %s", async (_, names) => {
    const org = await createOrg("bad-names");
    const body = { reason: "she asked", subject: { type: "user", id: "u_1" }, ...names };
    const answer = await call("POST", `/v1/orgs/${org}/erasures`, { body });
    expect([answer.status, answer.json.code]).toEqual([400, "invalid_request"]);
    expect(answer.json.errors[0].pointer).toMatch(/^\/names/);
  });
});

describe("whoever has many names", () => {
  it("is looked for by 200 of them, and how many there were besides is certified", async () => {
    const org = await createOrg("aliases");
    const { type, id, email } = person();
    const alias = (n: number, more = {}) => event(n, { actor: { type, id, name: `alias-${n}-of ${id}`, ...more } });
    const most = ERASURE_MAX_NAMES - 1;
    await append(org, batchOf(Array.from({ length: most }, (_, n) => alias(n))));
    await append(org, batchOf([alias(0, { email }), alias(most), alias(most + 1)]));
    await untilProjected(org);
    const look = (text: string) => call("GET", `/v1/orgs/${org}/events?q=${encodeURIComponent(`"${text}"`)}`);
    expect((await look(email)).status).toBe(200);
    await archived(org);
    const { certificate } = await erased(org, { subject: { type, id } });
    expect(certificate).toMatchObject({ names_left: 2, removed: { quoting: 1 } });
    expect(await placesOf(org, [email])).toEqual([]);
  });

  it("cannot make themselves unforgettable with long ones", async () => {
    const org = await createOrg("long-names");
    const id = freshOrg("u_long");
    const long = (n: number) => event(n, { actor: { type: "user", id, name: `${n} ${"x".repeat(90_000)}` } });
    for (let n = 0; n < 20; n++) await append(org, batchOf([long(n)]));
    await archived(org);
    const { certificate } = await erased(org, { subject: { type: "user", id } });
    expect(certificate).toMatchObject({ names_left: 20, removed: { entries: 20 } });
    expect(await placesOf(org, [id])).toEqual([]);
  });
});

import { env, exports } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { AuditLog } from "../../src/rpc/audit-log.ts";
import type { BindingProps } from "../../src/schema/binding.ts";
import { SCOPES } from "../../src/schema/caller.ts";
import { call, createOrg, event, freshOrg } from "../support/client.ts";
import { breakMethod, breakSequencing, replaceMethod, restoreFaults } from "../support/faults.ts";
import { orgKey } from "../http/support.ts";
import { actsOf, saysOf, sizeOf } from "../query/support.ts";

let org = "";
let other = "";
beforeAll(async () => {
  org = await createOrg("bound");
  other = await createOrg("bound-other");
});
afterEach(restoreFaults);

/** The entrypoint as a Worker bound with these props has it. */
function bound(props: Partial<BindingProps> = {}) {
  return exports.AuditLog({ props: { name: "shop-api", orgs: "*", scopes: [...SCOPES], ...props } });
}

type Answer = { ok: boolean; value?: any; refusal?: { code: string; detail: string; errors?: { pointer: string }[] } };

/** The code of a refusal; "ok" when there was none. */
function codeOf(answer: Answer): string {
  return answer.ok ? "ok" : (answer.refusal?.code ?? "");
}

const VIEWER = { actor: { type: "user", id: "u_9" }, scopes: ["events:read"] };

/** Every method, called as it should be. */
const METHODS: [
  string,
  scope: (typeof SCOPES)[number],
  (log: ReturnType<typeof bound>, to: string) => Promise<Answer>,
][] = [
  ["append", "events:append", (log, to) => log.append(to, event(1))],
  ["enqueue", "events:append", (log, to) => log.enqueue(to, event(1))],
  ["list", "events:read", (log, to) => log.list(to)],
  ["get", "events:read", (log, to) => log.get(to, 0)],
  ["history", "events:read", (log, to) => log.history(to, "document", "d_1")],
  ["actions", "events:read", (log, to) => log.actions(to)],
  ["stats", "events:read", (log, to) => log.stats(to, { group_by: "day" })],
  ["checkpoint", "events:read", (log, to) => log.checkpoint(to)],
  ["prove", "events:read", (log, to) => log.prove(to, 0)],
  ["verify", "events:read", (log, to) => log.verify(to)],
  ["viewerToken", "events:read", (log, to) => log.viewerToken(to, VIEWER)],
  ["reads", "reads:write", (log, to) => log.reads(to)],
  ["quarantines", "events:read", (log, to) => log.quarantines(to)],
];

it("a binding has these verbs and no others: none turns a switch of reading or withholds entries", () => {
  const verbs = Object.getOwnPropertyNames(AuditLog.prototype).filter((name) => name !== "constructor");
  expect(new Set(METHODS.map(([name]) => name))).toEqual(new Set(verbs));
});

describe.each(METHODS)("AuditLog.%s", (_, scope, ask) => {
  it("works with its scope, for the orgs of its props", async () => {
    for (const orgs of ["*" as const, [org]])
      expect(codeOf(await ask(bound({ orgs, scopes: [scope] }), org))).toBe("ok");
  });

  it("is refused without its scope", async () => {
    const scopes = SCOPES.filter((one) => one !== scope);
    expect(codeOf(await ask(bound({ scopes }), org))).toBe("forbidden");
  });

  it("answers the same for foreign and impossible orgs, and for platform under *", async () => {
    const foreign = await ask(bound({ orgs: [other] }), org);
    expect(codeOf(foreign)).toBe("not_found");
    for (const to of ["../x", "", "platform"]) expect(await ask(bound(), to)).toEqual(foreign);
    for (const to of [null, undefined, 7, {}, ["acme"]])
      expect(await ask(bound(), to as unknown as string)).toEqual(foreign);
  });

  it.each([
    ["none", undefined],
    ["no name", { name: "" }],
    ["no orgs", { orgs: undefined }],
    ["an unknown scope", { scopes: ["everything"] }],
    ["a member too many", { admin: true }],
  ])("is refused with props that are wrong: %s", async (_name, wrong) => {
    const props = wrong === undefined ? {} : { name: "x", orgs: "*", scopes: [...SCOPES], ...wrong };
    const log = exports.AuditLog({ props: props as BindingProps });
    expect(codeOf(await ask(log, org))).toBe("forbidden");
  });

  it("never throws into its caller: what breaks on our side is a value", async () => {
    replaceMethod(env.ORG_LEDGER, "getByName", () => {
      throw new Error("injected by the test");
    });
    breakMethod(env.INGEST_QUEUE, "sendBatch", "failed");
    breakMethod(env.ARCHIVE, "put", "failed");
    const answer = await ask(bound(), org);
    expect(codeOf(answer)).toBe("internal");
    expect(answer.refusal?.detail).not.toContain("injected");
  });
});

describe("an org that does not exist", () => {
  it("is answered like a foreign one, and what was handed over for it becomes a dead letter", async () => {
    const nobody = freshOrg("nobody");
    const foreign = await bound({ orgs: [other] }).get(org, 0);
    for (const [name, , ask] of METHODS) {
      if (name !== "enqueue") expect(await ask(bound(), nobody), name).toEqual(foreign);
    }
    expect(codeOf(await bound().enqueue(nobody, event(1)))).toBe("ok");
    const letters = async () => {
      const { json } = await call("GET", "/v1/dead-letters?state=dead&limit=1000");
      return json.data.filter((letter: any) => letter.org === nobody);
    };
    await expect.poll(letters, { timeout: 20_000 }).toMatchObject([{ code: "not_found" }]);
  });
});

describe("verifying through a binding", () => {
  it("takes a range, and refuses what is none", async () => {
    expect((await bound().verify(org, { from: 0, to: 1 })) as Answer).toMatchObject({
      value: { breaks: [], checked: 1 },
    });
    const wrong = [{ from: -1 }, { from: Number.NaN }, { to: 1.5 }, { expect: "short" }, { from: "0" }, { limit: 1 }];
    for (const range of wrong)
      expect(codeOf(await bound().verify(org, range as object)), JSON.stringify(range)).toBe("invalid_request");
  });
});

describe("reading through a binding", () => {
  it("takes the API's parameters, as texts, numbers and lists, and refuses others by name", async () => {
    const log = bound();
    await log.append(org, [
      event(1, { action: "a.one" }),
      event(2, { action: "a.two" }),
      event(3, { action: "b.one" }),
    ]);
    const size = await sizeOf(org);
    const page: Answer = await log.list(org, { action: ["a.one", "a.two"], limit: 2, min_size: size });
    expect(page.value.data.map((text: string) => JSON.parse(text).action)).toEqual(["a.two", "a.one"]);
    const searched: Answer = await log.list(org, { q: "action:a.* -action:a.two one", "-actor": ["u_2", "u_3"] });
    expect(searched.value.data.map((text: string) => JSON.parse(text).action)).toEqual(["a.one"]);
    const refused: Answer = await log.list(org, { q: "words:one" });
    expect(refused.refusal).toMatchObject({ code: "invalid_request", errors: [{ pointer: "/q" }] });
  });

  it("is traced under the binding's name, with the reason given", async () => {
    const before = await sizeOf(org);
    const page: Answer = await bound({ name: "desk" }).list(org, { actor: "u_1" }, { reason: "ticket 9" });
    const [trace] = await actsOf(org, "indelible.read", before);
    expect(trace?.leaf.index).toBe(page.value.read_index);
    expect(trace?.actor?.id).toBe("desk");
    expect(trace?.note).toEqual({ reason: "ticket 9", query: "actor=u_1" });
    expect(saysOf(trace)["route"]).toBe("events.list");
  });

  it("withholds personal sections without personal:read", async () => {
    const actor = { type: "user", id: "u", name: "Jane Roe" };
    await bound().append(org, { id: "private", action: "a.b", actor, context: { ip: "192.0.2.9" } });
    const got: Answer = await bound({ scopes: ["events:read"] }).get(org, "private");
    expect(got.value).not.toContain("Jane Roe");
    expect(JSON.parse(got.value).absent).toContainEqual({ section: "context", cause: "withheld" });
    expect((await bound().get(org, "private")) as Answer).toMatchObject({ value: expect.stringContaining("Jane Roe") });
  });

  it("answers null for an entry that is not there, whatever text its id is", async () => {
    for (const id of ["nothing", "", "\ud800", "x".repeat(100_000), 1e9, -1, Number.NaN]) {
      expect(await bound().get(org, id)).toEqual({ ok: true, value: null });
    }
  });

  it("refuses a reason longer than 1,000 characters", async () => {
    expect(codeOf(await bound().list(org, {}, { reason: "x".repeat(1_001) }))).toBe("invalid_request");
  });
});

describe("appending through a binding", () => {
  it("answers the first receipts to an idempotency_key sent again, and a conflict to other events", async () => {
    const options = { idempotency_key: "bound-1" };
    const first = await bound().append(org, [event(1), event(2)], options);
    const again: Answer = await bound().append(org, [event(1), event(2)], options);
    expect(again.value.receipts).toEqual((first as Answer).value.receipts);
    expect(codeOf(await bound().append(org, event(3), options))).toBe("conflict");
    expect(codeOf(await bound().append(org, event(3), { idempotency_key: "has space" }))).toBe("invalid_request");
  });

  it("keeps values as they are, minus zero and odd names included", async () => {
    const metadata = { "10": 1, "9": [-0, 1e21, 0.1], __proto__x: null, "": { deep: "\ud800\0" } };
    await bound().append(org, { ...event(1), id: "valued", metadata });
    const got: Answer = await bound().get(org, "valued");
    expect(got.value).toContain(
      '"metadata":{"9":[-0,1e+21,0.1],"10":1,"__proto__x":null,"":{"deep":"\\ud800\\u0000"}}',
    );
  });

  it("refuses what is too deep, cyclic, too much or too large, with a reason", async () => {
    let deep: unknown = 1;
    for (let level = 0; level < 5_00; level++) deep = [deep];
    const cycle: Record<string, unknown> = {};
    cycle["self"] = cycle;
    for (const metadata of [deep, cycle]) {
      expect(codeOf(await bound().append(org, { ...event(1), metadata }))).toBe("invalid_event");
    }
    const many = Array.from({ length: 1_001 }, (_, n) => event(n));
    expect(codeOf(await bound().append(org, many))).toBe("too_large");
    const large = Array.from({ length: 50 }, (_, n) => event(n, { metadata: "x".repeat(90_000) }));
    expect(codeOf(await bound().append(org, large))).toBe("too_large");
    for (const none of [null, undefined, 7, "a.b", [], [null]]) {
      expect(codeOf(await bound().append(org, none))).toBe("invalid_event");
    }
  });

  it("appends directly what the queue does not take, once", async () => {
    const fault = breakMethod(env.INGEST_QUEUE, "sendBatch", "failed");
    const handed: Answer = await bound().enqueue(org, event(1, { id: "handed" }), { idempotency_key: "handed" });
    await bound().enqueue(org, event(1, { id: "handed" }), { idempotency_key: "handed" });
    fault.restore();
    expect(handed).toEqual({ ok: true, value: [{ id: "handed" }] });
    const got: Answer = await bound().get(org, "handed");
    expect(JSON.parse(got.value)).toMatchObject({ delivery: "binding", key: "shop-api" });
  });

  it("says so when neither queue nor ledger nor archive takes events", async () => {
    breakMethod(env.INGEST_QUEUE, "sendBatch", "failed");
    breakMethod(env.ARCHIVE, "put", "failed");
    const fault = await breakSequencing(org, "failed");
    const lost: Answer = await bound().enqueue(org, event(1, { id: "lost" }));
    fault.restore();
    expect(codeOf(lost)).toBe("internal");
    const { key } = await orgKey(org, ["events:read"]);
    expect((await call("GET", `/v1/orgs/${org}/events/lost`, { key })).status).toBe(404);
  });
});

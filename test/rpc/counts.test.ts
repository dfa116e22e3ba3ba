import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { BindingProps } from "../../src/schema/binding.ts";
import { actsOf, saysOf, sizeOf } from "../query/support.ts";
import { call, createOrg } from "../support/client.ts";

const THING = { type: "doc", id: "a/b %" };

let org = "";
let other = "";
beforeAll(async () => {
  [org, other] = [await createOrg("bound-counts"), await createOrg("bound-counts-same")];
  const of = (after: string) =>
    `{"action":"doc.create","actor":{"type":"user","id":"u"},"targets":[${JSON.stringify(THING)}],"changes":{"before":null,"after":${after}}}`;
  for (const [to, body] of [
    [org, of('{"n":1.10}')],
    [other, `{"events":[${of('{"n":2}')},${of('{"n":3}')}]}`],
  ] as const) {
    await call("POST", `/v1/orgs/${to}/events`, { body });
    await visible(to);
  }
});

/** Until all that was sealed so far, traces too, is in D1. */
async function visible(to: string): Promise<void> {
  await env.ORG_LEDGER.getByName(to).waitVisible(to, await sizeOf(to), 5_000);
}

type Answer = { ok: boolean; value?: any; refusal?: { code: string; errors?: { pointer: string }[] } };

const log = (props: Partial<BindingProps> = {}) =>
  exports.AuditLog({ props: { name: "desk", orgs: "*", scopes: ["events:read"], ...props } });

describe("AuditLog.history", () => {
  it("answers entries and state as JSON texts, and pages", async () => {
    const { value }: Answer = await log().history(org, THING.type, THING.id, { limit: 1 });
    expect(value.data).toHaveLength(1);
    expect(JSON.parse(value.data[0])).toMatchObject({ action: "doc.create", targets: [THING] });
    expect(value.state).toBe('{"complete":true,"exists":true,"members":{"n":1.10},"because":[]}');
    const theirs: Answer = await log().history(other, THING.type, THING.id, { limit: 1 });
    const next: Answer = await log().history(other, THING.type, THING.id, {
      limit: 1,
      cursor: theirs.value.next_cursor,
    });
    expect(next.value).toMatchObject({ state: null, data: [expect.stringContaining('"n":2')] });
    const crossed: Answer = await log().history(org, THING.type, THING.id, {
      limit: 1,
      cursor: theirs.value.next_cursor,
    });
    expect(crossed.refusal?.code).toBe("invalid_request");
  });

  it("takes . and .., which no URL can name, and refuses what is no text", async () => {
    for (const id of [".", ".."]) expect((await log().history(org, "doc", id)).ok).toBe(true);
    for (const id of ["", null, 7, {}, "\ud800"]) {
      const refused: Answer = await log().history(org, "doc", id as string);
      expect(refused.refusal).toMatchObject({ code: "invalid_request", errors: [{ pointer: "/id" }] });
    }
  });
});

describe("AuditLog.actions and AuditLog.stats", () => {
  it("answer what the HTTP API answers, of their own org alone", async () => {
    const { value: actions }: Answer = await log().actions(org);
    const { value: stats }: Answer = await log().stats(org, { group_by: "action", limit: 1_000 });
    const count = (data: any[], name: string) => data.find(({ action, value }) => (action ?? value) === name)?.count;
    expect([count(actions.data, "doc.create"), count(stats.data, "doc.create")]).toEqual([1, 1]);
    const theirs: Answer = await log().stats(other, { group_by: "action" });
    expect(count(theirs.value.data, "doc.create")).toBe(2);
    const days = { from: stats.days.from, to: stats.days.to };
    const over = () => call("GET", `/v1/orgs/${other}/stats?group_by=target_type&from=${days.from}&to=${days.to}`);
    const bound = (): Promise<Answer> => log().stats(other, { group_by: "target_type", ...days });
    // Each has its read session first: a trace that comes into D1 between the two would be counted by the second alone.
    await Promise.all([over(), bound()]);
    await visible(other);
    expect((await bound()).value).toEqual((await over()).json);
  });

  it("refuse what they do not know by name, and leave traces under the binding's name", async () => {
    for (const asked of [log().actions(org, { limit: 1 }), log().stats(org, { group_by: "day", limit: 0 })]) {
      const refused: Answer = await asked;
      expect(refused.refusal).toMatchObject({ code: "invalid_request", errors: [{ pointer: "/limit" }] });
    }
    const traces = await actsOf(org, "indelible.read");
    const routes = traces.filter(({ actor }) => actor?.id === "desk").map((trace) => saysOf(trace)["route"]);
    expect(new Set(routes)).toEqual(new Set(["targets.history", "actions.list", "stats"]));
  });
});

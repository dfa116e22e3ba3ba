import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ReadGrant } from "../../src/schema/ledger.ts";
import { problemOf } from "../http/support.ts";
import { call, createOrg } from "../support/client.ts";
import { replaceMethod, restoreFaults } from "../support/faults.ts";
import { actsOf, sizeOf } from "./support.ts";

const THING = { type: "doc", id: "d_1" };
const HISTORY = "targets/doc/d_1/history";

let org = "";
// Each its own: histories count as five reads, and a key has a share of those a second.
beforeEach(async () => {
  org = await createOrg("restricted-counts");
  const changes = { before: null, after: { a: 1 } };
  const body = { action: "doc.create", actor: { type: "user", id: "u" }, changes };
  // The thing's beginning at 1, and at 2 an entry of another.
  for (const id of ["d_1", "d_2"])
    await call("POST", `/v1/orgs/${org}/events`, { body: { ...body, targets: [{ ...THING, id }] } });
  await env.ORG_LEDGER.getByName(org).waitVisible(org, await sizeOf(org), 5_000);
});
afterEach(restoreFaults);

/** Lets the ledger grant its readers this as well. */
function granting(more: Partial<ReadGrant>): void {
  replaceMethod(env.ORG_LEDGER, "getByName", (getByName, [name]) => {
    const ledger = getByName(name);
    return new Proxy(ledger, {
      get:
        (target, member) =>
        async (...args: unknown[]) => {
          const answer = await target[member](...args);
          return member === "authorize" && answer.ok ? { ok: true, value: { ...answer.value, ...more } } : answer;
        },
    });
  });
}

const get = (path: string) => call("GET", `/v1/orgs/${org}/${path}`);
const reasonsOf = ({ json }: { json: any }) => json.state.because.map(({ reason }: any) => reason);

describe("a reader who may see only some entries", () => {
  it.each(["actions", "stats?group_by=action", "stats?group_by=day", "stats?group_by=actor"])(
    "gets no %s, and nothing is traced as answered",
    async (path) => {
      const before = await sizeOf(org);
      granting({ restriction: { categories: ["general"] } });
      problemOf(await get(path), "forbidden");
      restoreFaults();
      expect(await actsOf(org, "indelible.read", before)).toEqual([]);
      expect((await get(path)).status).toBe(200);
    },
  );

  it("is told that a state is not proven, unless all there is of the thing may be seen", async () => {
    expect(reasonsOf(await get(HISTORY))).toEqual([]);
    granting({ restriction: { categories: ["general"] } });
    expect(reasonsOf(await get(HISTORY))).toContain("restricted");
    restoreFaults();
    granting({ restriction: { target: { ...THING, id: "d_2" } } });
    expect(reasonsOf(await get(HISTORY))).toContain("restricted");
    restoreFaults();
    granting({ restriction: { target: THING, categories: ["general"] } });
    expect(reasonsOf(await get(HISTORY))).toContain("restricted");
    restoreFaults();
    granting({ restriction: { target: THING } });
    expect(reasonsOf(await get(HISTORY))).not.toContain("restricted");
  });
});

describe("a window under quarantine", () => {
  it("leaves no state proven of which it may hide entries, and every entry counted", async () => {
    const before = (await get("stats?group_by=category&to=2100-01-01")).json.total.count;
    for (const [from, to, because] of [
      [0, 1, []],
      [0, 2, ["quarantine", "no_beginning"]],
      [2, 3, ["quarantine"]],
      [0, 2 ** 40, ["quarantine", "no_beginning"]],
      [2 ** 20, 2 ** 40, []],
    ] as const) {
      restoreFaults();
      granting({ quarantined: [{ id: "q_1", from, to }] });
      expect([from, to, reasonsOf(await get(HISTORY))]).toEqual([from, to, because]);
    }
    restoreFaults();
    granting({ quarantined: [{ id: "q_1", from: 2, to: 3 }], restriction: { target: THING } });
    expect(reasonsOf(await get(HISTORY))).toEqual(["restricted"]);
    restoreFaults();
    granting({ quarantined: [{ id: "q_1", from: 0, to: 1 }] });
    expect((await get("stats?group_by=category&to=2100-01-01")).json.total.count).toBeGreaterThanOrEqual(before);
  });
});

import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  READS_PER_KEYS_TOKENS_PER_SECOND,
  READS_PER_TOKEN_PER_SECOND,
  VIEWER_TOKEN_SKEW_MS,
} from "../../src/limits.ts";
import { call, createOrg, event } from "../support/client.ts";
import { replaceMethod, restoreFaults } from "../support/faults.ts";
import { actsOf, entriesOf, list, saysOf } from "../query/support.ts";
import { memberErrors, orgKey, platformKey, problemOf, viewerToken } from "./support.ts";

const SECOND = 1_000;
const EVENT = event(1, { actor: { type: "user", id: "u_1", name: "Ada Lovelace" } });

let org = "";
let id = "";
let key = "";
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  org = await createOrg("viewed");
  ({ id, key } = await orgKey(org, ["events:read", "personal:read"]));
  expect((await call("POST", `/v1/orgs/${org}/events`, { body: EVENT })).status).toBe(201);
});
afterEach(() => {
  vi.useRealTimers();
  restoreFaults();
});

const path = () => `/v1/orgs/${org}/viewer-tokens`;
const mint = (body: object, as = key) => call("POST", path(), { body, key: as });
const WANTED = { actor: { type: "user", id: "u_9" }, scopes: ["events:read"] };
const later = (ms: number) => vi.setSystemTime(Date.now() + ms);
const readAs = (token: string) => list(org, { limit: 1, min_size: 1 }, token);

describe("minting a viewer token", () => {
  it("is an entry before it is an answer: who minted, for whom, for how long, for what", async () => {
    const restriction = { target: { type: "document", id: "d_9" }, categories: ["login"] };
    const made = await mint({ ...WANTED, scopes: ["events:read", "personal:read"], expires_in_s: 60, restriction });
    expect(made.headers.get("cache-control")).toBe("no-store");
    expect(made.json).toEqual({
      id: expect.stringMatching(/^ind_v[a-z2-7]{12}$/),
      token: expect.stringMatching(new RegExp(`^${made.json.id}_`)),
      expires_at: new Date(Date.now() + 60 * SECOND).toISOString(),
      restriction,
    });
    const [issued, ...more] = await actsOf(org, "indelible.viewer_token.issued");
    expect(more).toEqual([]);
    expect(issued).toMatchObject({
      leaf: { source: "service", category: "log_access" },
      event: { key: id },
      actor: { type: "key", id },
      targets: [
        { type: "viewer_token", id: made.json.id },
        { type: "user", id: "u_9", role: "viewer" },
        { type: "document", id: "d_9", role: "restricted_to" },
      ],
    });
    expect(saysOf(issued)).toEqual({
      scopes: ["events:read", "personal:read"],
      expires_at: made.json.expires_at,
      restriction: { target: { type: "document" }, categories: ["login"] },
    });
    expect(JSON.stringify(await entriesOf(org))).not.toContain(made.json.token.slice(made.json.id.length));
  });

  it("holds for 15 minutes unless it says otherwise", async () => {
    expect((await mint(WANTED)).json.expires_at).toBe(new Date(Date.now() + 900 * SECOND).toISOString());
  });

  it.each<[string, object, string[]]>([
    ["no actor", { scopes: ["events:read"] }, ["/actor"]],
    ["an actor that passes for a key", { ...WANTED, actor: { type: "key", id: "root" } }, ["/actor/type"]],
    ["no scope", { actor: WANTED.actor, scopes: [] }, ["/scopes"]],
    ["personal:read alone", { ...WANTED, scopes: ["personal:read"] }, ["/scopes"]],
    ["a scope that changes something", { ...WANTED, scopes: ["events:read", "events:append"] }, ["/scopes/1"]],
    ["more than an hour", { ...WANTED, expires_in_s: 3_601 }, ["/expires_in_s"]],
    ["no time at all", { ...WANTED, expires_in_s: 0 }, ["/expires_in_s"]],
    ["a restriction to nothing", { ...WANTED, restriction: {} }, ["/restriction"]],
    ["a restriction to no category", { ...WANTED, restriction: { categories: [] } }, ["/restriction/categories"]],
    ["a category twice", { ...WANTED, restriction: { categories: ["login", "login"] } }, ["/restriction/categories"]],
    ["a scope twice", { ...WANTED, scopes: ["events:read", "events:read"] }, ["/scopes"]],
    ["a target without id", { ...WANTED, restriction: { target: { type: "user" } } }, ["/restriction/target/id"]],
    ["what it does not know", { ...WANTED, admin: true }, ["/admin"]],
  ])("is refused with %s, by name", async (_, body, pointers) => {
    expect(Object.keys(memberErrors(await mint(body), "invalid_request"))).toEqual(pointers);
  });

  it("gives no scope the key lacks, and none to a token", async () => {
    const { key: plain } = await orgKey(org, ["events:read"]);
    const refused = await mint({ ...WANTED, scopes: ["events:read", "personal:read"] }, plain);
    expect(problemOf(refused, "forbidden").detail).toContain("personal:read");
    const { token } = await viewerToken(org, { key });
    expect(problemOf(await mint(WANTED, token), "forbidden").detail).toContain("mints no other");
    expect(await actsOf(org, "indelible.viewer_token.issued")).toHaveLength(1);
  });
});

describe("reading with a viewer token", () => {
  it("is traced as the person it was made for, in the name of the key", async () => {
    const { token, id: tokenId } = await viewerToken(org, { key, actor: { type: "user", id: "u_9" } });
    expect((await readAs(token)).status).toBe(200);
    expect((await readAs(token)).status).toBe(200);
    expect((await readAs(key)).status).toBe(200);
    const [viewed, own, ...more] = await actsOf(org, "indelible.read");
    expect(more).toEqual([]);
    expect(viewed).toMatchObject({ event: { key: id }, actor: { type: "user", id: "u_9" } });
    expect(saysOf(viewed)).toMatchObject({ token: tokenId, results_count: 1 });
    expect(own).toMatchObject({ event: { key: id }, actor: { type: "key", id } });
    expect(saysOf(own)).not.toHaveProperty("token");
    later(16 * 60 * SECOND);
    await env.ORG_LEDGER.getByName(org).wake(org);
    const all = await actsOf(org, "indelible.read.closed");
    expect(all).toHaveLength(2);
    const closed = all.find((entry) => saysOf(entry)["opened_index"] === viewed?.leaf.index);
    expect(closed).toMatchObject({ event: { key: id }, actor: { type: "user", id: "u_9" } });
    expect(saysOf(closed)).toMatchObject({ token: tokenId, answers: 2 });
  });

  it("is a session of each token, though person and question are the same", async () => {
    for (const { token } of [await viewerToken(org, { key }), await viewerToken(org, { key })]) await readAs(token);
    expect(await actsOf(org, "indelible.read")).toHaveLength(2);
  });

  it("names the person where traces come through the queue as well", async () => {
    await call("PUT", `/v1/orgs/${org}`, { body: { access_log: "queued" } });
    const { token, id: tokenId } = await viewerToken(org, { key, actor: { type: "user", id: "u_9" }, expires_in_s: 1 });
    expect((await readAs(token)).headers.get("audit-read-index")).toBe("queued");
    // It is sealed though the token is long gone: the answer has left.
    later(60 * SECOND);
    await expect.poll(() => actsOf(org, "indelible.read"), { timeout: 20_000 }).toHaveLength(1);
    const [trace] = await actsOf(org, "indelible.read");
    expect(trace).toMatchObject({ event: { key: id }, actor: { type: "user", id: "u_9" } });
    expect(saysOf(trace)).toMatchObject({ token: tokenId });
  });

  it("shows personal sections with personal:read alone", async () => {
    const seen = async (scopes: ("events:read" | "personal:read")[]) => {
      const { token } = await viewerToken(org, { key, scopes });
      return (await list(org, { source: "client", min_size: 3 }, token)).text.includes("Ada Lovelace");
    };
    expect(await seen(["events:read"])).toBe(false);
    expect(await seen(["events:read", "personal:read"])).toBe(true);
  });
});

describe("a viewer token ends", () => {
  it("with its time: told so, and refused by the ledger as well, clocks apart", async () => {
    const { token } = await viewerToken(org, { key, expires_in_s: 10 });
    later(10 * SECOND - 1);
    expect((await readAs(token)).status).toBe(200);
    later(1);
    expect(problemOf(await readAs(token), "unauthorized").detail).toContain("expired");
    const expires_at = Date.now();
    const viewer = { token: "ind_vaaaaaaaaaaaa", actor: { type: "user", id: "u" } };
    const scopes = ["events:read"] as const;
    const caller = { kind: "viewer", org, viewer, minter: { kind: "org_key", id }, scopes, restriction: null } as const;
    const ledger = env.ORG_LEDGER.getByName(org);
    later(VIEWER_TOKEN_SKEW_MS - 1);
    expect((await ledger.authorize(org, { ...caller, expires_at }, "events:read")).ok).toBe(true);
    later(1);
    const refused = await ledger.authorize(org, { ...caller, expires_at }, "events:read");
    expect(refused).toMatchObject({ ok: false, refusal: { code: "unauthorized" } });
  });

  it.each(["sealed", "queued"])(
    "while its answer is being found: it does not leave (traces %s)",
    async (access_log) => {
      await call("PUT", `/v1/orgs/${org}`, { body: { access_log } });
      const { token } = await viewerToken(org, { key, expires_in_s: 10 });
      for (const name of ["CELL_0", "CELL_1"] as const) {
        replaceMethod(env[name], "prepare", (original, args) => {
          later(60 * SECOND);
          return original(...args);
        });
      }
      const answer = await readAs(token);
      restoreFaults();
      problemOf(answer, "unauthorized");
      expect(answer.text).not.toContain("document.share");
    },
  );

  it("with the org key that minted it, at the next call", async () => {
    const { token } = await viewerToken(org, { key });
    expect((await readAs(token)).status).toBe(200);
    expect((await call("DELETE", `/v1/orgs/${org}/keys/${id}`)).status).toBe(200);
    problemOf(await readAs(token), "unauthorized");
  });

  it("with the platform key that minted it, within a minute like the key itself", async () => {
    const platform = await platformKey(["events:read"], [org]);
    const { token } = await viewerToken(org, { key: platform.key });
    expect((await readAs(token)).status).toBe(200);
    await env.DIRECTORY.prepare("update key set revoked_at = 1 where id = ?").bind(platform.id).run();
    later(59 * SECOND);
    expect((await readAs(token)).status).toBe(200);
    later(SECOND);
    problemOf(await readAs(token), "unauthorized");
  });
});

describe("a viewer token of one org", () => {
  it("is nobody's in another, though the same platform key may read both", async () => {
    const other = await createOrg("viewed-not");
    const platform = await platformKey(["events:read"]);
    const { token } = await viewerToken(org, { key: platform.key });
    const foreign = await list(other, {}, token);
    problemOf(foreign, "not_found");
    const nobody = await list(`${other}-no`, {}, token);
    expect(nobody.json).toEqual({ ...foreign.json, request_id: nobody.json.request_id });
  });
});

describe("limits of viewer tokens", () => {
  /** Reads at one moment until it is refused, and answers how often that went well. */
  async function readAll(token: string, most: number): Promise<number> {
    for (let n = 0; n < most; n++) {
      const answer = await call("GET", `/v1/orgs/${org}`, { key: token });
      if (answer.status === 429) return n;
      expect(answer.status, answer.text).toBe(200);
    }
    return most;
  }

  it("are each token's own, and one for all tokens of a key together: minting multiplies nothing", async () => {
    const count = READS_PER_KEYS_TOKENS_PER_SECOND / READS_PER_TOKEN_PER_SECOND;
    const tokens: string[] = [];
    for (let n = 0; n < count + 1; n++) tokens.push((await viewerToken(org, { key })).token);
    const last = tokens.pop() as string;
    for (const token of tokens)
      expect(await readAll(token, READS_PER_TOKEN_PER_SECOND)).toBe(READS_PER_TOKEN_PER_SECOND);
    const refused = await call("GET", `/v1/orgs/${org}`, { key: tokens[0] as string });
    expect(problemOf(refused, "rate_limited").detail).toContain(`${READS_PER_TOKEN_PER_SECOND} times`);
    const together = await call("GET", `/v1/orgs/${org}`, { key: last });
    expect(problemOf(together, "rate_limited").detail).toContain(`${READS_PER_KEYS_TOKENS_PER_SECOND} times`);
    expect((await call("GET", `/v1/orgs/${org}`, { key })).status).toBe(200);
    later(SECOND);
    expect((await call("GET", `/v1/orgs/${org}`, { key: last })).status).toBe(200);
  });
});

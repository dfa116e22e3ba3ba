import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { authenticate } from "../../src/auth/authenticate.ts";
import { configOf } from "../../src/env.ts";
import { SCOPES, type Scope } from "../../src/schema/caller.ts";
import { call, createOrg } from "../support/client.ts";
import { replaceMethod, restoreFaults } from "../support/faults.ts";
import { platformKey, spoiled, unknownKey } from "../http/support.ts";
import { takeDown } from "../watch/support.ts";

const SECOND = 1_000;
const HOUR = 3_600_000;
const config = configOf(env);

let now = Date.now();
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
  now = Date.now();
});
afterEach(() => {
  vi.useRealTimers();
  restoreFaults();
});

const ask = (key: string, { at = now, scope = "events:read" as Scope } = {}) =>
  authenticate(config, { authorization: `Bearer ${key}`, now: at, scope });

async function codeOf(asked: ReturnType<typeof ask>): Promise<string> {
  const answer = await asked;
  return answer.ok ? "ok" : answer.refusal.code;
}

/** Counts look-ups in the directory. */
/** Counts how often a key is looked up there; ledgers of other tests ask for other things. */
function watchDirectory(): { hits: number } {
  const lookups = { hits: 0 };
  replaceMethod(env.DIRECTORY, "prepare", (original, args) => {
    if (String(args[0]).includes('from "key"')) lookups.hits++;
    return original(...args);
  });
  return lookups;
}

describe("who calls", () => {
  it("is root with every scope for the root key", async () => {
    expect(await ask(env.ROOT_KEY)).toEqual({
      ok: true,
      value: { kind: "trusted", name: "root", scopes: SCOPES, orgs: "all" },
    });
  });

  it.each([
    null,
    "",
    "Bearer",
    "Bearer ",
    env.ROOT_KEY,
    `Basic ${env.ROOT_KEY}`,
    `Bearer  ${env.ROOT_KEY}`,
    `Bearer ${env.ROOT_KEY} `,
    `Bearer ${env.ROOT_KEY}, Bearer x`,
    `Bearer ${env.ROOT_KEY.slice(0, -1)}`,
    `Bearer ${"x".repeat(201)}`,
  ])("is nobody for the header %j", async (authorization) => {
    const answer = await authenticate(config, { authorization, now, scope: "events:read" });
    expect(answer).toMatchObject({ ok: false, refusal: { code: "unauthorized" } });
  });

  it("is found out for junk without any store touched", async () => {
    const directory = watchDirectory();
    const ledgers = replaceMethod(env.ORG_LEDGER, "getByName", (original, args) => original(...args));
    for (const junk of ["junk", spoiled(unknownKey("o")), spoiled(unknownKey("p")), `ind_p${"a".repeat(62)}`]) {
      expect(await codeOf(ask(junk))).toBe("unauthorized");
    }
    expect([directory.hits, ledgers.hits]).toEqual([0, 0]);
  });

  it("takes the scheme in any case", async () => {
    const answer = await authenticate(config, { authorization: `bearer ${env.ROOT_KEY}`, now, scope: "events:read" });
    expect(answer.ok).toBe(true);
  });
});

describe("a platform key", () => {
  it("is looked up once a minute, whatever it is used for", async () => {
    const { key, id } = await platformKey(["events:read"], ["acme"]);
    const directory = watchDirectory();
    expect(await ask(key)).toEqual({
      ok: true,
      value: { kind: "trusted", name: id, scopes: ["events:read"], orgs: ["acme"] },
    });
    for (let n = 0; n < 5; n++) await ask(key, { at: now + n * 10 * SECOND });
    expect(directory.hits).toBe(1);
    await ask(key, { at: now + 60 * SECOND });
    expect(directory.hits).toBe(2);
  });

  it("that does not exist is remembered as such, and cannot be guessed at", async () => {
    const key = unknownKey("p");
    const directory = watchDirectory();
    for (let n = 0; n < 5; n++) expect(await codeOf(ask(key))).toBe("unauthorized");
    expect(directory.hits).toBe(1);
  });

  it("is not opened by another secret under the same id", async () => {
    const { id, key } = await platformKey(["events:read"]);
    const { keyText } = await import("../../src/auth/key.ts");
    expect(await codeOf(ask(keyText(env.KEY_PEPPER, id, new Uint8Array(32))))).toBe("unauthorized");
    expect(await codeOf(ask(key))).toBe("ok");
    expect(await codeOf(ask(keyText(env.KEY_PEPPER, id, new Uint8Array(32))))).toBe("unauthorized");
  });

  it("that was revoked elsewhere ends within a minute here", async () => {
    const { key, id } = await platformKey(["events:read"]);
    expect(await codeOf(ask(key))).toBe("ok");
    await env.DIRECTORY.prepare("update key set revoked_at = 1 where id = ?").bind(id).run();
    expect(await codeOf(ask(key, { at: now + 59 * SECOND }))).toBe("ok");
    expect(await codeOf(ask(key, { at: now + 60 * SECOND }))).toBe("unauthorized");
  });

  it("rests on an old verdict while the directory is down: for appends alone, an hour at most", async () => {
    const { key } = await platformKey(SCOPES);
    expect(await codeOf(ask(key))).toBe("ok");
    takeDown(env.DIRECTORY);
    const later = (at: number, scope: Scope) => codeOf(ask(key, { at: now + at, scope }));
    expect(await later(30 * SECOND, "events:read")).toBe("ok");
    expect(await later(61 * SECOND, "events:append")).toBe("ok");
    expect(await later(HOUR - 1, "events:append")).toBe("ok");
    expect(await later(HOUR, "events:append")).toBe("overloaded");
    for (const scope of SCOPES.filter((one) => one !== "events:append")) {
      expect(await later(61 * SECOND, scope)).toBe("overloaded");
    }
  });

  it("whose row became corrupt opens nothing, appends included; the list answers the others, and revoking says what to do", async () => {
    const [broken, sound] = [await platformKey(SCOPES), await platformKey(SCOPES)];
    expect(await codeOf(ask(broken.key))).toBe("ok");
    await env.DIRECTORY.prepare("update key set orgs = 'acme' where id = ?").bind(broken.id).run();
    for (const at of [61 * SECOND, 62 * SECOND]) {
      for (const scope of SCOPES) {
        expect(await codeOf(ask(broken.key, { at: now + at, scope }))).toBe("unauthorized");
      }
    }
    const listed = await call("GET", "/v1/keys");
    expect(listed.status, listed.text).toBe(200);
    const ids = listed.json.data.map(({ id }: { id: string }) => id);
    expect(ids).toContain(sound.id);
    expect(ids).not.toContain(broken.id);
    const revoked = await call("DELETE", `/v1/keys/${broken.id}`);
    expect([revoked.status, revoked.json.code]).toEqual([422, "unprocessable"]);
    expect(revoked.json.detail).toContain("restore the row, or delete it");
    await env.DIRECTORY.prepare("delete from key where id = ?").bind(broken.id).run();
  });

  it("nobody has used here before cannot be checked while the directory is down: 503, with Retry-After", async () => {
    const org = await createOrg("down");
    const { key } = await platformKey(SCOPES);
    takeDown(env.DIRECTORY);
    const refused = await call("GET", `/v1/orgs/${org}/events`, { key });
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "5"]);
  });

  it("leaves org keys and the root key alone when the directory is down", async () => {
    const org = await createOrg("alone");
    const { json } = await call("POST", `/v1/orgs/${org}/keys`, { body: { name: "k", scopes: ["events:append"] } });
    takeDown(env.DIRECTORY);
    const body = { action: "a.b", actor: { type: "user", id: "1" } };
    expect((await call("POST", `/v1/orgs/${org}/events`, { body, key: json.key })).status).toBe(201);
    expect((await call("POST", `/v1/orgs/${org}/events`, { body })).status).toBe(201);
  });
});

import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { call, createOrg, freshOrg } from "../support/client.ts";
import { actsOf, saysOf, sizeOf } from "../query/support.ts";
import { problemOf } from "../http/support.ts";

const HOUR = 3_600_000;

let org = "";
beforeEach(async () => {
  // The last minutes of a day: what is kept for 24 hours has to outlive midnight.
  vi.useFakeTimers({ toFake: ["Date"], now: Math.ceil(Date.now() / (24 * HOUR)) * 24 * HOUR - HOUR / 6 });
  org = await createOrg("issued");
});
afterEach(() => {
  vi.useRealTimers();
});

const wanted = { name: "exporter", scopes: ["events:read"] };

const OWNERS: [name: string, path: () => string, owner: () => string][] = [
  ["an org", () => `/v1/orgs/${org}/keys`, () => org],
  ["the platform", () => "/v1/keys", () => "platform"],
];

describe.each(OWNERS)("a key of %s", (_, path, owner) => {
  const make = (idempotency: string | null, body: object = wanted) =>
    call("POST", path(), { body, headers: idempotency === null ? {} : { "idempotency-key": idempotency } });

  it("is shown once, to who makes it; lists and revocations show neither it nor its hash", async () => {
    const made = await make(null);
    expect(made.status, made.text).toBe(201);
    const listed = await call("GET", path());
    const revoked = await call("DELETE", `${path()}/${made.json.id}`);
    expect(listed.text).toContain(made.json.id);
    for (const { text } of [listed, revoked]) {
      expect(text).not.toContain(made.json.key);
      expect(text).not.toMatch(/[0-9a-f]{64}/);
    }
  });

  it("is the same for the same Idempotency-Key within 24 hours, midnight or not, and another later", async () => {
    const idempotency = freshOrg("idem");
    const first = await make(idempotency);
    expect(first.status).toBe(201);
    for (const hours of [0, 1, 12, 10.9]) {
      vi.setSystemTime(Date.now() + hours * HOUR);
      expect((await make(idempotency)).json).toEqual(first.json);
    }
    vi.setSystemTime(Date.now() + 0.2 * HOUR);
    const later = await make(idempotency);
    expect(later.status).toBe(201);
    expect(later.json.id).not.toBe(first.json.id);
  });

  it("is refused with 409 when the Idempotency-Key was used for another key", async () => {
    const idempotency = freshOrg("idem");
    await make(idempotency);
    for (const other of [
      { ...wanted, name: "other" },
      { ...wanted, scopes: ["events:append"] },
    ]) {
      problemOf(await make(idempotency, other), "conflict");
    }
  });

  it("is two keys without an Idempotency-Key, and for two of them", async () => {
    const made = [await make(null), await make(null), await make(freshOrg("a")), await make(freshOrg("b"))];
    expect(new Set(made.map(({ json }) => json.key)).size).toBe(4);
  });

  it("is made and revoked on record, once each, by who did it", async () => {
    const before = await sizeOf(owner());
    const idempotency = freshOrg("idem");
    const { json } = await make(idempotency);
    await make(idempotency);
    for (const _ of [1, 2]) expect((await call("DELETE", `${path()}/${json.id}`)).json.revoked_at).not.toBeNull();
    const created = await actsOf(owner(), "indelible.key.created", before);
    const revoked = await actsOf(owner(), "indelible.key.revoked", before);
    for (const acts of [created, revoked]) {
      expect(acts.map(({ targets }) => targets[0]?.id)).toEqual([json.id]);
      expect(acts[0]?.actor?.id).toBe("root");
      expect(acts[0]?.leaf).toMatchObject({ category: "config_change", source: "service" });
    }
    expect(saysOf(created[0])).toMatchObject(wanted);
  });

  it("keeps the time of its first revocation", async () => {
    const { json } = await make(null);
    const first = await call("DELETE", `${path()}/${json.id}`);
    vi.setSystemTime(Date.now() + HOUR);
    expect((await call("DELETE", `${path()}/${json.id}`)).json).toEqual(first.json);
  });

  it("that does not exist cannot be revoked", async () => {
    problemOf(await call("DELETE", `${path()}/ind_oaaaaaaaaaaaa`), "not_found");
  });
});

describe("keys of the platform", () => {
  it("show the orgs they may touch, when they are made, listed and revoked", async () => {
    for (const orgs of [["acme", "initech"], null]) {
      const made = await call("POST", "/v1/keys", { body: { ...wanted, orgs } });
      const listed = await call("GET", "/v1/keys");
      const revoked = await call("DELETE", `/v1/keys/${made.json.id}`);
      const inList = listed.json.data.find(({ id }: { id: string }) => id === made.json.id);
      for (const shown of [made.json, inList, revoked.json]) expect(shown).toMatchObject({ ...wanted, orgs });
    }
  });
});

describe("keys of an org", () => {
  it("are the org's own: another org's cannot be seen or revoked", async () => {
    const other = await createOrg("other");
    const made = await call("POST", `/v1/orgs/${org}/keys`, { body: wanted });
    problemOf(await call("DELETE", `/v1/orgs/${other}/keys/${made.json.id}`), "not_found");
    problemOf(await call("DELETE", `/v1/keys/${made.json.id}`), "not_found");
    expect((await call("GET", `/v1/orgs/${other}/keys`)).json.data).toEqual([]);
    expect((await call("GET", `/v1/orgs/${org}/events`, { key: made.json.key })).status).toBe(200);
  });

  it("are kept as hashes, never as they are", async () => {
    const { json } = await call("POST", `/v1/orgs/${org}/keys`, { body: wanted });
    const platform = await call("POST", "/v1/keys", { body: wanted });
    const { results } = await env.DIRECTORY.prepare("select * from key").all();
    expect(JSON.stringify(results)).not.toContain(json.key);
    expect(JSON.stringify(results)).toContain(platform.json.id);
    expect(JSON.stringify(results)).not.toContain(platform.json.key);
  });
});

import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { configOf } from "../../src/env.ts";
import { TERM_KEYS_MAX_COUNT } from "../../src/limits.ts";
import { knownTermKey } from "../../src/query/term-key.ts";
import { termKeyOf } from "../../src/store/terms.ts";
import { freshOrg } from "../support/client.ts";

const keyOf = (org: string, indexKey = env.INDEX_KEY) => knownTermKey({ ...configOf(env), indexKey }, org);

describe("knownTermKey", () => {
  it("derives the key of an org once, and another for every org and every index key", () => {
    const [a, b] = [freshOrg(), freshOrg()];
    expect(keyOf(a)).toBe(keyOf(a));
    expect(keyOf(a).sip).toEqual(termKeyOf(env.INDEX_KEY, a).sip);
    const keys = [keyOf(a), keyOf(b), keyOf(a, "another")];
    expect(new Set(keys.map(({ sip }) => sip.join())).size).toBe(3);
  });

  it("forgets the one used longest ago when there are too many", () => {
    const orgs = Array.from({ length: TERM_KEYS_MAX_COUNT }, () => freshOrg());
    const [used, idle] = orgs.map((org) => keyOf(org));
    expect(keyOf(orgs[0] ?? "")).toBe(used);
    keyOf(freshOrg());
    expect(keyOf(orgs[0] ?? "")).toBe(used);
    expect(keyOf(orgs[1] ?? "")).not.toBe(idle);
  });
});

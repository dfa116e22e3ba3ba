import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { authenticate } from "../../src/auth/authenticate.ts";
import { parseViewerToken, viewerTokenText } from "../../src/auth/viewer-token.ts";
import { configOf } from "../../src/env.ts";
import { ID_MAX_CHARACTERS, LABEL_MAX_CHARACTERS, VIEWER_TOKEN_MAX_CHARACTERS } from "../../src/limits.ts";
import { CATEGORIES } from "../../src/schema/names.ts";
import type { ViewerClaims } from "../../src/schema/viewer-token.ts";
import { replaceMethod, restoreFaults } from "../support/faults.ts";

const SECRETS = { keyPepper: "pepper", rootKey: "root" };
const ID = "ind_vabcdefghij23";
const CLAIMS: ViewerClaims = {
  v: 1,
  org: "acme",
  minter: { kind: "org", key: "ind_oabcdefghij23" },
  actor: { type: "user", id: "u_17" },
  scopes: ["events:read"],
  restriction: { target: { type: "document", id: "d_9" } },
  expires_at: 1_800_000_000_000,
};
const TEXT = viewerTokenText(SECRETS, ID, CLAIMS);

afterEach(restoreFaults);

describe("a viewer token", () => {
  it("says what was signed, under its id", () => {
    expect(TEXT).toMatch(/^ind_vabcdefghij23_[A-Za-z0-9_-]+$/);
    expect(parseViewerToken(SECRETS, TEXT)).toEqual({ id: ID, claims: CLAIMS });
  });

  it("is none with any character changed, left out or added", () => {
    for (let at = 0; at < TEXT.length; at++) {
      const other = TEXT[at] === "A" ? "B" : "A";
      expect(parseViewerToken(SECRETS, TEXT.slice(0, at) + other + TEXT.slice(at + 1)), `changed at ${at}`).toBeNull();
      expect(parseViewerToken(SECRETS, TEXT.slice(0, at) + TEXT.slice(at + 1)), `without ${at}`).toBeNull();
    }
    for (const more of [`${TEXT}A`, `A${TEXT}`, ` ${TEXT}`, `${TEXT}\n`])
      expect(parseViewerToken(SECRETS, more)).toBeNull();
  });

  it("is none under another pepper or another root key: both end all there are", () => {
    expect(parseViewerToken({ ...SECRETS, keyPepper: "other" }, TEXT)).toBeNull();
    expect(parseViewerToken({ ...SECRETS, rootKey: "other" }, TEXT)).toBeNull();
  });

  it("is none when what was signed is not of a shape this deployment knows", () => {
    const odd = { ...CLAIMS, v: 2 } as unknown as ViewerClaims;
    expect(parseViewerToken(SECRETS, viewerTokenText(SECRETS, ID, odd))).toBeNull();
    const more = { ...CLAIMS, admin: true } as unknown as ViewerClaims;
    expect(parseViewerToken(SECRETS, viewerTokenText(SECRETS, ID, more))).toBeNull();
  });

  it("fits its limit with the longest of everything", () => {
    const long = { type: "\u{1}".repeat(LABEL_MAX_CHARACTERS), id: "\u{1}".repeat(ID_MAX_CHARACTERS) };
    const key = "\u{1}".repeat(LABEL_MAX_CHARACTERS);
    const text = viewerTokenText(SECRETS, ID, {
      ...CLAIMS,
      org: "o".repeat(64),
      minter: { kind: "platform", key },
      actor: long,
      scopes: ["events:read", "personal:read"],
      restriction: { target: long, categories: [...CATEGORIES] },
    });
    expect(text.length).toBeLessThanOrEqual(VIEWER_TOKEN_MAX_CHARACTERS);
    expect(text.length).toBeGreaterThan(VIEWER_TOKEN_MAX_CHARACTERS - 500);
  });

  it("that is junk is found out with no store touched", async () => {
    const directory = replaceMethod(env.DIRECTORY, "prepare", (original, args) => original(...args));
    const ledgers = replaceMethod(env.ORG_LEDGER, "getByName", (original, args) => original(...args));
    const { keyPepper } = configOf(env);
    const forged = viewerTokenText({ keyPepper, rootKey: "not it" }, ID, CLAIMS);
    for (const junk of [TEXT, forged, "ind_v", `${ID}_${"A".repeat(43)}`, `${ID}_${"A".repeat(6_000)}`]) {
      const asked = { authorization: `Bearer ${junk}`, now: Date.now(), scope: "events:read" } as const;
      expect(await authenticate(configOf(env), asked)).toMatchObject({ ok: false, refusal: { code: "unauthorized" } });
    }
    expect([directory.hits, ledgers.hits]).toEqual([0, 0]);
  });
});

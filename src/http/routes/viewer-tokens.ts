import { Hono } from "hono";
import type * as z from "zod";
import type { RateLimit } from "../../errors.ts";
import { permit } from "../../policy/org.ts";
import { mintViewerToken } from "../../policy/viewer-tokens.ts";
import { newViewerTokenSchema, viewerTokenSchema } from "../../schema/viewer-token.ts";
import { jsonBody } from "../body.ts";
import { type App, json, problem } from "../context.ts";
import type { Operation } from "../operation.ts";
import { targetOf } from "./orgs.ts";

export const viewerTokens = new Hono<App>().post("/v1/orgs/:org/viewer-tokens", async (c) => {
  const target = await targetOf(c, "events:read");
  if (!target.ok) return problem(c, target.refusal);
  const { org, caller } = target.value;
  const wanted = await jsonBody(c, newViewerTokenSchema);
  if (!wanted.ok) {
    const allowed = await permit(c.get("config"), { org, caller, scope: "events:read" });
    return problem(c, allowed.ok ? { ...wanted.refusal, limits: allowed.value.limits } : allowed.refusal);
  }
  const limited = (limits: RateLimit[]) => c.set("limits", limits);
  const minting = { caller, wanted: wanted.value, now: c.get("now"), limited };
  const minted = await mintViewerToken(c.get("config"), org, minting);
  if (!minted.ok) return problem(c, minted.refusal);
  return json(c, minted.value satisfies z.infer<typeof viewerTokenSchema>, 201, { "cache-control": "no-store" });
});

export const operations: Operation[] = [
  {
    method: "post",
    path: "/v1/orgs/{org}/viewer-tokens",
    id: "mintViewerToken",
    summary: "Mint a token with which one person reads, for an hour at most",
    description:
      "For pages that show a person entries: it reads in that person's name, no more than the key that mints it may, and dies with that key. Limited like a read, and an entry of its own (`indelible.viewer_token.issued`). Harmless to repeat, so an `Idempotency-Key` is not needed and not looked at: each call answers another token.",
    tag: "Keys",
    scope: "events:read",
    body: { "application/json": newViewerTokenSchema },
    answers: { 201: { description: "The token.", body: { "application/json": viewerTokenSchema } } },
    errors: [
      "invalid_request",
      "unauthorized",
      "forbidden",
      "not_found",
      "too_large",
      "unsupported_media_type",
      "rate_limited",
      "overloaded",
    ],
  },
];

import type { Context } from "hono";
import type { Config } from "../env.ts";
import { authenticate } from "../auth/authenticate.ts";
import { NOT_FOUND, ERROR_STATUS, ok, type RateLimit, type Refusal, refuse, type Result } from "../errors.ts";
import { IDEMPOTENCY_KEY_MAX_CHARACTERS, REASON_MAX_CHARACTERS } from "../limits.ts";
import { type Caller, type Network, reasonSchema, type Scope } from "../schema/caller.ts";
import { idempotencyKeySchema, orgSchema } from "../schema/names.ts";
import type { ReadGrant } from "../schema/ledger.ts";
import type { Reader } from "../query/traced.ts";

type Variables = {
  config: Config;
  requestId: string;
  /** When the request arrived: what `received_at` says. */
  now: number;
  caller?: Caller;
  /** Who sent a token that has expired: no caller, but somebody we know. */
  expired?: Caller;
  refusal?: Refusal;
  /** What the caller may still read; said in the answer's headers. */
  limits?: RateLimit[];
  /** Whose pages may read the answer, once the org's ledger has let the caller in. */
  corsOrigins?: readonly string[];
};
export type App = { Bindings: Env; Variables: Variables };
export type Ctx = Context<App>;

/** An answer under its request's id. All of ours leave here: a `Response` with its headers at once costs half of one that gets them later. */
export function answer(
  c: Ctx,
  status: number,
  body: BodyInit,
  headers: Record<string, string> & { "content-type": string },
): Response {
  return new Response(body, {
    status,
    headers: { ...headers, ...limitHeaders(c), "x-request-id": c.get("requestId") },
  });
}

/** Source: draft-ietf-httpapi-ratelimit-headers-11. */
function limitHeaders(c: Ctx): Record<string, string> {
  const limits = c.get("limits") ?? [];
  if (limits.length === 0) return {};
  return {
    "ratelimit-policy": limits.map(({ policy, quota }) => `"${policy}";q=${quota};w=1`).join(", "),
    ratelimit: limits.map(({ policy, left, reset_s }) => `"${policy}";r=${left};t=${reset_s}`).join(", "),
  };
}

/** An answer as JSON. */
export function json(c: Ctx, value: object, status = 200, headers: Record<string, string> = {}): Response {
  return answer(c, status, JSON.stringify(value), { "content-type": "application/json", ...headers });
}

/** An error as `application/problem+json`. Source: RFC 9457. */
export function problem(c: Ctx, refusal: Refusal, more: Record<string, string> = {}): Response {
  const { code, detail, errors, reads, retry_after_s, limits } = refusal;
  c.set("refusal", refusal);
  if (limits !== undefined) c.set("limits", limits);
  const status = ERROR_STATUS[code];
  const body = {
    type: "about:blank",
    title: TITLES[code],
    status,
    code,
    detail,
    request_id: c.get("requestId"),
    errors,
    reads,
  };
  const headers: Parameters<typeof answer>[3] = {
    "content-type": "application/problem+json",
    "cache-control": "no-store",
    ...more,
  };
  if (retry_after_s !== undefined) headers["retry-after"] = String(retry_after_s);
  if (code === "unauthorized") headers["www-authenticate"] = "Bearer";
  return answer(c, status, JSON.stringify(body), headers);
}

const TITLES: Record<Refusal["code"], string> = {
  invalid_event: "An event is not valid",
  invalid_request: "The request is not valid",
  unauthorized: "No valid key",
  forbidden: "The key may not do this",
  not_found: "Not found",
  method_not_allowed: "Method not allowed",
  conflict: "Conflict with what is there",
  too_large: "Too large",
  range_not_satisfiable: "No such bytes",
  unsupported_media_type: "Unsupported media type",
  unprocessable: "Cannot be done",
  rate_limited: "Too many requests",
  overloaded: "Overloaded",
  reads_disabled: "Reading is switched off",
  internal: "Internal error",
};

/** Who calls, decided before anything else is looked at. */
export async function callerOf(c: Ctx, scope: Scope): Promise<Result<Caller>> {
  const authorization = c.req.header("authorization") ?? null;
  const expired = (former: Caller) => c.set("expired", former);
  const caller = await authenticate(c.get("config"), { authorization, now: c.get("now"), scope, expired });
  if (caller.ok) c.set("caller", caller.value);
  return caller;
}

/** Who calls, or null for nobody in particular: what is public needs no key, but one that is sent has to be right. */
export async function callerOrNobody(c: Ctx, scope: Scope): Promise<Result<Caller | null>> {
  return c.req.header("authorization") === undefined ? ok(null) : callerOf(c, scope);
}

/** The org of the path. One that cannot exist is answered like one that does not. */
export function orgOf(c: Ctx): Result<string> {
  const org = orgSchema.safeParse(c.req.param("org"));
  return org.success ? ok(org.data) : NOT_FOUND;
}

/** Who reads which org, for verbs that trace. */
export async function readerOf(c: Ctx, scope: Scope = "events:read"): Promise<Result<Reader>> {
  const caller = await callerOf(c, scope);
  if (!caller.ok) return caller;
  const org = orgOf(c);
  if (!org.ok) return org;
  const reason = reasonOf(c);
  if (!reason.ok) return reason;
  const network = networkTraced(c);
  return ok({ org: org.value, caller: caller.value, network, reason: reason.value, granted: grantedOf(c) });
}

/** Keeps what a grant says of its reader's share and pages, for the headers of the answer. */
export function grantedOf(c: Ctx): (grant: ReadGrant) => void {
  return ({ limits, cors_origins }) => {
    c.set("limits", limits);
    c.set("corsOrigins", cors_origins);
  };
}

/** Why somebody reads; null where it is not said. */
export function reasonOf(c: Ctx): Result<string | null> {
  const reason = reasonSchema.safeParse(c.req.header("audit-reason") ?? "");
  if (reason.success) return ok(reason.data);
  return refuse("invalid_request", `Audit-Reason may be at most ${REASON_MAX_CHARACTERS} characters.`);
}

/** Where a request came from, as a trace keeps it. */
export function networkTraced(c: Ctx): Network {
  const ip = c.req.header("cf-connecting-ip");
  const user_agent = c.req.header("user-agent")?.slice(0, 500);
  return {
    request_id: c.get("requestId"),
    ...(ip === undefined ? {} : { ip }),
    ...(user_agent === undefined ? {} : { user_agent }),
  };
}

export function idempotencyKeyOf(c: Ctx): Result<string | null> {
  const text = c.req.header("idempotency-key");
  if (text === undefined) return ok(null);
  const key = idempotencyKeySchema.safeParse(text);
  if (key.success) return ok(key.data);
  return refuse(
    "invalid_request",
    `Idempotency-Key must be 1 to ${IDEMPOTENCY_KEY_MAX_CHARACTERS} printable ASCII characters without spaces.`,
  );
}

/** Headers of an answer that carries an org's entries. Where its trace stands tells how much the log holds: no restricted reader gets that. */
export function tracedHeaders(c: Ctx, read_index: number | null): Record<string, string> {
  const caller = c.get("caller");
  if (caller?.kind === "viewer" && caller.restriction !== null) return { "cache-control": "no-store" };
  return { "cache-control": "no-store", "audit-read-index": read_index === null ? "queued" : String(read_index) };
}

import { CORS_PREFLIGHT_SECONDS } from "../limits.ts";
import { maySeeAnswers } from "../policy/cors-origins.ts";
import { orgSchema } from "../schema/names.ts";
import { corsOriginSchema } from "../schema/org.ts";
import type { Ctx } from "./context.ts";

const ORG_PATH = /^\/v1\/orgs\/([^/]+)/;
const SENT = "authorization, content-type, audit-reason, idempotency-key, prefer, x-request-id";
const SHOWN = "audit-read-index, audit-warnings, ratelimit, ratelimit-policy, retry-after, x-request-id";

/** A page of another origin that asks something of an org. */
type Page = { org: string; origin: string };

/** The page a request to an org comes from; null when no browser says that there is one. */
export function pageOf(c: Ctx): Page | null {
  const origin = c.req.header("origin");
  const org = ORG_PATH.exec(new URL(c.req.url).pathname)?.[1];
  return origin === undefined || org === undefined ? null : { org, origin };
}

/**
 * The answer to a preflight; null for what is none. It is the same for every org and asks nobody, for a browser sends no key
 * with it: whether the page may read is decided with the answer.
 */
export function preflight(c: Ctx, { origin }: Page, methods: string[]): Response | null {
  const asked = c.req.header("access-control-request-method");
  if (asked === undefined || methods.length === 0 || !corsOriginSchema.safeParse(origin).success) return null;
  const headers = {
    "access-control-allow-origin": origin,
    "access-control-allow-methods": methods.join(", "),
    "access-control-allow-headers": SENT,
    "access-control-max-age": String(CORS_PREFLIGHT_SECONDS),
    vary: "origin",
    "x-request-id": c.get("requestId"),
  };
  return new Response(null, { status: 204, headers });
}

/**
 * Lets the page read an answer, an error as well, where who asked belongs to the org; what everybody may read stays so.
 * Never with credentials of the browser.
 */
export async function showTo(c: Ctx, page: Page): Promise<void> {
  const { headers } = c.res;
  headers.append("vary", "origin");
  if (headers.has("access-control-allow-origin") || !(await maySee(c, page))) return;
  headers.set("access-control-allow-origin", page.origin);
  headers.set("access-control-expose-headers", SHOWN);
}

/** Who shows no key, or junk, learns nothing of any org, and none is asked. */
async function maySee(c: Ctx, { org, origin }: Page): Promise<boolean> {
  const known = c.get("corsOrigins");
  if (known !== undefined) return known.includes(origin);
  const caller = c.get("caller") ?? c.get("expired");
  const named = orgSchema.safeParse(org);
  if (caller === undefined || !named.success) return false;
  return maySeeAnswers(c.get("config"), named.data, { caller, origin });
}

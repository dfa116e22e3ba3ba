import { CORS_PREFLIGHT_SECONDS } from "../limits.ts";
import { corsOriginsOf } from "../policy/cors-origins.ts";
import { orgSchema } from "../schema/names.ts";
import type { Ctx } from "./context.ts";

const ORG_PATH = /^\/v1\/orgs\/([^/]+)/;
const SENT = "authorization, content-type, audit-reason, idempotency-key, prefer, x-request-id";
const SHOWN = "audit-read-index, audit-warnings, ratelimit, ratelimit-policy, retry-after, x-request-id";

/** Whether a page of another origin asks, by an org's own setting, to read its answers. Nothing here depends on a key. */
type Page = { origin: string; allowed: Promise<boolean> };

/** The page a request to an org comes from; null when no browser says that there is one. */
export function pageOf(c: Ctx): Page | null {
  const origin = c.req.header("origin");
  if (origin === undefined) return null;
  const name = ORG_PATH.exec(new URL(c.req.url).pathname)?.[1];
  if (name === undefined) return null;
  const org = orgSchema.safeParse(name);
  // One that cannot exist is answered like one that does not.
  if (!org.success) return { origin, allowed: Promise.resolve(false) };
  const origins = corsOriginsOf(c.get("config"), org.data, c.get("now"));
  return { origin, allowed: origins.then((all) => all.includes(origin)) };
}

/** The answer to a preflight; null for what is none, and where the page may not read: that is answered as without CORS. */
export async function preflight(
  c: Ctx,
  { page, methods }: { page: Page; methods: string[] },
): Promise<Response | null> {
  const asked = c.req.header("access-control-request-method");
  if (asked === undefined || methods.length === 0 || !(await page.allowed)) return null;
  const headers = {
    "access-control-allow-origin": page.origin,
    "access-control-allow-methods": methods.join(", "),
    "access-control-allow-headers": SENT,
    "access-control-max-age": String(CORS_PREFLIGHT_SECONDS),
    vary: "origin",
    "x-request-id": c.get("requestId"),
  };
  return new Response(null, { status: 204, headers });
}

/** Lets the page read an answer, an error as well; what everybody may read stays so. Never with credentials of the browser. */
export async function showTo(page: Page, answer: Response): Promise<void> {
  const { headers } = answer;
  headers.append("vary", "origin");
  if (headers.has("access-control-allow-origin") || !(await page.allowed)) return;
  headers.set("access-control-allow-origin", page.origin);
  headers.set("access-control-expose-headers", SHOWN);
}

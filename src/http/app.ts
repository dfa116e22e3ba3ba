import { Hono } from "hono";
import { ConfigError, configOf } from "../env.ts";
import { NOT_FOUND, refuse } from "../errors.ts";
import { newRequestId } from "../ids.ts";
import { count } from "../meter.ts";
import { ensurePlatform } from "../policy/put-org.ts";
import { flushMetrics } from "../watch/flush-metrics.ts";
import { sealRefusal } from "../watch/refusals.ts";
import { type App, type Ctx, problem } from "./context.ts";
import { openApiDocument } from "./openapi.ts";
import * as deadLetters from "./routes/dead-letters.ts";
import * as events from "./routes/events.ts";
import * as keys from "./routes/keys.ts";
import * as orgs from "./routes/orgs.ts";
import * as service from "./routes/service.ts";
import * as verify from "./routes/verify.ts";

/** Every route there is, as OpenAPI tells it. */
export const operations = [orgs, events, verify, keys, deadLetters, service].flatMap((group) => group.operations);

export const app = new Hono<App>();

app.use(async (c, next) => {
  const now = Date.now();
  const sent = c.req.header("x-request-id");
  c.set("requestId", sent !== undefined && /^[A-Za-z0-9._-]{1,64}$/.test(sent) ? sent : newRequestId());
  c.set("now", now);
  try {
    c.set("config", configOf(c.env));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error({ message: "misconfigured", error: error.message });
    return problem(c, { code: "internal", detail: `This deployment is not configured: ${error.message}` });
  }
  if (c.req.method === "HEAD") c.res = methodNotAllowed(c) ?? problem(c, NOT_FOUND.refusal);
  else await next();
  c.header("x-request-id", c.get("requestId"));
  c.executionCtx.waitUntil(after(c, now));
});

app.route("/", orgs.orgs);
app.route("/", events.events);
app.route("/", verify.verify);
app.route("/", keys.keys);
app.route("/", deadLetters.deadLetters);
app.route("/", service.service);
app.get("/openapi.json", (c) => c.json(openApiDocument(operations)));

app.notFound((c) => methodNotAllowed(c) ?? problem(c, NOT_FOUND.refusal));

app.onError((error, c) => {
  // A client gets a fixed sentence; the cause goes to telemetry, found by the request id.
  console.error({ message: "request failed", request_id: c.get("requestId"), error: error.stack ?? String(error) });
  return problem(c, refuse("internal", "Something broke on our side; it is recorded under this request_id.").refusal);
});

const PATTERNS = operations.map(({ method, path }) => {
  return { method: method.toUpperCase(), pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, "[^/]+")}$`) };
});

/** 405 for a path that has other methods; null for one that has none. */
function methodNotAllowed(c: Ctx): Response | null {
  const { pathname } = new URL(c.req.url);
  const methods = PATTERNS.filter(({ pattern }) => pattern.test(pathname)).map(({ method }) => method);
  if (methods.length === 0) return null;
  c.header("allow", methods.join(", "));
  return problem(c, refuse("method_not_allowed", `This path takes ${methods.join(", ")}.`).refusal);
}

/** What follows an answer: its log line, its counters, and the trace of a refusal. */
async function after(c: Ctx, began: number): Promise<void> {
  const config = c.get("config");
  const path = new URL(c.req.url).pathname;
  const route = operations.find(({ method, path: template }) => {
    const pattern = new RegExp(`^${template.replaceAll(/\{\w+\}/g, "[^/]+")}$`);
    return method.toUpperCase() === c.req.method && pattern.test(path);
  })?.path;
  const { status } = c.res;
  count("audit_requests_total", { route: route ?? "(none)", status: String(status) });
  const caller = c.get("caller");
  console.log({
    message: "request",
    request_id: c.get("requestId"),
    method: c.req.method,
    route: route ?? "(none)",
    org: c.req.param("org") ?? null,
    key: caller === undefined ? null : caller.kind === "trusted" ? caller.name : caller.id,
    status,
    code: c.get("refusal")?.code ?? null,
    ms: Date.now() - began,
  });
  await ensurePlatform(config, { host: new URL(c.req.url).host, now: began }).catch((error: unknown) => {
    console.warn({ message: "org platform is not there yet", error: String(error) });
  });
  await sealRefusal(config, {
    org: c.req.param("org") ?? null,
    caller: caller ?? null,
    refusal: c.get("refusal") ?? null,
  });
  await flushMetrics(config);
}

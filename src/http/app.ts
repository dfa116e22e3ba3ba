import { Hono } from "hono";
import { routePath } from "hono/route";
import * as z from "zod";
import { configOf } from "../env.ts";
import { NOT_FOUND, refuse } from "../errors.ts";
import { newRequestId } from "../ids.ts";
import { log } from "../log.ts";
import { count } from "../meter.ts";
import { nameOf } from "../schema/caller.ts";
import { ensurePlatform } from "../policy/put-org.ts";
import { flushMetrics } from "../watch/flush-metrics.ts";
import { sealRefusal } from "../watch/refusals.ts";
import { type App, type Ctx, json, problem } from "./context.ts";
import { pageOf, preflight, showTo } from "./cors.ts";
import { openApiDocument } from "./openapi.ts";
import { LOG_PARAMETER } from "./of-log.ts";
import type { Operation } from "./operation.ts";
import * as deadLetters from "./routes/dead-letters.ts";
import * as erasures from "./routes/erasures.ts";
import * as events from "./routes/events.ts";
import * as holds from "./routes/holds.ts";
import * as exports from "./routes/exports.ts";
import * as keys from "./routes/keys.ts";
import * as quarantines from "./routes/quarantines.ts";
import * as reads from "./routes/reads.ts";
import * as prove from "./routes/prove.ts";
import * as orgs from "./routes/orgs.ts";
import * as retention from "./routes/retention.ts";
import * as service from "./routes/service.ts";
import * as stats from "./routes/stats.ts";
import * as targets from "./routes/targets.ts";
import * as verify from "./routes/verify.ts";
import * as viewerTokens from "./routes/viewer-tokens.ts";

const OPENAPI: Operation = {
  method: "get",
  path: "/openapi.json",
  id: "getOpenApi",
  summary: "This document",
  tag: "Operate",
  scope: null,
  answers: {
    200: { description: "OpenAPI 3.1.", body: { "application/json": z.looseObject({ openapi: z.string() }) } },
  },
  errors: [],
};

const GROUPS = [
  orgs,
  events,
  targets,
  stats,
  verify,
  prove,
  keys,
  viewerTokens,
  reads,
  quarantines,
  holds,
  erasures,
  retention,
  exports,
  deadLetters,
  service,
];

/** Every route there is, as OpenAPI tells it. */
export const operations = [...GROUPS.flatMap((group) => group.operations), OPENAPI];

export const app = new Hono<App>();

app.use(async (c, next) => {
  const now = Date.now();
  const sent = c.req.header("x-request-id");
  c.set("requestId", sent !== undefined && /^[A-Za-z0-9._-]{1,64}$/.test(sent) ? sent : newRequestId());
  c.set("now", now);
  c.set("config", configOf(c.env));
  const page = pageOf(c);
  const flown = page !== null && c.req.method === "OPTIONS" ? preflight(c, page, methodsOf(c)) : null;
  if (flown !== null) c.res = flown;
  else if (c.req.method === "HEAD") c.res = methodNotAllowed(c) ?? problem(c, NOT_FOUND.refusal);
  else await next();
  if (page !== null && flown === null) await showTo(c, page);
  c.executionCtx.waitUntil(after(c, now));
});

app.route("/", orgs.orgs);
app.route("/", events.events);
app.route("/", targets.targets);
app.route("/", stats.stats);
app.route("/", verify.verify);
app.route("/", prove.prove);
app.route("/", keys.keys);
app.route("/", viewerTokens.viewerTokens);
app.route("/", reads.reads);
app.route("/", quarantines.quarantines);
app.route("/", holds.holds);
app.route("/", erasures.erasures);
app.route("/", retention.retention);
app.route("/", exports.exports);
app.route("/", deadLetters.deadLetters);
app.route("/", service.service);
app.get(OPENAPI.path, (c) => json(c, openApiDocument(operations)));

app.notFound((c) => methodNotAllowed(c) ?? problem(c, NOT_FOUND.refusal));

app.onError((error, c) => {
  // A client gets a fixed sentence; the cause goes to telemetry, found by the request id.
  log("error", { message: "request failed", request_id: c.get("requestId"), error: error.stack ?? String(error) });
  return problem(c, refuse("internal", "Something broke on our side; it is recorded under this request_id.").refusal);
});

const ROUTES = operations.map(({ method, path }) => {
  const pattern = path
    .replace("{path}", ".+")
    .replace("{log}", "[0-9]+")
    .replaceAll(/\{\w+\}/g, "[^/]+");
  return { method: method.toUpperCase(), path, pattern: new RegExp(`^${pattern}$`) };
});

/** Paths as OpenAPI writes them, by how the router does. */
const PATHS = new Map(
  operations.map(({ path }) => [
    path
      .replaceAll(/\{(\w+)\}/g, ":$1")
      .replace(":path", ":path{.+}")
      .replace(":log/", `${LOG_PARAMETER}/`),
    path,
  ]),
);

function methodsOf(c: Ctx): string[] {
  const { pathname } = new URL(c.req.url);
  return ROUTES.filter(({ pattern }) => pattern.test(pathname)).map(({ method }) => method);
}

/** 405 for a path that has other methods; null for one that has none. */
function methodNotAllowed(c: Ctx): Response | null {
  const methods = methodsOf(c);
  if (methods.length === 0) return null;
  const allow = methods.join(", ");
  return problem(c, refuse("method_not_allowed", `This path takes ${allow}.`).refusal, { allow });
}

/** The path of the route that was asked for, as OpenAPI writes it. */
function routeOf(c: Ctx): string {
  return PATHS.get(routePath(c, -1)) ?? "(none)";
}

/** What follows an answer: its log line, its counters, and the trace of a refusal. */
async function after(c: Ctx, began: number): Promise<void> {
  const config = c.get("config");
  const route = routeOf(c);
  const { status } = c.res;
  count("audit_requests_total", { route, status: String(status) });
  const caller = c.get("caller");
  log("info", {
    message: "request",
    request_id: c.get("requestId"),
    method: c.req.method,
    route,
    org: c.req.param("org") ?? null,
    key: caller === undefined ? null : nameOf(caller),
    status,
    code: c.get("refusal")?.code ?? null,
    ms: Date.now() - began,
  });
  if (caller !== undefined)
    await ensurePlatform(config, { url: c.req.url, now: began }).catch((error: unknown) => {
      log("warn", { message: "org platform is not there yet", error: String(error) });
    });
  await sealRefusal(config, {
    org: c.req.param("org") ?? null,
    caller: caller ?? null,
    refusal: c.get("refusal") ?? null,
  });
  await flushMetrics(config);
}

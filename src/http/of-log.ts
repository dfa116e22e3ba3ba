import { NOT_FOUND, ok, type Result } from "../errors.ts";
import type { Ctx } from "./context.ts";
import type { Operation } from "./operation.ts";

/** How the router writes the number of a log, which OpenAPI writes as `{log}`. */
export const LOG_PARAMETER = ":log{[0-9]+}";

/** The two paths of something a log has: under its org, and under the number of the log. */
export function ofLog(path: string): string[] {
  return [`/v1/orgs/:org/${path}`, `/v1/orgs/:org/${LOG_PARAMETER}/${path}`];
}

/** The number in the path; null where there is none. */
export function logNumberOf(c: Ctx): Result<number | null> {
  const text = c.req.param("log");
  if (text === undefined) return ok(null);
  return /^[1-9]\d{0,5}$/.test(text) ? ok(Number(text)) : NOT_FOUND;
}

/** The operations of both paths. */
export function eachLog(operation: Operation): Operation[] {
  const path = operation.path.replace("{org}", "{org}/{log}");
  const summary = `${operation.summary}: in the org's log of this number`;
  return [operation, { ...operation, path, summary, id: `${operation.id}OfLog` }];
}

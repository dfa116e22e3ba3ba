import * as z from "zod";
import type { Connection } from "./options.ts";
import type { Failure } from "./outcome.ts";

const problemSchema = z.object({
  code: z.string().optional(),
  detail: z.string().optional(),
  title: z.string().optional(),
  errors: z.array(z.object({ pointer: z.string(), message: z.string() })).optional(),
  request_id: z.string().optional(),
});

/** What an error answer says; whatever is not a problem document reads as its status alone. */
export type Problem = { status: number; detail: string; errors: { pointer: string; message: string }[] };

export function problemOf(status: number, body: string): Problem {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    value = null;
  }
  const checked = problemSchema.safeParse(value);
  const detail = checked.success ? (checked.data.detail ?? checked.data.title) : undefined;
  const request = checked.success && checked.data.request_id ? ` (request ${checked.data.request_id})` : "";
  return {
    status,
    detail: detail === undefined ? `the service answered ${status}` : detail + (status >= 500 ? request : ""),
    errors: checked.success ? (checked.data.errors ?? []) : [],
  };
}

/** An answer that no second try changes, with what to do about it. */
export function failureOf(problem: Problem, { url, org }: Connection): Failure {
  const what = problem.detail.replace(/\.$/, "");
  if (problem.status === 401)
    return { what: `the service does not know this key (${what})`, remedy: "give the right one with --key" };
  if (problem.status === 403)
    return { what: `this key may not do that (${what})`, remedy: "use a key with the scope named" };
  if (problem.status === 404) {
    const create = `curl -X PUT ${url}/v1/orgs/${org} -H "Authorization: Bearer $INDELIBLE_KEY" -H "Content-Type: application/json" -d '{}'`;
    return { what: `there is no org ${org} at ${url}, or this key may not see it`, remedy: `create it: ${create}` };
  }
  const named = problem.errors.length > 0 || problem.status === 422;
  return {
    what: `the service refused the request with ${problem.status}: ${what}`,
    remedy: named ? "change what it names; --help says how" : "check --url and the versions of both sides",
  };
}

/** Why nothing answered, in words. */
export function reasonOf(error: unknown, url: string): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  if (code === "ECONNREFUSED") return `nothing listens at ${url}`;
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return `${new URL(url).hostname} cannot be found`;
  if (error instanceof Error && error.name === "TimeoutError") return "no answer in time";
  if (code === "ECONNRESET" || code === "UND_ERR_SOCKET") return "the connection broke";
  return cause instanceof Error ? cause.message || code : String(error);
}

import { randomBytes } from "node:crypto";
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import type * as z from "zod";
import { keyText } from "../../src/auth/key.ts";
import { ERROR_STATUS, type ErrorCode } from "../../src/errors.ts";
import { newKeyName } from "../../src/ids.ts";
import { problemSchema } from "../../src/schema/answers.ts";
import type { Scope } from "../../src/schema/caller.ts";
import { type Answer, call } from "../support/client.ts";

/** Makes a key of an org through the API. */
export async function orgKey(org: string, scopes: readonly Scope[]): Promise<{ id: string; key: string }> {
  const made = await call("POST", `/v1/orgs/${org}/keys`, { body: { name: "test", scopes } });
  expect(made.status, made.text).toBe(201);
  return made.json;
}

/** Makes a platform key through the API; `orgs` null is every customer's org. */
export async function platformKey(
  scopes: readonly Scope[],
  orgs: readonly string[] | null = null,
): Promise<{ id: string; key: string }> {
  const made = await call("POST", "/v1/keys", { body: { name: "test", scopes, orgs } });
  expect(made.status, made.text).toBe(201);
  return made.json;
}

/** A key of right shape and HMAC that no store knows. */
export function unknownKey(kind: "o" | "p"): string {
  return keyText(env.KEY_PEPPER, `ind_${kind}${newKeyName()}`, randomBytes(32));
}

/** The same key with another last character, so that its HMAC is wrong. */
export function spoiled(key: string): string {
  return key.slice(0, -1) + (key.endsWith("A") ? "B" : "A");
}

/** Checks that an answer is a problem of RFC 9457 with this code, and answers it. */
export function problemOf(answer: Answer, code: ErrorCode): z.infer<typeof problemSchema> {
  expect(answer.json?.code, answer.text).toBe(code);
  expect(answer.status).toBe(ERROR_STATUS[code]);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(answer.headers.get("cache-control")).toBe("no-store");
  const problem = conforms(problemSchema, answer.json);
  expect(problem).toMatchObject({ status: answer.status, request_id: answer.headers.get("x-request-id") });
  expect(problem.title.length * problem.detail.length).toBeGreaterThan(0);
  return problem;
}

/** Checks that a value is of a shape and has no member the shape does not know, and answers it. */
export function conforms<T extends z.ZodType>(shape: T, value: unknown): z.infer<T> {
  const parsed = shape.parse(value);
  expect(parsed).toEqual(value);
  return parsed;
}

/** Everything of an answer that a caller can see. */
export function bytesOf({ status, headers, text }: Answer): unknown {
  return { status, headers: [...headers], text };
}

/** The error of one bad member: where it is, and what is said of it. */
export function memberErrors(answer: Answer, code: ErrorCode): Record<string, string> {
  const { errors = [] } = problemOf(answer, code);
  return Object.fromEntries(errors.map(({ pointer, message }) => [pointer, message]));
}

/** Mints a viewer token through the API. */
export async function viewerToken(
  org: string,
  {
    key,
    ...wanted
  }: { key?: string; actor?: object; scopes?: Scope[]; restriction?: object; expires_in_s?: number } = {},
): Promise<{ id: string; token: string; expires_at: string }> {
  const body = { actor: { type: "user", id: "u_viewer" }, scopes: ["events:read"], ...wanted };
  const made = await call("POST", `/v1/orgs/${org}/viewer-tokens`, { body, ...(key === undefined ? {} : { key }) });
  expect(made.status, made.text).toBe(201);
  return made.json;
}

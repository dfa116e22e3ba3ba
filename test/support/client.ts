import { exports } from "cloudflare:workers";
import { env } from "cloudflare:workers";

const BASE = "http://log.test";

let orgs = 0;
/** An org's name that no other test of this run has. */
export function freshOrg(stem = "org"): string {
  return `${stem}-${Date.now().toString(36)}-${orgs++}`;
}

export type Answer = { status: number; headers: Headers; text: string; json: any };

/** A request through the Worker's own door. `key` is the root key unless another, or null for none, is given. */
export async function call(
  method: string,
  path: string,
  {
    body,
    key = env.ROOT_KEY,
    headers = {},
  }: { body?: unknown; key?: string | null; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const text =
    body === undefined || typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
  const response = await exports.default.fetch(
    new Request(`${BASE}${path}`, {
      method,
      headers: {
        ...(text === undefined ? {} : { "content-type": "application/json" }),
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...headers,
      },
      ...(text === undefined ? {} : { body: text }),
    }),
  );
  const answer = new TextDecoder().decode(await response.arrayBuffer());
  const json =
    /\/(problem\+)?json$/.test(response.headers.get("content-type") ?? "") && answer !== "" ? JSON.parse(answer) : null;
  return { status: response.status, headers: response.headers, text: answer, json };
}

/** Creates an org of its own for a test. */
export async function createOrg(stem = "org"): Promise<string> {
  const org = freshOrg(stem);
  const created = await call("PUT", `/v1/orgs/${org}`, { body: { name: stem } });
  if (created.status !== 201) throw new Error(`org not created: ${created.status} ${created.text}`);
  return org;
}

/** A small valid event; `n` tells them apart. */
export function event(n: number, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { action: "document.share", actor: { type: "user", id: `u_${n % 7}` }, metadata: { n }, ...more };
}

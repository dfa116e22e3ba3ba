import { env } from "cloudflare:workers";
import { untilProjected } from "./check-ledger.ts";
import { call } from "./client.ts";
import type { Cell } from "./tamper.ts";

export const repair = (org: string, body: object = { reason: "verify named it" }) =>
  call("POST", `/v1/orgs/${org}/repair`, { body });

export const kinds = (report: any) => report.faults.map(({ kind, index }: any) => `${kind} ${index}`).sort();

export async function remove({ db, table, base }: Cell, index: number): Promise<void> {
  await db
    .prepare(`delete from ${table} where key = ?`)
    .bind(base + index)
    .run();
}

/** The service's own entries of an action, newest first. */
export async function actsOf(org: string, action: string): Promise<any[]> {
  await untilProjected(org);
  const { json } = await call("GET", `/v1/orgs/${org}/events?action=${action}`);
  return json.data;
}

export async function evidenceAt(key: string): Promise<any> {
  return JSON.parse((await (await env.ARCHIVE.get(key))?.text()) ?? "null");
}

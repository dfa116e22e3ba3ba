import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { call, createOrg, event } from "./client.ts";

/** Editing D1 behind the service's back, as somebody who owns the database could. */
type Row = { key: number; record: string };
export type Cell = { db: D1Database; table: string; base: number };

const ENTRIES = 30;
export const TABLES = Array.from({ length: 16 }, (_, n) => `entry_${String(n).padStart(2, "0")}`);

export async function cellOf(org: string): Promise<Cell> {
  const status = await call("GET", `/v1/orgs/${org}/status`);
  const { cell, org_number } = status.json.placements[0];
  const db = (env as unknown as Record<string, D1Database>)[cell] as D1Database;
  const base = org_number * 2 ** 32;
  for (const table of TABLES) {
    const found = await db
      .prepare(`select 1 from ${table} where key >= ? and key < ?`)
      .bind(base, base + 2 ** 32)
      .first();
    if (found !== null) return { db, table, base };
  }
  throw new Error("no rows in D1");
}

/** An org of ENTRIES events after its first entry, and where its rows lie. */
export async function filled(): Promise<{ org: string; cell: Cell }> {
  const org = await createOrg("tamper");
  const events = Array.from({ length: ENTRIES }, (_, n) =>
    event(n, { id: `e-${n}`, reason: "because", targets: [{ type: "doc", id: `d${n}` }] }),
  );
  await call("POST", `/v1/orgs/${org}/events`, { body: { events } });
  await call("GET", `/v1/orgs/${org}/events?limit=1&min_size=${ENTRIES + 1}`);
  return { org, cell: await cellOf(org) };
}

/** The report of a verification. */
export async function verified(org: string, query = ""): Promise<any> {
  const answer = await call("GET", `/v1/orgs/${org}/verify${query}`);
  expect(answer.status, answer.text).toBe(200);
  return JSON.parse(answer.text.trim().split("\n").at(-1) as string);
}

export async function rowAt({ db, table, base }: Cell, index: number): Promise<Row> {
  return (await db
    .prepare(`select key, record from ${table} where key = ?`)
    .bind(base + index)
    .first<Row>()) as Row;
}

export async function write({ db, table, base }: Cell, index: number, record: string): Promise<void> {
  await db
    .prepare(`insert or replace into ${table} (key, record) values (?, ?)`)
    .bind(base + index, record)
    .run();
}

import { gunzipSync } from "node:zlib";
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { CELLS } from "./faults.ts";

/** Where any of these texts stands: in a table of D1, shadow tables included, in one of an org's Durable Objects, in R2, packed or not. */
export async function placesOf(org: string, texts: readonly string[]): Promise<string[]> {
  const places: string[] = [];
  const look = (place: string, value: unknown) => {
    const held = textsOf(value);
    const found = texts.filter((text) => held.some((one) => one.includes(text)));
    if (found.length > 0) places.push(`${place}: ${found.join(", ")}`);
  };
  const databases = Object.entries({ DIRECTORY: env.DIRECTORY, CELL_0: CELLS[0], CELL_1: CELLS[1] });
  for (const [name, database] of databases) {
    const tables = await database.prepare(TABLES).all<{ name: string }>();
    for (const table of tables.results) {
      const { results } = await database.prepare(`select * from "${table.name}"`).all();
      for (const row of results) look(`${name} ${table.name}`, row);
    }
  }
  for (const [name, objects] of Object.entries({ ORG_LEDGER: env.ORG_LEDGER, ORG_JOBS: env.ORG_JOBS })) {
    await runInDurableObject(objects.getByName(org) as DurableObjectStub, (_, { storage }) => {
      for (const { name: table } of storage.sql.exec<{ name: string }>(TABLES)) {
        for (const row of storage.sql.exec(`select * from "${table}"`)) look(`${name} ${table}`, row);
      }
    });
  }
  for (let cursor: string | undefined; ; ) {
    const listed = await env.ARCHIVE.list(cursor === undefined ? {} : { cursor });
    for (const { key } of listed.objects) {
      const object = await env.ARCHIVE.get(key);
      const bytes = new Uint8Array((await object?.arrayBuffer()) ?? new ArrayBuffer());
      look(`R2 ${key}`, [key, bytes, unpacked(bytes), object?.customMetadata]);
    }
    if (!listed.truncated) break;
    cursor = listed.cursor;
  }
  return places;
}

/** Virtual tables show nothing but what their shadow tables hold. */
const TABLES = `select name from sqlite_master where type = 'table' and sql not like 'create virtual%'
  and name not like '\\_cf%' escape '\\' and name not like 'sqlite%'`;

/** Every text in a value: of bytes their UTF-8. D1 answers blobs as arrays of numbers. */
function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (value instanceof Uint8Array) return [Buffer.from(value).toString("latin1"), Buffer.from(value).toString()];
  if (value instanceof ArrayBuffer) return textsOf(new Uint8Array(value));
  if (Array.isArray(value) && typeof value[0] === "number") return textsOf(Uint8Array.from(value as number[]));
  if (typeof value === "object" && value !== null) return Object.values(value).flatMap(textsOf);
  return [];
}

function unpacked(bytes: Uint8Array): string {
  try {
    return gunzipSync(bytes).toString();
  } catch {
    return "";
  }
}

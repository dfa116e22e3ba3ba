import { env } from "cloudflare:workers";
import { base64url } from "../../src/chain/encoding.ts";
import { entryHash } from "../../src/chain/leaf.ts";
import { configOf } from "../../src/env.ts";
import { headMac } from "../../src/ledger/head-mac.ts";
import { sha256 } from "../../src/sha256.ts";
import { SLOTS } from "./check/read-stores.ts";

/** D1 as it was when the log had `to` entries there. */
export async function setBack(cell: D1Database, { org_number, to }: { org_number: number; to: number }): Promise<void> {
  const [low, high] = [org_number * 2 ** 32 + to, (org_number + 1) * 2 ** 32];
  const gone = await cell.batch<{ record: string }>(
    SLOTS.map((slot) => cell.prepare(`select record from entry_${slot} where key >= ?1 and key < ?2`).bind(low, high)),
  );
  await cell.batch([
    ...SLOTS.flatMap((slot) => [
      cell.prepare(`delete from entry_${slot} where key >= ?1 and key < ?2`).bind(low, high),
      cell.prepare(`delete from term_${slot} where rowid >= ?1 and rowid < ?2`).bind(low, high),
    ]),
    cell
      .prepare("update cursor set next = ?2, head_mac = ?3 where org_number = ?1")
      .bind(org_number, to, await macAt(cell, { org_number, to })),
    ...gone.flatMap(({ results }) => results).map(({ record }) => uncount(cell, org_number, record)),
  ]);
}

/** What the fence said then. */
async function macAt(cell: D1Database, { org_number, to }: { org_number: number; to: number }): Promise<string | null> {
  for (const slot of SLOTS) {
    const statement = cell.prepare(`select record from entry_${slot} where key = ?1`);
    const record = await statement.bind(org_number * 2 ** 32 + to - 1).first<string>("record");
    if (record === null) continue;
    const { leaf } = JSON.parse(record) as { leaf: string };
    const { log } = JSON.parse(leaf) as { log: string };
    return headMac(configOf(env), log, { size: to, prev: base64url(entryHash(sha256, leaf)) });
  }
  return null;
}

function uncount(cell: D1Database, org_number: number, record: string): D1PreparedStatement {
  const { leaf, sections } = JSON.parse(record) as { leaf: string; sections: { event: { text: string } } };
  const { category, sequenced_at } = JSON.parse(leaf) as { category: string; sequenced_at: string };
  const { action, targets = [] } = JSON.parse(sections.event.text) as { action: string; targets?: { type: string }[] };
  const types = [...new Set(targets.map(({ type }) => type))].sort().join("\n");
  return cell
    .prepare(
      `update counter set count = count - 1
       where org_number = ?1 and day = ?2 and category = ?3 and action = ?4 and target_types = ?5`,
    )
    .bind(org_number, sequenced_at.slice(0, 10), category, action, types);
}

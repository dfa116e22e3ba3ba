import { gzipSync } from "node:zlib";
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { append, batchOf } from "../support/append.ts";
import { archiveDue, checkLedger, untilProjected } from "../support/check-ledger.ts";
import { readLedger, readSegments } from "../support/check/read-stores.ts";
import { createOrg, event } from "../support/client.ts";

type Spoil = (org: string) => Promise<unknown>;

const inLedger =
  (statement: string): Spoil =>
  (org) =>
    runInDurableObject(env.ORG_LEDGER.getByName(org), (_, { storage }) => {
      storage.sql.exec(statement);
    });

/** Runs a statement in the org's cell; `LOW` stands for its first key, `NUMBER` for its number, `NN` for this month. */
const inCell =
  (statement: string): Spoil =>
  async (org) => {
    const [placement] = (await readLedger(org)).placements;
    const now = new Date();
    const slot = String((now.getUTCFullYear() * 12 + now.getUTCMonth()) % 16).padStart(2, "0");
    const number = placement?.org_number ?? 0;
    const text = statement.replaceAll("LOW", String(number * 2 ** 32)).replaceAll("NUMBER", String(number));
    await env[placement?.cell as "CELL_0"].prepare(text.replaceAll("NN", slot)).run();
  };

const inR2 =
  (change: (text: string) => string | null): Spoil =>
  async (org) => {
    const objects = await readSegments((await readLedger(org)).org.log);
    for (const [name, text] of objects) {
      const changed = change(text ?? "");
      await (changed === null ? env.ARCHIVE.delete(name) : env.ARCHIVE.put(name, gzipSync(changed)));
    }
  };

/** What is spoiled, and what checkLedger says then. Entries 0–2 are archived, 3 and 4 are staged too. */
const SPOILED: Record<string, [Spoil, RegExp]> = {
  "a staged text": [inLedger("update staged set lines = replace(lines, 'u_4', 'u_5')"), /does not open its commitment/],
  "a staged leaf": [
    inLedger("update staged set lines = replace(lines, 'general', 'generic') where first = 3"),
    /category|not canonical/,
  ],
  "a staged row's weight": [inLedger("update staged set bytes = bytes + 1"), /count or bytes/],
  "a head": [inLedger("update staged set head = 'x'"), /head is not the hash/],
  "a segment row": [inLedger("delete from segment"), /are nowhere|archived/],
  "an id's receipt": [inLedger("update id_receipt set position = position + 1"), /the receipt of/],
  "a missing id receipt": [inLedger("delete from id_receipt where id = 'a'"), /one receipt for each client's id/],
  "a batch's receipt": [inLedger("update batch_receipt set first = first + 1"), /batch|entry/],
  "a missing batch receipt": [inLedger("delete from batch_receipt"), /one batch receipt/],
  "a segment's bytes": [inR2((text) => text.replace("u_1", "u_2")), /holds other bytes/],
  "a segment that is gone": [inR2(() => null), /is not in R2/],
  "a changed row": [
    inCell("update entry_NN set record = replace(record, 'u_1', 'u_2') where key = LOW + 1"),
    /entry rows/,
  ],
  "a missing row": [inCell("delete from entry_NN where key = LOW + 1"), /entry rows/],
  "an added row": [inCell("insert into entry_NN (key, record) values (LOW + 77, '{}')"), /entry rows/],
  "a missing search row": [inCell("delete from term_NN where rowid = LOW + 1"), /search index/],
  "a doubled search row": [inCell("insert into term_NN (rowid, x) values (LOW + 1, 'a')"), /search index/],
  "a counter": [inCell("update counter set count = count + 1 where org_number = NUMBER"), /counters/],
  "an action seen": [
    inCell("update action_seen set first_day = '2000-01-01' where org_number = NUMBER"),
    /actions seen/,
  ],
  "a fence": [inCell("update cursor set next = next + 1 where org_number = NUMBER"), /fence|projected null/],
};

describe("checkLedger", () => {
  it.each(Object.keys(SPOILED))("finds %s", async (name) => {
    const org = await createOrg("spoiled");
    await append(org, batchOf([event(1, { id: "a" }), event(2)]));
    await archiveDue(org);
    await append(org, batchOf([event(4, { id: "b" }), event(5)]));
    await untilProjected(org);
    await checkLedger(org);
    const [spoil, message] = SPOILED[name] as [Spoil, RegExp];
    await spoil(org);
    await expect(checkLedger(org)).rejects.toThrow(message);
  });
});

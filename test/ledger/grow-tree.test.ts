import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { base64url } from "../../src/chain/encoding.ts";
import { entryHash } from "../../src/chain/leaf.ts";
import { configOf } from "../../src/env.ts";
import { coreOf } from "../../src/ledger/core.ts";
import { growTree } from "../../src/ledger/grow-tree.ts";
import { loadState } from "../../src/ledger/state.ts";
import { sha256 } from "../../src/sha256.ts";
import { append, batchOf } from "../support/append.ts";
import { checkLedger, later, statusOf, untilProjected, wake } from "../support/check-ledger.ts";
import { createOrg, event } from "../support/client.ts";

const events = (count: number) => Array.from({ length: count }, (_, n) => event(n));

/** Rewrites the newest staged row: `first` names another entry as the one before it, and those after it fit on. */
function forge(sql: SqlStorage, first: number): void {
  const { lines } = sql.exec<{ lines: string }>("select lines from staged where first = ?", first).one();
  let prev = base64url(new Uint8Array(32));
  const forged = lines.split("\n").map((line) => {
    const record = JSON.parse(line) as { leaf: string };
    record.leaf = record.leaf.replace(/"prev":"[^"]+"/, `"prev":"${prev}"`);
    prev = base64url(entryHash(sha256, record.leaf));
    return JSON.stringify(record);
  });
  sql.exec("update staged set lines = ?, head = ? where first = ?", forged.join("\n"), prev, first);
}

it.each([255, 256, 257])("does not go on from %i entries with one that names another before it", async (size) => {
  const org = await createOrg("grown");
  await append(org, batchOf(events(size - 1)));
  await untilProjected(org);
  await later(61_000, () => wake(org));
  expect(await statusOf(org)).toMatchObject({ published: size });
  await append(org, batchOf(events(3)));
  await runInDurableObject(env.ORG_LEDGER.getByName(org), async (_, { storage }) => {
    const { sql } = storage;
    const grown = () => {
      const state = loadState(sql);
      if (state === null) throw new Error("there is a ledger");
      return growTree(coreOf(configOf(env), storage, state), size + 3);
    };
    const [before] = sql.exec<{ lines: string; head: string }>("select lines, head from staged where first = ?", size);
    forge(sql, size);
    await expect(grown()).rejects.toThrow(`entry ${size} does not name the one before it`);
    sql.exec("update staged set lines = ?, head = ? where first = ?", before?.lines, before?.head, size);
    expect((await grown()).edge.length % 32).toBe(0);
  });
  await checkLedger(org, { archived: true });
});

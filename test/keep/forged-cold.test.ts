import { gunzipSync, gzipSync } from "node:zlib";
import { env } from "cloudflare:workers";
import { afterAll, describe, expect, it, vi } from "vitest";
import { putSegment } from "../../src/archive/segment.ts";
import { sealEntry } from "../../src/chain/seal.ts";
import { configOf } from "../../src/env.ts";
import { tellCells } from "../../src/keep/tell-cells.ts";
import { makeLog, saltsFor, sha256 } from "../chain/support.ts";
import { readLedger } from "../support/check/read-stores.ts";
import { statusOf } from "../support/check-ledger.ts";
import { call } from "../support/client.ts";
import { coolOrg, filledOrg, fillMonth, setDay } from "../support/cool.ts";
import { strand } from "../support/strand.ts";
import { verified } from "../support/tamper.ts";

afterAll(() => {
  vi.useRealTimers();
});

describe("whoever writes to R2", () => {
  it("changes no cold entry that a reader is shown: what a segment's name does not vouch for is unreadable", async () => {
    const org = await filledOrg(3, 7, { days: 2, each: 3 });
    setDay(10, 15);
    await coolOrg(org);
    const { segments } = await readLedger(org);
    const { name, first, last } = segments[1] as { name: string; first: number; last: number };
    const packed = await (await env.ARCHIVE.get(name))?.arrayBuffer();
    const lines = gunzipSync(Buffer.from(packed as ArrayBuffer))
      .toString()
      .split("\n");
    const record = JSON.parse(lines[0] as string);
    record.sections.actor.text = '{"id":"mallory"}';
    await env.ARCHIVE.put(name, gzipSync([JSON.stringify(record), ...lines.slice(1)].join("\n")));
    const listed = await call(
      "GET",
      `/v1/orgs/${org}/events?after_index=${first - 1}&before_index=${last + 1}&order=asc`,
    );
    expect(listed.text).not.toContain("mallory");
    expect(listed.json.data.map(({ index, unreadable }: any) => [index, typeof unreadable])).toEqual(
      Array.from({ length: last - first + 1 }, (_, n) => [first + n, "string"]),
    );
    expect((await call("GET", `/v1/orgs/${org}/events/${first}`)).text).not.toContain("mallory");
    // Who verifies is told what is wrong with it.
    expect(await verified(org)).toMatchObject({ ok: false, breaks: [{ kind: "content_changed", index: first }] });
  });

  it("makes no entries of an earlier log cold that only R2 knows of", async () => {
    const org = await filledOrg(3, 4, { days: 2, each: 3 });
    await strand(org);
    const continued = await call("POST", `/v1/orgs/${org}/continue`, { body: { reason: "stranded" } });
    expect(continued.status, continued.text).toBe(201);
    await fillMonth(org, 6, { days: 2, each: 3 });
    setDay(10, 15);
    const { log } = (await readLedger(org)).earlier[0] as { log: string };
    // Chained to the log's own beginning, and not ended before what is asked for.
    const forged = makeLog(
      Array.from({ length: 5 }, () => ({})),
      { log, predecessor: "" },
    );
    const lines = forged.sealed.map(({ line }) => line);
    const { line } = sealEntry(sha256, {
      log,
      index: 5,
      prev: forged.sealed.at(-1)?.prev ?? "",
      category: "general",
      keep_until: "2040-11-21",
      sequenced_at: "2039-01-01T00:00:00.000Z",
      source: "client",
      sections: [{ name: "event", text: JSON.parse(lines[0] as string).sections.event.text }],
      salts: saltsFor("x", 1),
    });
    const prefix = `seg/${log}/`;
    const { objects } = await env.ARCHIVE.list({ prefix });
    const own = objects.map(({ key }) => key).filter((key) => !key.slice(prefix.length).includes("/"));
    await env.ARCHIVE.delete(own);
    await putSegment(env.ARCHIVE, { log, first: 0, lines: [...lines, line], headMac: null });
    const cooled = await coolOrg(org);
    expect(cooled.logs.find(({ log: number }) => number === 1)).toEqual({ log: 1, before: 0 });
    expect(cooled.faults).toMatchObject([{ kind: "damaged" }]);
  });
});

describe("a cell that was set back", () => {
  it("is not told of a number that is another log's by now", async () => {
    const org = await filledOrg(3, 7, { days: 2, each: 3 });
    setDay(10, 15);
    await coolOrg(org);
    const { placements, cold_before } = await statusOf(org);
    const { cell, org_number } = placements[0] as { cell: string; org_number: number };
    const db = (env as unknown as Record<string, D1Database>)[cell] as D1Database;
    const cooled = () => db.prepare("select before from cooled where org_number = ?1").bind(org_number).first("before");
    expect(await cooled()).toBe(cold_before);
    const name = "log.test/v1/orgs/somebody-else";
    await db.batch([
      db.prepare("delete from cooled where org_number = ?1").bind(org_number),
      db.prepare("update org_number set log = ?2 where org_number = ?1").bind(org_number, name),
    ]);
    await tellCells(configOf(env), org);
    expect(await cooled()).toBeNull();
  });
});

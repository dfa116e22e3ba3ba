import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { putSegment, segmentsOver } from "../../src/archive/segment.ts";
import { configOf } from "../../src/env.ts";
import { LineReader } from "../../src/export/read-lines.ts";
import { coldLines } from "../../src/query/cold-lines.ts";
import { reachOf } from "../../src/query/name-segments.ts";
import type { LogGrant } from "../../src/schema/ledger.ts";
import { freshOrg } from "../support/client.ts";

const config = configOf(env);
const COUNT = 1_010;
const log = { number: 1, log: `log.test/v1/orgs/${freshOrg("named")}` } as LogGrant;
const lineAt = (n: number) => `{"n":${n}}`;

/** An earlier log of single entries, two of which are there twice: more objects than one list operation tells of. */
beforeAll(async () => {
  const put = (of: string, first: number, line: string) =>
    putSegment(env.ARCHIVE, { log: of, first, lines: [line], headMac: null });
  for (let n = 0; n < COUNT; n += 10) {
    await Promise.all(Array.from({ length: 10 }, (_, k) => put(log.log, n + k, lineAt(n + k))));
  }
  for (const n of [5, 998]) await put(log.log, n, `{"n":${n},"again":true}`);
  // The log that continues it lies under the same prefix.
  await put(`${log.log}/2`, 0, lineAt(0));
}, 60_000);

describe("an earlier log of more segments than R2 lists at once", () => {
  it.each(["asc", "desc"] as const)("is read to its end, %s, each entry once", async (order) => {
    const found = new Map<number, string>();
    const range = { log, newest: false, low: 0, high: COUNT, order };
    for await (const { first, lines } of coldLines(config, "x", range)) {
      for (const [n, line] of lines.entries()) found.set(first + n, line);
    }
    const other = (n: number) => (n === 5 || n === 998 ? expect.stringContaining(`{"n":${n}`) : lineAt(n));
    expect(found).toEqual(new Map(Array.from({ length: COUNT }, (_, n) => [n, other(n)])));
  });

  it("is copied to its end, from wherever, and what it has not is a gap to its end", async () => {
    const reader = new LineReader(config, "x", { number: 1, log: log.log, newest: false });
    for (const n of [0, 997, 999, COUNT - 1]) {
      expect(await reader.from(n)).toEqual({ kind: "lines", lines: [lineAt(n)] });
    }
    expect(await reader.from(COUNT)).toEqual({ kind: "gap", next: null });
  });

  it("is named object by object, though copies of an entry are told of by two operations", async () => {
    const over = await segmentsOver(env.ARCHIVE, log.log, { from: 0, to: COUNT });
    expect(over.map(({ first }) => first)).toHaveLength(COUNT + 2);
    expect(new Set(over.map(({ name }) => name)).size).toBe(COUNT + 2);
  });

  it("tells how far down some of its segments reach", async () => {
    const reach = (count: number, low = 0) => reachOf(config, "x", { log, newest: false, low, high: COUNT, count });
    expect(await reach(10)).toBe(COUNT - 10);
    expect(await reach(10, COUNT - 3)).toBe(COUNT - 3);
    expect(await reach(COUNT + 3)).toBe(0);
  });
});

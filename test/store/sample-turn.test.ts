import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createOrg } from "../../src/store/org.ts";
import { takeTurn } from "../../src/store/sample-turn.ts";
import { directory, freshName } from "./cells.ts";

const DAY_MS = 86_400_000;
const TODAY = Math.floor(Date.now() / DAY_MS) * DAY_MS;
const MINUTE_MS = 60_000;

let db: D1Database;
let orgs: string[];

/** Those of the tests before, out of the way until this is over: a day of many is another day. */
beforeAll(async () => {
  db = await directory();
  await db.exec("create table others as select * from org");
});
afterAll(async () => {
  await db.batch(
    ["delete from org", "insert into org select * from others", "drop table others"].map((sql) => db.prepare(sql)),
  );
});

beforeEach(async () => {
  await db.prepare("delete from org").run();
  for (let n = 0; n < 3; n++) {
    await createOrg(db, { org: freshName("turn"), name: "", jurisdiction: "none", cell: "CELL_0", created_at: 1 });
  }
  orgs = (await db.prepare("select org from org order by org").all<{ org: string }>()).results.map(({ org }) => org);
  await db.prepare("delete from sample_turn").run();
});

const at = (minute: number, limit = 20) => takeTurn(db, { now: TODAY + minute * MINUTE_MS, limit });

describe("the turn to be sampled", () => {
  it("comes to each org once a day, in order, spread over the day", async () => {
    const taken: string[] = [];
    const minutes = new Set<number>();
    for (let minute = 0; minute < 1_440; minute += 5) {
      for (const org of await at(minute)) {
        taken.push(org);
        minutes.add(minute);
      }
    }
    expect(taken).toEqual(orgs);
    expect(minutes.size).toBe(orgs.length);
    expect(Math.max(...minutes)).toBeGreaterThan(480);
  });

  it("writes nothing in a minute without an org", async () => {
    await at(0);
    const before = await db.prepare("select * from sample_turn").first();
    expect(await at(1)).toEqual([]);
    expect(await db.prepare("select * from sample_turn").first()).toEqual(before);
  });

  it("is one asker's alone of those who ask at once", async () => {
    const asked = await Promise.all(Array.from({ length: 4 }, () => at(1_439)));
    expect(asked.flat().sort()).toEqual(orgs.slice(0, 20));
  });

  it("catches up with what a silent cron left, a bounded number at a time, and goes on the next day where it was", async () => {
    expect(await at(1_439, 2)).toEqual(orgs.slice(0, 2));
    const next = await takeTurn(db, { now: TODAY + DAY_MS + 1_439 * MINUTE_MS, limit: orgs.length });
    expect(next).toEqual([...orgs.slice(2), ...orgs.slice(0, 2)]);
  });

  it("comes though the clock was set back", async () => {
    await takeTurn(db, { now: TODAY + 40 * DAY_MS + 1_439 * MINUTE_MS, limit: 1 });
    expect(await at(1_439, 1)).toEqual(orgs.slice(1, 2));
  });
});

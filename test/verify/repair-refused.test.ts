import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { archiveDue, checkLedger } from "../support/check-ledger.ts";
import { readLedger } from "../support/check/read-stores.ts";
import { breakMethod, breakR2, CELLS, dropArchived, restoreFaults } from "../support/faults.ts";
import { actsOf, kinds, remove, repair } from "../support/repair.ts";
import { filled, rowAt, verified, write } from "../support/tamper.ts";

afterEach(restoreFaults);

const AT = 11;

describe("a repair that cannot be made", () => {
  it("asks for a reason, and for both of to and expect", async () => {
    const { org } = await filled();
    for (const body of [{}, { reason: " " }, { reason: "x", to: 5 }, { reason: "x", expect: "A".repeat(43) }]) {
      const refused = await repair(org, body);
      expect([refused.status, refused.json.code]).toEqual([400, "invalid_request"]);
    }
  });

  it("names a segment that is gone or changed, and touches no row", async () => {
    const { org, cell } = await filled();
    await archiveDue(org);
    await dropArchived(org);
    const { segments } = await readLedger(org);
    const name = segments[0]?.name ?? "";
    await remove(cell, AT);
    for (const [edit, why] of [
      ["put", "holds other bytes"],
      ["delete", "is not in the archive"],
    ] as const) {
      await (edit === "put" ? env.ARCHIVE.put(name, "junk\n") : env.ARCHIVE.delete(name));
      const refused = await repair(org);
      expect([refused.status, refused.json.code]).toEqual([422, "unprocessable"]);
      expect(refused.json.detail).toContain(name);
      expect(refused.json.detail).toContain(why);
    }
    expect(await rowAt(cell, AT)).toBe(null);
  });

  it("changes nothing when R2 does not take the evidence", async () => {
    const { org, cell } = await filled();
    await write(cell, AT, "junk");
    const put = breakMethod(env.ARCHIVE, "put", "failed", { when: ([key]) => String(key).startsWith("evidence/") });
    const refused = await repair(org);
    expect([refused.status, refused.json.code]).toEqual([503, "overloaded"]);
    expect((await rowAt(cell, AT)).record).toBe("junk");
    expect(await actsOf(org, "indelible.repair.*")).toEqual([]);
    put.restore();
    expect(kinds((await repair(org)).json)).toEqual([`leaf_changed ${AT}`]);
    await checkLedger(org);
  });

  it.each(["failed", "failed but stored"] as const)(
    "shows in the log that D1 stopped midway (%s), and goes on",
    async (kind) => {
      const { org, cell } = await filled();
      await write(cell, AT, "junk");
      const mends = ([statements]: any[]) => JSON.stringify(statements).includes("delete from term_");
      const faults = CELLS.map((one) => breakMethod(one, "batch", kind, { times: 1, when: mends }));
      const refused = await repair(org);
      expect([refused.status, refused.json.code]).toEqual([503, "overloaded"]);
      for (const fault of faults) fault.restore();
      expect((await actsOf(org, "indelible.repair.begun")).length).toBe(1);
      expect(await actsOf(org, "indelible.repair.ended")).toEqual([]);
      const again = await repair(org);
      expect(kinds(again.json)).toEqual(kind === "failed" ? [`leaf_changed ${AT}`] : []);
      await checkLedger(org);
      expect(await verified(org)).toMatchObject({ ok: true });
    },
  );

  it("waits while a verification runs, and while R2 is down", async () => {
    const { org } = await filled();
    const ledger = env.ORG_LEDGER.getByName(org);
    await ledger.leaseVerify(org, "somebody else", "take");
    expect(await repair(org)).toMatchObject({ status: 429, json: { code: "rate_limited" } });
    await ledger.leaseVerify(org, "somebody else", "release");
    await archiveDue(org);
    await dropArchived(org);
    breakR2();
    expect(await repair(org)).toMatchObject({ status: 503, json: { code: "overloaded" } });
  });
});

import { expect, it } from "vitest";
import { redactLine } from "../../src/chain/redact.ts";
import { VERIFY_REST_LISTS } from "../../src/limits.ts";
import { archivedOrg, begun, byJane, carriedOut, config } from "../keep/support.ts";
import { statusOf, untilProjected } from "../support/check-ledger.ts";
import { event } from "../support/client.ts";
import { cellOf, rowAt, verified, write } from "../support/tamper.ts";

const EVENTS = [event(1), byJane(2), event(3), byJane(4), event(5)];
const LIST = new Map([
  [2, ["actor", "actor/detail"]],
  [4, ["actor", "actor/detail", "note"]],
]);

async function erased() {
  const org = await archivedOrg(EVENTS, "absent");
  const removal = await begun(org, LIST);
  await carriedOut(org, removal);
  return { org, removal };
}

const blamed = (report: any) => report.breaks.map(({ kind, index, section }: any) => `${kind} ${index} ${section}`);

it("explains what an erasure took by its cause and its list, also where the cause is out of sight", async () => {
  const { org, removal } = await erased();
  const absent = { erased: 5, expired: 0, withheld: 0 };
  expect(await verified(org)).toMatchObject({ ok: true, breaks: [], could_not_check: [], absent });
  const part = await verified(org, `?from=3&to=${removal.by}`);
  expect(part.absent).toEqual({ ...absent, erased: 3 });
  expect(part.could_not_check).toEqual([]);
});

it("could not check it without the list, and blames it by another", async () => {
  const { org, removal } = await erased();
  const { log } = await verified(org);
  const name = `tree/${log}/absences/${removal.list}`;
  const list = await (await config.archive.get(name))?.text();
  expect(list).toContain("4 note\n");
  await config.archive.delete(name);
  const open = await verified(org);
  expect(open).toMatchObject({ ok: false, breaks: [], absent: { erased: 0 } });
  expect(open.could_not_check).toHaveLength(1);
  await config.archive.put(name, `${list}5 note\n`);
  const report = await verified(org);
  expect(blamed(report)).toEqual(["unexplained_gap 4 actor"]);
  expect(report.breaks[0].detail).toContain("is another one");
});

it("blames a row of D1 that lost more than the list names", async () => {
  const { org, removal } = await erased();
  const cell = await cellOf(org);
  const { record } = await rowAt(cell, 5);
  await write(cell, 5, redactLine(record, ["metadata"], { cause: "erased", by: removal.by }));
  for (const query of ["", `?to=${removal.by}`]) {
    const report = await verified(org, query);
    expect(report.ok).toBe(false);
    expect(report.breaks[0].detail).toContain("does not have metadata of entry 5");
  }
  await write(cell, 5, redactLine(record, ["metadata"], { cause: "erased", by: 3 }));
  expect(blamed(await verified(org))).toEqual(["unexplained_gap 5 metadata"]);
  await write(cell, 5, redactLine(record, ["metadata"], { cause: "erased", by: removal.by, log: 9 }));
  expect((await verified(org)).breaks[0].detail).toContain("the org has no log 9");
});

it("goes as far as it may look up causes, and on from there: many small removals leave a log that verifies", async () => {
  const count = VERIFY_REST_LISTS + 10;
  const org = await archivedOrg(
    Array.from({ length: count }, (_, n) => event(n + 1)),
    "causes",
  );
  for (let n = 1; n <= count; n++) await begun(org, new Map([[n, ["metadata"]]]));
  await untilProjected(org);
  const cell = await cellOf(org);
  const { size } = await statusOf(org);
  // As a removal leaves it: each entry lacks a section by a cause of its own.
  for (let n = 1; n <= count; n++) {
    const { record } = await rowAt(cell, n);
    await write(cell, n, redactLine(record, ["metadata"], { cause: "erased", by: size - count + n - 1 }));
  }
  const report = await verified(org);
  const past = { ok: true, breaks: [], could_not_check: [] };
  expect(report).toMatchObject({ ...past, absent: { erased: VERIFY_REST_LISTS }, continue_from: 11 });
  const rest = await verified(org, `?to=${report.continue_from}&expect=${report.continue_expect}`);
  expect(rest).toMatchObject({ ...past, absent: { erased: 10 }, continue_from: null });
});

import { env } from "cloudflare:workers";
import { afterAll, describe, expect, it, vi } from "vitest";
import type { NoteKey } from "../../src/chain/note/note-key.ts";
import type { Certificate } from "../../src/schema/erasure.ts";
import type { ExportAnswer } from "../../src/schema/export.ts";
import type { RunAnswer } from "../../src/schema/retention.ts";
import type { KeptCheckpoint } from "../../src/verifier/index.ts";
import { tableOf } from "../export/read-csv.ts";
import { problemOf } from "../http/support.ts";
import { list } from "../query/support.ts";
import { auditorOf } from "../support/auditor.ts";
import { checkLedger, statusOf, untilProjected } from "../support/check-ledger.ts";
import { call, createOrg } from "../support/client.ts";
import { rowsOf } from "../support/cool.ts";
import { answersAreRight, dryRun, exported, forgotten, nightlyRun, serviceSays, showingHer } from "./support/asking.ts";
import { absencesOf, differing, isTabled, TABLED } from "./support/compare.ts";
import { CASE, goneOf, HERS, isHeld, isHers, isOver, type Lived, type Past, POLICY } from "./support/life.ts";
import { linesIn, mirrored, proven, type Taken, taken, verifiedIn } from "./support/offline.ts";
import { asked, live, night, rowsIn, setHour, walked } from "./support/org.ts";

/** More take some minutes: `KEEPING_ENTRIES=100000 npx vitest run --project cells test/journeys/keeping.test.ts`. */
const ENTRIES = Number(env.KEEPING_ENTRIES);
const TIMEOUT_MS = 60_000 + 20 * ENTRIES;
const NOTHING = { erased: 0, expired: 0, withheld: 0 };

afterAll(() => {
  vi.useRealTimers();
});

/** One log, from its first entry on: each step goes on where the one before ended. */
describe("a log that is kept, and let go of", { timeout: TIMEOUT_MS }, () => {
  let org = "";
  let origin = "";
  let keys: NoteKey[] = [];
  let lived: Lived[] = [];
  let past: Past = { expired: false, erased: false, held: true };
  const holds = { audit: "", case: "" };
  const older: KeptCheckpoint[] = [];
  const exports: ExportAnswer[] = [];
  let everything: Taken;
  let run: RunAnswer;
  let certificate: Certificate;

  const on = (path: string) => `/v1/orgs/${org}/${path}`;
  const indexesOf = (test: (one: Lived) => boolean) => lived.filter(test).map(({ index }) => index);

  async function keep(name: string): Promise<void> {
    const auditor = await auditorOf(org);
    ({ origin, keys } = auditor);
    older.push({ ...auditor.kept, name });
  }

  it("is written for half a year, archived and signed", async () => {
    setHour(3, 1);
    org = await createOrg("keeping");
    await asked("PUT", on("retention"), POLICY);
    holds.audit = (await asked("POST", on("holds"), { reason: "an audit is under way" })).id;
    lived = await live(org, ENTRIES, async (month) => month === 5 && (await keep("of May")));
    await keep("of August");
    expect(lived).toHaveLength(ENTRIES);
    const { size, archived, published } = await statusOf(org);
    expect([archived, published]).toEqual([size, size]);
  });

  it("leaves D1 month by month once R2 is proven to have it, and is listed and searched as before", async () => {
    setHour(10, 15);
    expect(await rowsIn([3, 4, 5, 6])).toBeGreaterThan(ENTRIES);
    await night();
    setHour(10, 15, 13);
    await night();
    expect(await rowsIn([3, 4, 5, 6])).toBe(0);
    await untilProjected(org);
    const { size, cold_before } = await statusOf(org);
    expect(cold_before).toBe(lived.find(({ said }) => (said.sequenced_at ?? "") > "2031-07")?.index);
    const hot = await Promise.all(["2031-07", "2031-08", "2031-10"].map((month) => rowsOf(org, month)));
    expect(hot.reduce((sum, rows) => sum + rows)).toBe(size - cold_before);
    for (const [order, said] of [
      ["desc", /^(hot )+(both )?(cold )+$/],
      ["asc", /^(cold )+(both )?(hot )+$/],
    ] as const) {
      const { indexes, tiers } = await walked(org, { order, limit: Math.min(1_000, Math.ceil(ENTRIES / 8)) });
      expect(indexes.length).toBeGreaterThanOrEqual(size);
      expect(order === "asc" ? indexes : indexes.toReversed()).toEqual(indexes.map((_, n) => n));
      expect(tiers.map((tier) => `${tier} `).join("")).toMatch(said);
    }
    await answersAreRight(org, lived, past);
  });

  it("is exported whole, every line proven, and in part, as a table", async () => {
    const all = await exported(org, { format: "ndjson", reason: "an audit" });
    everything = await taken(all);
    const { report, checkpoint } = await proven(everything, keys);
    older.push(checkpoint);
    const { rows } = all;
    expect(report).toMatchObject({ ok: true, complete: true, rows, faults: [], stopped_at: null });
    const whole = { origin, size: rows, rows, first: 0, last: rows - 1, proven: rows, absent: NOTHING };
    expect(report.logs).toMatchObject([whole]);
    expect(await differing(linesIn(everything), lived)).toEqual([]);
    const some = await exported(org, { format: "csv", reason: "a look", ...TABLED });
    const table = tableOf(Buffer.concat((await taken(some)).chunks).toString());
    const wanted = lived.filter(isTabled);
    expect(wanted.length).toBeGreaterThan(0);
    expect(table.map(({ index, reason, metadata, actor_id }) => [Number(index), reason, metadata, actor_id])).toEqual(
      wanted.map(({ index, said }) => [index, said.reason ?? "", said.metadata, said.actor?.id]),
    );
    exports.push(all, some);
  });

  it("lets a category expire, on its day and not before, but for what is held", async () => {
    expect(await nightlyRun(org, "2031-10-15")).toMatchObject({ entries: 0, held: indexesOf(isOver).length });
    holds.case = (await asked("POST", on("holds"), { reason: "a case", ...CASE })).id;
    await asked("POST", on(`holds/${holds.audit}/release`), { reason: "it is over" });
    problemOf(await call("POST", on("retention/runs"), { body: { as_of: "2036-01-01" } }), "unprocessable");
    await untilProjected(org);
    const refused = await list(org, { action: "indelible.retention.refused" });
    expect(refused.json.data).toMatchObject([{ metadata: { as_of: "2036-01-01", today: "2031-10-15" } }]);

    const { size } = await statusOf(org);
    const { entries, sections, held, counts, first } = await dryRun(org, "2031-10-16");
    // It takes nothing, and its answer is traced.
    expect((await statusOf(org)).size).toBe(size + 1);
    setHour(10, 16);
    await night();
    run = await nightlyRun(org, "2031-10-16");
    expect(run).toMatchObject({ dry_run: false, entries, sections, held, counts });

    past = { ...past, expired: true };
    const gone = indexesOf((one) => goneOf(one, past) !== null);
    const count = lived.reduce((sum, one) => sum + (goneOf(one, past)?.sections.length ?? 0), 0);
    const left = indexesOf((one) => isOver(one) && isHeld(one));
    expect([entries, sections, held]).toEqual([gone.length, count, left.length]);
    expect(first.map(({ index }) => index)).toEqual(gone.slice(0, 1_000));
    expect(Math.min(gone.length, left.length)).toBeGreaterThan(0);
    await answersAreRight(org, lived, past);
  });

  it("forgets a person, but for what is held, and says so", async () => {
    const left = indexesOf((one) => isHers(one) && isHeld(one));
    expect(left.length).toBeGreaterThan(0);
    certificate = await forgotten(org);
    past = { ...past, erased: true };
    const indexes = left.slice(0, 100).map((index) => ({ log: 1, index }));
    expect(certificate.held).toEqual({ entries: left.length, indexes });
    expect(certificate.elsewhere.exports).toBe(exports.length);
    for (const { id } of exports) expect((await asked("GET", on(`exports/${id}`))).state).toBe("withdrawn");
    expect(await showingHer(org)).toEqual(left);
    const lines = linesIn(await taken(await exported(org, { format: "ndjson", reason: "a look" })));
    const shown: number[] = [];
    for await (const line of lines) if (line.includes(HERS)) shown.push(JSON.parse(JSON.parse(line).leaf).index);
    expect(shown).toEqual(left);
    await answersAreRight(org, lived, past);
  });

  it("is proven by a copy alone, against every checkpoint from before: what is gone was let go of", async () => {
    const folder = `/tmp/${org}`;
    await mirrored(org, folder);
    const causesOf = (said: { causes: { index: number }[] }) => said.causes.map(({ index }) => index);
    const by = { erased: causesOf(certificate), expired: causesOf(run) };
    const { counted, wrong, look } = absencesOf(lived, past, by);
    const report = await verifiedIn(folder, { origin, keys, older, look });
    expect(report).toMatchObject({ ok: true, breaks: [], could_not_check: [], unvouched: [] });
    expect(report.older).toEqual(older.map(({ name, size }) => ({ name, size, grew: true })));
    const { size } = report;
    expect(report).toMatchObject({ entries: size, records: size, sections_unseen: 0, absent: counted });
    expect(wrong).toEqual([]);
    expect(counted).toEqual({ ...NOTHING, erased: certificate.removed.sections, expired: run.sections });
    const said = await serviceSays(org);
    expect(said.absent).toEqual(counted);
    expect(said.checked).toBeGreaterThanOrEqual(size);
    // What was taken out before proves itself as on the first day.
    const { report: again } = await proven(everything, keys);
    expect(again).toMatchObject({ ok: true, complete: true, faults: [], logs: [{ absent: NOTHING }] });
  });

  it("lets go of what was held once nobody holds it any more", async () => {
    await asked("POST", on(`holds/${holds.case}/release`), { reason: "settled" });
    setHour(10, 17);
    await night();
    const left = indexesOf((one) => isOver(one) && isHeld(one));
    expect(await nightlyRun(org, "2031-10-17")).toMatchObject({ entries: left.length, held: 0 });
    expect((await forgotten(org)).held).toEqual({ entries: 0, indexes: [] });
    expect(await showingHer(org)).toEqual([]);
    past = { ...past, held: false };
    const expired = lived.flatMap((one) => goneOf(one, past) ?? []).filter(({ cause }) => cause === "expired");
    const sections = expired.reduce((sum, one) => sum + one.sections.length, 0);
    expect((await serviceSays(org)).absent).toMatchObject({ expired: sections, withheld: 0 });
    await checkLedger(org, { archived: true });
  });
});

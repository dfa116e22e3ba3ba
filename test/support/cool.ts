import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import { putSegment, readSegment, type Segment } from "../../src/archive/segment.ts";
import { base64url } from "../../src/chain/encoding.ts";
import { entryHash, type Leaf } from "../../src/chain/leaf.ts";
import { leafOf } from "../../src/chain/record.ts";
import { configOf } from "../../src/env.ts";
import { COOLING, type Cooled } from "../../src/keep/cool-step.ts";
import { coolRequest, sweepCells } from "../../src/keep/sweep-cells.ts";
import { append, batchOf } from "./append.ts";
import { sha256 } from "../../src/sha256.ts";
import { must } from "./check/check-entry.ts";
import { readLedger } from "./check/read-stores.ts";
import { archiveDue, statusOf } from "./check-ledger.ts";
import { createOrg, event } from "./client.ts";
import { finishJob } from "./jobs.ts";
import { serviceReader } from "../../src/schema/caller.ts";

const HOT_DAYS = 90;

/** Makes what is old enough of an org cold, step by step, as its job does; answers how its logs stand. */
export async function coolOrg(org: string, now = Date.now()): Promise<Cooled> {
  const request = coolRequest(now, HOT_DAYS);
  const context = { config: configOf(env), org, id: "cooling", by: serviceReader(org) };
  for (let progress: Parameters<typeof COOLING.step>[2] = null; ; ) {
    const stepped = await COOLING.step(context, request, progress);
    must(!("refusal" in stepped), `a step was refused: ${JSON.stringify(stepped)}`);
    if (stepped.result !== null) return stepped.result;
    // Progress is stored as text between steps.
    progress = JSON.parse(JSON.stringify(stepped.progress));
  }
}

/** One sweep of every cell, with the jobs it begins run to their end at once; answers whose they were. */
export async function sweep(now = Date.now()): Promise<string[]> {
  const { orgs, id } = await sweepCells(configOf(env), now);
  for (const org of orgs) await finishJob(org, "cooling", id);
  return orgs;
}

/** Sets the clock to a day of 2031, or of a later year where the month is past the twelfth. */
export function setDay(month: number, day: number): void {
  if (!vi.isFakeTimers()) vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(Date.UTC(2031, month - 1, day, 12));
}

/** Appends `days` batches of `each` events in a month, on days of their own, and archives them. */
export async function fillMonth(
  org: string,
  month: number,
  { days = 4, each = 5 }: { days?: number; each?: number } = {},
): Promise<void> {
  for (let day = 0; day < days; day++) {
    setDay(month, 2 + day * 5);
    await append(org, batchOf(Array.from({ length: each }, (_, n) => eventOf(month, day * each + n))));
  }
  await archiveDue(org);
}

/** An org whose log has entries in each month from the first to the last of 2031. */
export async function filledOrg(
  from: number,
  to: number,
  more: { days?: number; each?: number } = {},
): Promise<string> {
  setDay(from, 1);
  const org = await createOrg("tiers");
  for (let month = from; month <= to; month++) await fillMonth(org, month, more);
  return org;
}

function eventOf(month: number, n: number): Record<string, unknown> {
  return event(n, {
    id: `e-${month}-${n}`,
    occurred_at: new Date().toISOString(),
    action: n % 3 === 0 ? "document.share" : "user.login",
    category: n % 4 === 0 ? "login" : "data_modification",
    actor: { type: "user", id: `u_${n % 5}`, name: `Ada Number${n % 5}` },
    targets: [{ type: "document", id: `d_${n % 3}` }],
    changes: { before: { [`f_${n % 3}`]: month }, after: { [`f_${n % 3}`]: month + 1 } },
    context: { ip: `10.0.0.${n % 6}` },
    outcome: { result: n % 7 === 0 ? "failure" : "success" },
  });
}

/** The slot of a month, as 2031-03. */
export function slotAt(month: string): string {
  const [year = 0, of = 0] = month.split("-").map(Number);
  return String((year * 12 + of - 1) % 16).padStart(2, "0");
}

/** The cell of an org's first entries, and the key of its entry 0 there. */
export async function placeOf(org: string): Promise<{ cell: D1Database; low: number }> {
  const [placement] = (await statusOf(org)).placements;
  must(placement !== undefined, "a log has a placement");
  return { cell: env[placement.cell as "CELL_0"], low: placement.org_number * 2 ** 32 };
}

/** How many rows of an org a month's slot holds. */
export async function rowsOf(org: string, month: string): Promise<number> {
  const { cell, low } = await placeOf(org);
  const count = cell.prepare(`select count(*) as n from entry_${slotAt(month)} where key >= ?1 and key < ?2`);
  return (await count.bind(low, low + 2 ** 32).first<number>("n")) ?? 0;
}

/** Puts every entry that is archived into a segment of its own, as those of a quiet log are. */
export async function splitSegments(org: string): Promise<void> {
  const { segments, org: of } = await readLedger(org);
  const rows: (Segment & { head: string; sequenced_at: number })[] = [];
  for (const { first, last, name } of segments) {
    const lines = await readSegment(env.ARCHIVE, { first, last, name });
    for (const [n, line] of lines.entries()) {
      const index = first + n;
      const segment = await putSegment(env.ARCHIVE, { log: of.log, first: index, lines: [line], headMac: null });
      const { sequenced_at: sealed } = JSON.parse(leafOf(line)) as Leaf;
      const sequenced_at = Date.parse(sealed);
      rows.push({ ...segment, head: base64url(entryHash(sha256, leafOf(line))), sequenced_at });
    }
  }
  await runInDurableObject(env.ORG_LEDGER.getByName(org), (_, { storage: { sql } }) => {
    sql.exec("delete from segment");
    for (const { first, last, name, head, sequenced_at } of rows) {
      const named = "insert into segment (first, last, name, head, sequenced_at) values (?, ?, ?, ?, ?)";
      sql.exec(named, first, last, name, head, sequenced_at);
    }
  });
}

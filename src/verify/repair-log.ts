import { createHash } from "node:crypto";
import { type Evidence, putEvidence } from "../archive/evidence.ts";
import type { Config } from "../env.ts";
import { ok, refuse, type Result } from "../errors.ts";
import { newRequestId } from "../ids.ts";
import { callLedger } from "../ledger/client.ts";
import { REPAIR_BATCH_ROWS } from "../limits.ts";
import { log } from "../log.ts";
import type { Act } from "../schema/act.ts";
import type { Caller } from "../schema/caller.ts";
import type { LeaseAct, ReadGrant } from "../schema/ledger.ts";
import { mendRows } from "../store/mend-rows.ts";
import { grantFor } from "./confirm-faults.ts";
import { type Findings, findFaults, type PlacedFault, type PlacedMend } from "./find-faults.ts";

/** What is to be repaired: entries `[from, to)`; `to` past 0 needs the `expect` that an earlier call answered for it. */
export type Repair = { reason: string; from: number; to: number | null; expect: string | null };

export type RepairReport = {
  checked: number;
  from: number;
  to: number;
  faults: (Omit<PlacedFault, "found" | "key"> & { evidence: string | null })[];
  begun_index: number | null;
  ended_index: number | null;
  continue_from: number | null;
  continue_expect: string | null;
};

const PUTS_AT_ONCE = 6;

/**
 * Mends an org's rows in D1 by the ledger's own lines, a bounded number a call. In this order: what was found goes to R2 as
 * evidence, `indelible.repair.begun` is sealed, rows change, `indelible.repair.ended` is sealed. Where nothing is wrong,
 * nothing is written.
 */
export async function repairLog(
  config: Config,
  org: string,
  { caller, repair }: { caller: Caller; repair: Repair },
): Promise<Result<RepairReport>> {
  const granted = await callLedger(config, org, async (ledger) => await ledger.authorize(org, caller, "operate"));
  if (!granted.ok) return granted;
  const grant = granted.value;
  if (repair.to !== null && repair.to > grant.size) {
    return refuse("unprocessable", `to is ${repair.to}, but the log has ${grant.size} entries.`);
  }
  const holder = newRequestId();
  const lease = (act: LeaseAct) =>
    callLedger(config, org, async (ledger) => await ledger.leaseVerify(org, holder, act));
  const leased = await lease("take");
  if (!leased.ok) return leased;
  try {
    return await repairLeased(config, org, { grant, repair, renew: () => lease("renew") });
  } finally {
    await lease("release");
  }
}

async function repairLeased(
  config: Config,
  org: string,
  { grant, repair, renew }: { grant: ReadGrant; repair: Repair; renew: () => Promise<Result<null>> },
): Promise<Result<RepairReport>> {
  const to = repair.to ?? grant.size;
  const range = { from: Math.min(repair.from, to), to, expect: repair.expect ?? grant.head };
  const searched = await findFaults(config, org, { grant, range });
  if (!searched.ok) return searched;
  const { faults, mends, next, checked, from } = searched.value;
  const report = { checked, from, to, continue_from: next?.to ?? null, continue_expect: next?.expect ?? null };
  if (faults.length === 0) return ok({ ...report, faults: [], begun_index: null, ended_index: null });
  // The search may have outlived its lease: whoever took it since may have mended the same rows, or let go of what they held.
  const renewed = await renew();
  if (!renewed.ok) return renewed;
  // Rows of a month that has left D1 since are not missing.
  if ((await grantFor(config, org)).cold_before !== grant.cold_before) return COOLED;

  const evidence = await keepEvidence(config, grant, faults);
  if (evidence === null) {
    return refuse("overloaded", "R2 did not take the evidence, so nothing was repaired.", { retry_after_s: 5 });
  }
  // A crash here leaves evidence of rows that are still there: the next call keeps its own.
  const begun = await seal(config, org, begunAct(grant, { repair, found: searched.value, evidence }));
  if (!begun.ok) return begun;
  // From here on a crash leaves a begun repair without its end; a further call mends what is left.
  if (!(await mendAll(config, { mends, renew }))) {
    const detail = `Not every row of the repair begun at entry ${begun.value} is mended; a further call goes on.`;
    return refuse("overloaded", detail, { retry_after_s: 5 });
  }
  const ended = await seal(config, org, endedAct(grant, { begun_index: begun.value, rows: mends.length }));
  if (!ended.ok) return ended;
  const told = faults.map(({ found: _found, key: _key, ...fault }, n) => ({
    ...fault,
    evidence: evidence[n]?.key ?? null,
  }));
  return ok({ ...report, faults: told, begun_index: begun.value, ended_index: ended.value });
}

const COOLED = refuse("overloaded", "A month left the search database meanwhile: ask again.", { retry_after_s: 1 });

/** One object for each row that was found; a fault without a row has none. Null when R2 failed. */
async function keepEvidence(
  config: Config,
  grant: ReadGrant,
  faults: readonly PlacedFault[],
): Promise<(Evidence | null)[] | null> {
  const at = new Date().toISOString();
  const kept: (Evidence | null)[] = [];
  try {
    for (let n = 0; n < faults.length; n += PUTS_AT_ONCE) {
      const some = faults.slice(n, n + PUTS_AT_ONCE).map(async (fault, offset) => {
        const { kind, index, cell, slot, key, found, should_be, detail } = fault;
        if (found === null) return null;
        const what = { v: 1, log: grant.log, at, kind, index, cell, slot, key, found, should_be, detail };
        return putEvidence(config.archive, { log: grant.log, at, n: n + offset }, what);
      });
      kept.push(...(await Promise.all(some)));
    }
    return kept;
  } catch (error) {
    log("warn", { message: "evidence was not kept", log: grant.log, error: String(error) });
    return null;
  }
}

/** False when D1 did not take every row, or somebody else had the lease meanwhile: it is renewed before each batch. */
async function mendAll(
  config: Config,
  { mends, renew }: { mends: readonly PlacedMend[]; renew: () => Promise<Result<null>> },
): Promise<boolean> {
  try {
    for (const [name, cell] of config.cells) {
      const here = mends.filter(({ placement }) => placement.cell === name);
      for (let n = 0; n < here.length; n += REPAIR_BATCH_ROWS) {
        const some = here.slice(n, n + REPAIR_BATCH_ROWS);
        if (!(await renew()).ok) return false;
        const orgNumber = some[0]?.placement.org_number as number;
        await mendRows(
          cell,
          orgNumber,
          some.map(({ mend }) => mend),
        );
      }
    }
    return true;
  } catch (error) {
    log("warn", { message: "rows were not mended", error: String(error) });
    return false;
  }
}

function seal(config: Config, org: string, act: Act): Promise<Result<number>> {
  return callLedger(config, org, async (ledger) => await ledger.recordAct(org, act));
}

function begunAct(
  grant: ReadGrant,
  { repair, found, evidence }: { repair: Repair; found: Findings; evidence: (Evidence | null)[] },
): Act {
  const kinds: Record<string, number> = {};
  for (const { kind } of found.faults) kinds[kind] = (kinds[kind] ?? 0) + 1;
  const indexes = found.faults.map(({ index }) => index);
  const kept = evidence.filter((one) => one !== null);
  const list = kept.map(({ key, sha256 }) => `${key} ${sha256}\n`).join("");
  return {
    ...actOf(grant, "indelible.repair.begun"),
    note: { reason: repair.reason },
    metadata: {
      rows: found.mends.length,
      kinds,
      lowest_index: Math.min(...indexes),
      highest_index: Math.max(...indexes),
      evidence: { count: kept.length, sha256: createHash("sha256").update(list).digest("base64url") },
    },
  };
}

function endedAct(grant: ReadGrant, metadata: { begun_index: number; rows: number }): Act {
  return { ...actOf(grant, "indelible.repair.ended"), metadata };
}

function actOf({ key }: ReadGrant, action: Act["action"]): Act {
  return { action, category: "config_change", actor: { type: "key", id: key }, key };
}

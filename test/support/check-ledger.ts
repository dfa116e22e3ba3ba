import { env } from "cloudflare:workers";
import { expect, vi } from "vitest";
import { SEGMENT_MAX_AGE_MS } from "../../src/limits.ts";
import type { LedgerStatus } from "../../src/schema/ledger.ts";
import { checkChain, type CheckedEntry, must } from "./check/check-entry.ts";
import { checkCells, checkHeads, checkReceipts, linesOf } from "./check/check-stores.ts";
import { checkTree } from "./check/check-tree.ts";
import { type LedgerRows, readLedger, readSegments } from "./check/read-stores.ts";

export type CheckedLedger = { entries: CheckedEntry[]; ledger: LedgerRows; status: LedgerStatus; objects: string[] };

/**
 * Reads an org's ledger, D1 and R2 anew, recomputes every commitment, leaf, link and key, and compares the three.
 * `projected` and `archived` first let what is due run, and then ask that everything is there; without `projected`, D1
 * is not asked.
 */
export async function checkLedger(
  org: string,
  { projected = true, archived = false }: { projected?: boolean; archived?: boolean } = {},
): Promise<CheckedLedger> {
  if (archived) await archiveDue(org);
  else if (projected) await wake(org);
  const ledger = await readLedger(org);
  must(ledger.org.org === org, `the ledger of ${ledger.org.org}`);
  const objects = await readSegments(ledger.org.log);
  // The text of a note is all before the empty line.
  const predecessor = ledger.earlier.at(-1)?.tree.note?.split("\n\n")[0];
  const before = predecessor === undefined ? "" : `${predecessor}\n`;
  const entries = checkChain(linesOf(ledger, objects), ledger.org.log, before);
  checkHeads(ledger, entries);
  checkReceipts(ledger, entries);
  await checkTree(ledger, entries);
  const status = await statusOf(org);
  const size = entries.length;
  must(status.size === size, `memory says size ${status.size}, storage ${size}`);
  must(status.archived === (ledger.segments.at(-1)?.last ?? -1) + 1, `memory says archived ${status.archived}`);
  must(status.published === (ledger.tree?.size ?? 0), `memory says published ${status.published}`);
  const staged = (of: "count" | "bytes") => ledger.staged.reduce((sum, row) => sum + row[of], 0);
  const { backlog } = status;
  must(backlog.entries === staged("count") && backlog.bytes === staged("bytes"), "memory says another backlog");
  if (archived) must(status.archived === size, `archived ${status.archived} of ${size}`);
  if (projected) {
    must(status.projected === size, `projected ${status.projected} of ${size}`);
    await checkCells(org, ledger, { entries, projected: size });
  }
  if (archived) must(status.published === size, `published ${status.published} of ${size}`);
  if (projected && archived) {
    // What the tree wants next stays; rows beyond that have to go.
    const open = Math.max(size - (size % 256), size - 16_384);
    const left = ledger.staged.find(({ first, count }) => first + count <= open);
    must(left === undefined, `row ${left?.first} is still staged`);
  }
  return { entries, ledger, status, objects: [...objects.keys()] };
}

/** Lets a ledger do what is due, and answers how it stands then. */
export async function wake(org: string): Promise<LedgerStatus> {
  const woken = await env.ORG_LEDGER.getByName(org).wake(org);
  must(woken.ok, `the ledger does not wake: ${JSON.stringify(woken)}`);
  return woken.value;
}

export async function statusOf(org: string): Promise<LedgerStatus> {
  const status = await env.ORG_LEDGER.getByName(org).status(org);
  must(status.ok, `no status: ${JSON.stringify(status)}`);
  return status.value;
}

/** Archives what is staged as it would be a minute later, when segments are due by age. */
export async function archiveDue(org: string): Promise<LedgerStatus> {
  return later(SEGMENT_MAX_AGE_MS, () => wake(org));
}

/** Runs `act` as if `ms` had passed; afterwards the clock is as it was. */
export async function later<T>(ms: number, act: () => Promise<T>): Promise<T> {
  const faked = vi.isFakeTimers();
  const now = Date.now();
  if (!faked) vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(now + ms);
  try {
    return await act();
  } finally {
    if (faked) vi.setSystemTime(now);
    else vi.useRealTimers();
  }
}

/** Waits until everything sealed so far is in D1; as for a reader who waits, the ledger makes no pause between batches. */
export async function untilProjected(org: string): Promise<void> {
  const ledger = env.ORG_LEDGER.getByName(org);
  const stands = async () => {
    const { size } = await statusOf(org);
    const projected = await ledger.waitVisible(org, size, 2_000);
    return projected.ok && projected.value === size;
  };
  await expect.poll(stands, { timeout: 20_000 }).toBe(true);
}

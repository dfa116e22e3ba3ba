import { deleteSegments, headMacOf, putSegment, type Segment } from "../archive/segment.ts";
import { openSealed } from "../chain/open-sealed.ts";
import { redactLine } from "../chain/redact.ts";
import { assert } from "../errors.ts";
import { HOLD_WAIT_MS } from "../limits.ts";
import { callLedger } from "../ledger/client.ts";
import { absenceCauseOf, type Rewritten, type Unsaid, unsaidOf } from "../schema/keep.ts";
import { readThere } from "./read-there.ts";
import { partOf } from "./removal-list.ts";
import type { RemoveWork } from "./remove.ts";
import { settleRemoval } from "./settle-removal.ts";

/** What listed entries are after the segment was written anew; those that a hold keeps are not among them. */
export type RewrittenSegment = { changed: boolean; lines: Map<number, string> };

/**
 * Writes a segment anew without what the list names of its entries, unless a hold keeps them. In this order, so that a crash anywhere leaves
 * either: the new object, the ledger's word that it is the one, the old object's end. `held_changed`: a hold was placed meanwhile, and nothing went; null: R2 does not
 * have the segment as it was stored.
 */
export async function removeFromSegment(
  { config, org, holder, removal, log, newest, list, holding }: RemoveWork,
  segment: Segment,
): Promise<RewrittenSegment | "held_changed" | null> {
  const { archive } = config;
  const { first, last, name: old } = segment;
  const lines = await readThere(config, org, { of: { log: { ...log, number: removal.log }, newest }, segment });
  if (lines === null) return null;
  const result: RewrittenSegment = { changed: false, lines: new Map() };
  const absent: [number, readonly string[]][] = [];
  const ids: string[] = [];
  const hidden: string[] = [];
  const unsaid: Unsaid[] = [];
  const batches = new Set<string>();
  for (const [index, sections] of partOf(list, { from: first, to: last + 1 })) {
    const line = lines[index - first] as string;
    const redacted = redactLine(line, sections, absenceCauseOf(removal));
    if (redacted !== line && holding.covers({ log: removal.log, index, line })) continue;
    result.lines.set(index, redacted);
    if (redacted === line) continue;
    const opened = openSealed(line);
    const { note, event, leaf } = opened;
    const over = removal.cause === "erased" || leaf.keep_until < (removal.before ?? "");
    assert(over, "nothing expires before its day is over");
    absent.push([index, sections]);
    const act = note === null || !sections.includes("note") ? null : unsaidOf(opened, { index, cause: removal.cause });
    if (act !== null) unsaid.push(act);
    if (note?.id !== undefined) (sections.includes("note") ? hidden : ids).push(note.id);
    if (event?.batch !== undefined) batches.add(event.batch);
    lines[index - first] = redacted;
  }
  if (absent.length === 0) return result;
  const put = async () =>
    putSegment(archive, { log: log.log, first, lines, headMac: await headMacOf(archive, segment) });
  const asked = Date.now();
  const release = (named: Rewritten["segment"]) => {
    const said = {
      removal,
      holder,
      segment: named,
      absent,
      ids,
      hidden,
      unsaid,
      batches: [...batches],
      holds_version: holding.version,
    };
    return callLedger(config, org, async (ledger) => await ledger.releaseSections(org, said));
  };
  // A crash after the put leaves an object nobody knows of: the next call finds its name taken by the same bytes. What R2 has of an
  // earlier log is the log, so there the ledger's word comes first.
  const released = newest ? await release({ old, name: (await put()).name, first }) : await release(null);
  // Refused or not, whether an attempt before was not is unknown here: what was put stays, for the next round to name or to sweep away.
  if (!released.ok && released.refusal.code === "conflict") return "held_changed";
  if (!released.ok) throw new Error(released.refusal.detail);
  if (!newest) await put();
  if (Date.now() - asked > HOLD_WAIT_MS / 2) throw new Error(`segment ${old} took too long to be written anew`);
  // A crash here leaves the old object: the next round sweeps it away, or rewrites it to what is there already.
  await deleteSegments(archive, [segment]);
  // A crash here has new holds wait for a minute.
  if (!newest) await settleRemoval(config, org, { removal, over: false });
  return { ...result, changed: true };
}

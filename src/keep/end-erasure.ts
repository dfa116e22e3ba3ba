import { ok, type Result } from "../errors.ts";
import type { JobContext } from "../jobs/kind.ts";
import { callLedger } from "../ledger/client.ts";
import type { Act } from "../schema/act.ts";
import type { Certificate, ErasureRequest } from "../schema/erasure.ts";
import { erasureAct } from "./erasure-act.ts";
import { type ErasureProgress, removedBy } from "./erasure-progress.ts";

/** How an erasure ended, by whose word; `error`: why it failed. */
type Ending = { state: "done" | "failed" | "cancelled"; by: string; error: string | null };

/** Seals that an erasure ended, with what it did until then, and certifies it. It is sealed once, by the first who says so. */
export async function endErasure(
  { config, org, id }: Pick<JobContext, "config" | "org" | "id">,
  { reason }: Pick<ErasureRequest, "reason">,
  { progress, ending }: { progress: ErasureProgress; ending: Ending },
): Promise<Result<Certificate>> {
  const { logs, causes, held, unreadable, names_left, elsewhere } = progress;
  const { state, by, error } = ending;
  const removed = removedBy(causes);
  const metadata = {
    state,
    ...(error === null ? {} : { error }),
    removed,
    held: held.entries,
    unreadable,
    names_left,
    causes: causes.map(({ log, index }) => ({ log, index })),
    elsewhere,
  };
  const act: Act = {
    ...erasureAct("indelible.erasure.ended", { id, key: by, reason }),
    category: "config_change",
    metadata,
  };
  const name = `indelible.erasure.ended  ${id}`;
  const ended = await callLedger(config, org, async (ledger) => await ledger.recordAct(org, act, name));
  if (!ended.ok) return ended;
  return ok({
    logs,
    causes,
    removed,
    held,
    unreadable,
    names_left,
    elsewhere,
    ended_index: ended.value,
    remains: REMAINS,
  });
}

/** What nobody can take back from here; docs/erasure.md says more. */
const REMAINS: Certificate["remains"] = [
  { where: "D1 Time Travel and free pages of its files", until: "30 days" },
  { where: "point-in-time recovery of the org's Durable Objects, and free pages of their storage", until: "30 days" },
  { where: "messages in the queue", until: "they are delivered: ask again for what comes" },
  {
    where: "receipts: event ids and idempotency keys as the client chose them, unless its notes were erased",
    until: "for ever",
  },
  { where: "names of keys, as those who made them called them", until: "for ever" },
  {
    where: "exports that were downloaded, copies of the log that others made",
    until: "those who have them delete them",
  },
];

import type { Config } from "../env.ts";
import { ok, refuse, type Result } from "../errors.ts";
import { newBatchId } from "../ids.ts";
import { callLedger } from "../ledger/client.ts";
import { log } from "../log.ts";
import type { Caller, Network } from "../schema/caller.ts";
import type { Known, ReadAnswer, ReadGrant } from "../schema/ledger.ts";
import { logsOf } from "./logs.ts";
import { deploymentOpen } from "./deployment-reads.ts";
import { MESSAGE_VERSION, type ReadMessage } from "../schema/queue-message.ts";

/** Who reads, from where and why. `granted` is told what the ledger granted, before anything is read. */
export type Reader = {
  org: string;
  caller: Caller;
  network: Network;
  reason: string | null;
  granted?: (grant: ReadGrant) => void;
};

/** What a read found: the answer, and what its trace says of it. */
export type Found<T> = { answer: T; results: number; range: { from: number; to: number } | null };

/** A read of entries, or of what is made from them. `whileClosed`: it carries none, so it goes on while reads are closed. `weight`: how many reads it counts as. */
type Read<T> = {
  route: string;
  filter: string;
  read: (grant: ReadGrant) => Promise<Result<Found<T>>>;
  whileClosed?: boolean;
  weight?: number;
};

export type Traced<T> = { answer: T; read_index: number | null };

/**
 * The one way to an org's entries: the ledger allows it, `read` finds the answer, and the answer leaves only when its
 * trace is durable. Nothing here can be switched off by a caller.
 */
export async function traced<T>(
  config: Config,
  { org, caller, network, reason, granted }: Reader,
  { route, filter, read, whileClosed = false, weight = 1 }: Read<T>,
): Promise<Result<Traced<T>>> {
  const [allowed, begun] = await Promise.all([
    callLedger(
      config,
      org,
      async (ledger) => await ledger.authorize(org, caller, "events:read", { whileClosed, weight }),
    ),
    whileClosed ? ok(null) : deploymentOpen(config),
  ]);
  // Who may not read is told so first: that reads are closed is for those who may.
  if (!allowed.ok) return allowed;
  if (!begun.ok) return begun;
  const grant = allowed.value;
  granted?.(grant);
  if (grant.require_reason && reason === null) return NO_REASON;
  const found = await read(grant);
  if (!found.ok) return found;
  const { answer, results, range } = found.value;
  const trace: ReadAnswer = {
    route,
    filter,
    reason,
    ip: network.ip ?? null,
    user_agent: network.user_agent ?? null,
    request_id: network.request_id ?? null,
    results,
    range,
  };
  const known = knownOf(grant);
  const message = readMessage(org, grant, trace);
  // Where the trace stands says how much the log holds, which a restricted reader is not told.
  const answered = (index: number | null) => {
    const read_index = grant.restriction === null ? index : null;
    const leaves = { whileClosed, traced: index !== null, known };
    return leaving(config, { org, caller }, { ...leaves, value: { answer, read_index } });
  };
  if (grant.access_log === "queued" && (await handedOver(config, message))) return answered(null);
  // The batch id goes along: a message the queue took though it said it did not is then no second answer.
  const { batch } = message;
  const index = await callLedger(
    config,
    org,
    async (ledger) =>
      await ledger.traceRead(
        org,
        caller,
        { ...trace, ...(grant.access_log === "queued" ? { batch } : {}) },
        { whileClosed, known },
      ),
  );
  return index.ok ? answered(index.value) : index;
}

function knownOf(grant: ReadGrant): Known {
  const logs = logsOf(grant).toReversed();
  const quarantines = logs.flatMap(({ quarantined }) => quarantined.map(({ id }) => id));
  return { quarantines, cold: logs.map(({ cold_before }) => cold_before) };
}

/** Once reads are closed, more is withheld or in R2 alone, or its reader's key or token has ended, nothing leaves, though it was found and traced before. */
async function leaving<T>(
  config: Config,
  { org, caller }: Pick<Reader, "org" | "caller">,
  { whileClosed, traced, known, value }: { whileClosed: boolean; traced: boolean; known: Known; value: Traced<T> },
): Promise<Result<Traced<T>>> {
  if (whileClosed) return ok(value);
  // The ledger that sealed the trace said that this may be read; the queue knows nothing of it.
  const open = traced
    ? ok(null)
    : await callLedger(config, org, async (ledger) => await ledger.mayLeave(org, caller, known));
  if (!open.ok) return open;
  const everywhere = await deploymentOpen(config);
  return everywhere.ok ? ok(value) : everywhere;
}

const NO_REASON = refuse("invalid_request", "This org asks why it is read: send the header Audit-Reason.", {
  errors: [{ pointer: "/Audit-Reason", message: "has to say why; `reason` in calls by binding" }],
});

/** Whether the queue took the trace; what it refuses is sealed directly, as events are. */
async function handedOver(config: Config, message: ReadMessage): Promise<boolean> {
  try {
    await config.queue.send(JSON.stringify(message), { contentType: "text" });
    return true;
  } catch (error) {
    log("warn", { message: "the queue refused a trace; sealing directly", org: message.org, error: String(error) });
    return false;
  }
}

function readMessage(org: string, { key, viewer }: ReadGrant, answer: Omit<ReadAnswer, "batch">): ReadMessage {
  const received_at = new Date().toISOString();
  return { v: MESSAGE_VERSION, kind: "read", org, batch: newBatchId(), received_at, key, viewer, answer };
}

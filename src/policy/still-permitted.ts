import { stillHolds } from "../auth/authenticate.ts";
import type { Config } from "../env.ts";
import { ok, refuse, type Result } from "../errors.ts";
import type { Caller, Scope } from "../schema/caller.ts";
import { permit } from "./org.ts";

/** Whether who asked for long work may still do so: a key that was stolen is revoked while its work is under way. */
export async function stillPermitted(
  config: Config,
  org: string,
  { by, scope }: { by: Caller; scope: Scope },
): Promise<Result<null>> {
  const holds = await stillHolds(config, by, Date.now());
  const allowed = holds.ok ? await permit(config, { org, caller: by, scope }) : holds;
  if (allowed.ok) return ok(null);
  const { code } = allowed.refusal;
  return code === "unauthorized" || code === "forbidden" ? NO_MORE : allowed;
}

const NO_MORE = refuse("forbidden", "The key that asked for it was revoked, or may not do so any more.");

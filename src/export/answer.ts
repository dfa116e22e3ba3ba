import { exportLinkText } from "../auth/viewer-token.ts";
import { minterClaim } from "../auth/authenticate.ts";
import type { Config } from "../env.ts";
import { newKeyName } from "../ids.ts";
import { EXPORT_LINK_SECONDS } from "../limits.ts";
import type { Caller } from "../schema/caller.ts";
import type { ExportAnswer, ExportRequest, ExportResult } from "../schema/export.ts";
import type { Job } from "../schema/job.ts";
import type { ReadGrant } from "../schema/ledger.ts";
import { expiryOf } from "./kept.ts";
import { NONE_MISSING } from "./missing.ts";
import { type ExportProgress, totalOf } from "./progress.ts";

type Asked = { job: Job; caller: Caller; grant: ReadGrant; now: number };

/** An export as it is answered to who may have it: with links, once there is something to download. */
export function exportAnswer(config: Config, org: string, { job, caller, grant, now }: Asked): ExportAnswer {
  // What a job's texts hold is what this folder put there.
  const request = JSON.parse(job.request) as ExportRequest;
  const progress = job.progress === null ? null : (JSON.parse(job.progress) as ExportProgress);
  const result = job.result === null ? null : (JSON.parse(job.result) as ExportResult);
  const { format, filter, from, to, sections, reason, personal } = request;
  const withdrawn = result?.withdrawn ?? null;
  const ready = job.state === "done" && withdrawn === null && (grant.personal || !personal);
  return {
    ...{ id: job.id, state: withdrawn === null ? job.state : "withdrawn", format, filter, from, to, sections, reason },
    created_at: timeOf(job.created_at),
    ended_at: job.ended_at === null ? null : timeOf(job.ended_at),
    expires_at: result === null || withdrawn !== null ? null : timeOf(expiryOf(result, job.ended_at ?? now)),
    error: withdrawn?.because ?? job.error,
    progress: progressOf({ progress, result, now }),
    rows: result?.rows ?? progress?.rows ?? 0,
    bytes: result?.bytes ?? progress?.bytes ?? 0,
    missing: result?.missing ?? progress?.missing ?? NONE_MISSING,
    complete: result?.complete ?? null,
    parts: result?.parts ?? [],
    manifest_sha256: result?.manifest.sha256 ?? null,
    links: ready ? linksOf(config, org, { id: job.id, caller, grant, now }) : null,
  };
}

function progressOf({
  progress,
  result,
  now,
}: {
  progress: ExportProgress | null;
  result: ExportResult | null;
  now: number;
}): ExportAnswer["progress"] {
  if (result !== null) {
    const { entries } = result;
    return {
      entries_read: entries,
      entries_total: entries,
      percent: 100,
      entries_per_second: null,
      seconds_left: null,
    };
  }
  if (progress === null) {
    return { entries_read: 0, entries_total: null, percent: 0, entries_per_second: null, seconds_left: null };
  }
  const { read, began_at } = progress;
  const total = totalOf(progress);
  const seconds = (now - began_at) / 1_000;
  const rate = read === 0 || seconds <= 0 ? null : read / seconds;
  return {
    entries_read: read,
    entries_total: total,
    percent: total === 0 ? 0 : Math.floor((1_000 * read) / total) / 10,
    entries_per_second: rate === null ? null : Math.round(rate),
    seconds_left: rate === null ? null : Math.ceil((total - read) / rate),
  };
}

function linksOf(
  config: Config,
  org: string,
  { id, caller, grant, now }: { id: string; caller: Caller; grant: ReadGrant; now: number },
): NonNullable<ExportAnswer["links"]> {
  const expires_at = now + EXPORT_LINK_SECONDS * 1_000;
  const scopes = grant.personal ? (["events:read", "personal:read"] as const) : (["events:read"] as const);
  const common = { v: 1, link: `ind_l${newKeyName()}`, org, id, minter: minterClaim(caller), expires_at } as const;
  const link = (file: "data" | "manifest") => {
    const text = exportLinkText(config, { ...common, file, scopes: [...scopes] });
    return { url: `/v1/exports/${text}`, expires_at: timeOf(expires_at) };
  };
  return { data: link("data"), manifest: link("manifest") };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

import { streamExportFile } from "../archive/export.ts";
import { viewerCaller } from "../auth/authenticate.ts";
import { parseExportLink } from "../auth/viewer-token.ts";
import type { ExportPart } from "../chain/export-manifest.ts";
import type { Config } from "../env.ts";
import { NOT_FOUND, ok, refuse, type Result } from "../errors.ts";
import { callJobs } from "../jobs/client.ts";
import { DOWNLOAD_MAX_PARTS } from "../limits.ts";
import { log } from "../log.ts";
import { logsOf } from "../query/logs.ts";
import { type Reader, traced } from "../query/traced.ts";
import { type Caller, KEY_ACTOR, type Network } from "../schema/caller.ts";
import type { ReadGrant } from "../schema/ledger.ts";
import type { ExportLinkClaims, ExportRequest, ExportResult } from "../schema/export.ts";
import { MANIFEST_NAME } from "./manifest.ts";
import { FILE_TYPES } from "./part-work.ts";

/** Bytes `[from, to)` of a file of `size`, and what it is called. */
export type Download = {
  from: number;
  to: number;
  size: number;
  name: string;
  type: string;
  etag: string;
  body: ReadableStream<Uint8Array>;
  read_index: number | null;
};

type Range = { from: number; to: number };
type Asked = {
  link: string;
  /** Which bytes of a file this long, by its entity tag; null for those of none. */
  rangeOf: (file: { size: number; etag: string }) => Range | null;
  network: Network;
  /** Why; null where it is that of the export. */
  reason: string | null;
  now: number;
  granted: (grant: ReadGrant) => void;
};

/**
 * What a download link stands for, as a stream. Each answer is traced like any read of entries, under the name of the
 * link; whoever minted it must still be allowed to read. A link that is not ours is told what any unknown path is.
 */
export async function downloadExport(
  config: Config,
  { link, rangeOf, network, reason, now, granted }: Asked,
): Promise<Result<Download | { unsatisfiable: number }>> {
  const claims = parseExportLink(config, link);
  if (claims === null) return NOT_FOUND;
  const caller = await callerOf(config, claims, now);
  if (!caller.ok) return caller;
  const { org, id, file } = claims;
  const job = await callJobs(config, org, async (jobs) => await jobs.get(org, "export", id));
  if (!job.ok) return job;
  const request = JSON.parse(job.value.request) as ExportRequest;
  const result = job.value.result === null ? null : (JSON.parse(job.value.result) as ExportResult);
  if (result === null || result.withdrawn !== null) return NOT_FOUND;
  const whole = fileOf({ id, file, request, result });
  const range = rangeOf(whole);
  if (range === null) return ok({ unsatisfiable: whole.size });
  const pieces = piecesOf(whole.parts, range);
  const reader: Reader = { org, caller: caller.value, network, reason: reason ?? request.reason, granted };
  const found = await traced(config, reader, {
    route: "export.download",
    filter: new URLSearchParams({ export: id, file }).toString(),
    read: async (grant) => {
      const may = mayHave(grant, { request, result });
      // Of a part that is cut nobody knows which rows it has: all of them count.
      const results = pieces.reduce((sum, { part }) => sum + part.rows, 0);
      if (!may.ok) return may;
      return pieces.length > DOWNLOAD_MAX_PARTS ? TOO_LONG : ok({ answer: whole, results, range: null });
    },
  });
  if (!found.ok) return found;
  const { parts: _, ...described } = found.value.answer;
  const body = bytesOf(config, { place: { org, id }, pieces, length: range.to - range.from });
  return ok({ ...described, ...range, body, read_index: found.value.read_index });
}

async function callerOf(config: Config, claims: ExportLinkClaims, now: number): Promise<Result<Caller>> {
  const { org, link: id, minter, scopes, expires_at } = claims;
  const actor = { type: KEY_ACTOR, id: minter.key };
  const made = { org, minter, actor, scopes, restriction: null, expires_at };
  if (now >= expires_at) return LINK_EXPIRED;
  return viewerCaller(config, { id, claims: made, now, scope: "events:read", expired: () => {} });
}

const LINK_EXPIRED = refuse("unauthorized", "This link has expired: ask for the export again for another.");

function fileOf({
  id,
  file,
  request,
  result,
}: Pick<ExportLinkClaims, "id" | "file"> & { request: ExportRequest; result: ExportResult }) {
  const { manifest } = result;
  const etag = `"${file === "manifest" ? manifest.sha256 : `${manifest.sha256}-data`}"`;
  if (file === "manifest") {
    const parts: ExportPart[] = [{ ...manifest, name: MANIFEST_NAME, rows: 0 }];
    const type = "text/plain; charset=utf-8";
    return { name: `${id}-${MANIFEST_NAME}`, type, size: manifest.bytes, etag, parts };
  }
  const { format } = request;
  return { name: `${id}.${format}`, type: FILE_TYPES[format], size: result.bytes, etag, parts: result.parts };
}

/** Refused to who may see less than the export holds, by its scopes or because more is under quarantine by now. */
function mayHave(
  grant: ReadGrant,
  { request, result }: { request: ExportRequest; result: ExportResult },
): Result<null> {
  if (request.personal && !grant.personal) {
    return refuse("forbidden", "This export holds personal sections: it takes the scope personal:read.");
  }
  const covered = logsOf(grant).some(({ number, quarantined }) => {
    const share = result.logs.find((log) => log.number === number);
    if (share === undefined || share.first === null || share.last === null) return false;
    const { first, last } = share;
    return quarantined.some(({ id, from, to }) => !result.quarantines.includes(id) && from <= last && to > first);
  });
  if (!covered) return ok(null);
  return refuse("unprocessable", "Entries of this export were put under quarantine since: make another one.");
}

const TOO_LONG = refuse(
  "unprocessable",
  `This file has more parts than one answer carries: ask for at most ${DOWNLOAD_MAX_PARTS} of them at once with Range, or have the command fetch it.`,
);

type Piece = { part: ExportPart; from: number; to: number };

/** What of each part the bytes `[from, to)` of parts that follow each other are. */
function piecesOf(parts: readonly ExportPart[], { from, to }: Range): Piece[] {
  let begin = 0;
  return parts.flatMap((part) => {
    const [low, high] = [Math.max(from - begin, 0), Math.min(to - begin, part.bytes)];
    begin += part.bytes;
    return low < high ? [{ part, from: low, to: high }] : [];
  });
}

/** Pieces one after another, `length` bytes in all. */
function bytesOf(
  config: Config,
  { place, pieces, length }: { place: { org: string; id: string }; pieces: readonly Piece[]; length: number },
): ReadableStream<Uint8Array> {
  const { readable, writable } = new FixedLengthStream(length);
  const pump = async () => {
    for (const piece of pieces) {
      const stream = await streamExportFile(config.archive, place, piece);
      await stream.pipeTo(writable, { preventClose: true, preventAbort: true });
    }
    await writable.close();
  };
  pump().catch(async (error: unknown) => {
    // Cut short, so that nobody takes it for the whole. One who went away says so here as well.
    log("warn", { message: "a download ended early", ...place, error: String(error) });
    await writable.abort(error).catch(() => {});
  });
  return readable;
}

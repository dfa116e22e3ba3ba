import { createHash } from "node:crypto";
import * as z from "zod";
import { type ExportManifest, parseExportManifest } from "../../chain/export-manifest.ts";
import { VERIFIER_MANIFEST_MAX_BYTES } from "../../limits.ts";
import { pause } from "../../verifier/pause.ts";
import { EXPORT_LINK_SPARE_MS, EXPORT_POLL_MS } from "../limits.ts";
import { failed, type Outcome } from "../outcome.ts";
import { counted } from "../terminal/format.ts";
import { printable } from "../terminal/printable.ts";
import type { Service } from "./service.ts";
import { type ExportState, readState, writeState } from "./state.ts";

/** What is asked for; as `POST …/exports` takes it. */
export type ExportRequest = {
  format: "ndjson" | "csv";
  reason: string;
  filter?: Record<string, string[]>;
  from?: string;
  to?: string;
  sections?: string[];
};

const linkSchema = z.object({ url: z.string(), expires_at: z.iso.datetime() });
const exportSchema = z.object({
  id: z.string(),
  state: z.string(),
  error: z.string().nullable().default(null),
  rows: z.int().default(0),
  bytes: z.int().default(0),
  progress: z
    .object({ percent: z.number().default(0) })
    .partial()
    .nullish(),
  links: z.object({ data: linkSchema, manifest: linkSchema }).nullable().default(null),
});
type ExportAnswer = z.infer<typeof exportSchema>;

/** How far the service is, for the eye, and what it waits for. */
export type Making = { rows: number; percent: number; error: string | null };

/** An export that the service has made. */
export type Made = { state: ExportState; note: string; said: ExportManifest; links: Links };

/** What a command does beside its progress, in words: waiting, with the reason. */
export function waitingOf({ error }: Making, { backOff }: Service): string | null {
  const reason = backOff.reason ?? error;
  return reason === null ? null : `waiting · ${reason}`;
}

/** What is said of entries that a service has lost. */
export function missingText({ missing }: ExportManifest): string {
  if (missing.entries === 0) return "";
  const lost = counted(missing.entries, "entry", "entries");
  return `  not in it: ${lost} that the service has lost; the manifest says which\n`;
}

/** Has the service make an export, or goes on with the one that an earlier run began: `statePath` keeps which. */
export async function makeExport(
  service: Service,
  { request, statePath, making }: { request: ExportRequest; statePath: string; making: Making },
): Promise<Outcome<Made>> {
  const asked = JSON.stringify(request);
  const { url, org } = service.connection;
  let state = await readState(statePath);
  if (state?.url !== url || state.org !== org || state.asked !== asked) state = null;
  let found = state === null ? null : await service.json(exportSchema, `exports/${state.id}`);
  if (found !== null && !found.ok) return found;
  // One that is not there any more, or never came to its end, is made anew.
  if (found === null || found.value === null || ["failed", "cancelled", "withdrawn"].includes(found.value.state)) {
    const idempotencyKey = createHash("sha256").update(`${asked}\0${Date.now()}\0${process.pid}`).digest("base64url");
    found = await service.json(exportSchema, "exports", { method: "POST", body: request, idempotencyKey });
    if (!found.ok) return found;
    if (found.value === null)
      return failed(`there is no org ${org} at ${url}, or this key may not see it`, "check --org");
    state = { v: 1, url, org, asked, id: found.value.id, parts: 0 };
    // A crash before this leaves an export that nobody fetches.
    await writeState(statePath, state);
  }
  const done = await awaitExport(service, { first: found.value as ExportAnswer, making });
  if (!done.ok) return done;
  const links = new Links(service, done.value);
  const manifest = await links.read("manifest", { maxBytes: VERIFIER_MANIFEST_MAX_BYTES });
  if (!manifest.ok) return manifest;
  const note = new TextDecoder().decode(manifest.value);
  const said = parseExportManifest(note);
  if (said === null || said.id !== done.value.id) {
    return failed("what came as the manifest is not one", "check --url and the versions of both sides");
  }
  return { ok: true, value: { state: state as ExportState, note, said, links } };
}

async function awaitExport(
  service: Service,
  { first, making }: { first: ExportAnswer; making: Making },
): Promise<Outcome<ExportAnswer>> {
  for (let now = first; ; ) {
    Object.assign(making, { rows: now.rows, percent: now.progress?.percent ?? 0, error: now.error });
    if (now.state === "done" && now.links !== null) return { ok: true, value: now };
    if (now.state !== "queued" && now.state !== "running") {
      const why = now.error === null ? now.state : `${now.state}: ${printable(now.error)}`;
      return failed(`the export ended as ${why}`, "ask for it again with what it says");
    }
    await pause(EXPORT_POLL_MS, service.signal);
    const next = await service.json(exportSchema, `exports/${now.id}`);
    if (!next.ok) return next;
    if (next.value === null) return failed("the export is not there any more", "run the same command again");
    now = next.value;
  }
}

/** The links of an export, asked for anew before they expire. One link is one reading in the log, however many parts. */
class Links {
  readonly #service: Service;
  #answer: ExportAnswer;

  constructor(service: Service, answer: ExportAnswer) {
    this.#service = service;
    this.#answer = answer;
  }

  /** Bytes of a file of the export, all of it or a range. */
  async read(
    file: "data" | "manifest",
    { bytes, maxBytes }: { bytes?: { from: number; to: number }; maxBytes: number },
  ): Promise<Outcome<Uint8Array>> {
    for (let tries = 1; ; tries++) {
      const link = this.#answer.links?.[file];
      const fresh = link !== undefined && Date.parse(link.expires_at) - Date.now() > EXPORT_LINK_SPARE_MS;
      if (link !== undefined && fresh) {
        const url = new URL(link.url, this.#service.connection.url).href;
        const got = await this.#service.ask({
          url,
          bearer: false,
          ...(bytes === undefined ? {} : { bytes }),
          maxBytes,
        });
        if (!got.ok) return got;
        if (got.value.status < 300) return { ok: true, value: got.value.bytes };
      }
      if (tries > 2) return failed("the service gives out no file of this export", "run the same command again");
      const again = await this.#service.json(exportSchema, `exports/${this.#answer.id}`);
      if (!again.ok) return again;
      if (again.value === null) return failed("the export is not there any more", "run the same command again");
      this.#answer = again.value;
    }
  }
}

/** A part of an export, read whole and compared with what the manifest says of it. */
export async function readPart({ said, links }: Made, number: number): Promise<Outcome<Uint8Array>> {
  const part = said.parts[number];
  if (part === undefined) throw new Error("invariant broken: parts are those of the manifest");
  const from = said.parts.slice(0, number).reduce((sum, { bytes }) => sum + bytes, 0);
  const range = { from, to: from + part.bytes };
  const read = await links.read("data", { bytes: range, maxBytes: part.bytes });
  if (!read.ok) return read;
  const sha256 = createHash("sha256").update(read.value).digest("hex");
  if (sha256 === part.sha256) return read;
  return failed(`${printable(part.name)} is not the part that the manifest names`, "run the same command again");
}

import { Hono } from "hono";
import * as z from "zod";
import { LOG_MAX_ENTRIES } from "../../limits.ts";
import { ok, type Refusal, refuse, type Result, UNAUTHORIZED } from "../../errors.ts";
import { consistencyProofSchema, inclusionProofSchema } from "../../schema/answers.ts";
import { proveEntry } from "../../verify/prove-entry.ts";
import { proveConsistency, proveInclusion } from "../../verify/prove-tree.ts";
import { readAbsences } from "../../verify/read-absences.ts";
import { readCheckpoint, readLogKey } from "../../verify/read-checkpoint.ts";
import { readTile } from "../../verify/read-tile.ts";
import { type TreeReader, viewOf } from "../../verify/tree-view.ts";
import {
  type App,
  answer,
  callerOrNobody,
  type Ctx,
  json,
  orgOf,
  problem,
  readerOf,
  tracedHeaders,
} from "../context.ts";
import { networkOf } from "../network-of.ts";
import { eachLog, logNumberOf, ofLog } from "../of-log.ts";
import type { Operation } from "../operation.ts";

const TEXT = { "content-type": "text/plain; charset=utf-8" };
const FRESH = { "cache-control": "no-cache" };
/** A verifier in a page of anybody's reads a public log. A private one is as closed to pages as to all who have no key. */
const PAGES = { "access-control-allow-origin": "*" };

export const prove = new Hono<App>()
  .on("GET", ofLog("checkpoint"), async (c) => {
    const asked = await askedOf(c, checkpointQuery);
    if (!asked.ok) return refused(c, asked.refusal);
    const { reader, query } = asked.value;
    const { min_size } = query;
    // To have something signed at once is for who has a key.
    if (min_size > 0 && reader.caller === null) return refused(c, UNAUTHORIZED.refusal);
    const note = await readCheckpoint(c.get("config"), reader, min_size);
    return note.ok ? answer(c, 200, note.value, { ...TEXT, ...FRESH, ...PAGES }) : refused(c, note.refusal);
  })
  .on("GET", ofLog("log-key"), async (c) => {
    const asked = await askedOf(c, nothing);
    if (!asked.ok) return refused(c, asked.refusal);
    const lines = await readLogKey(c.get("config"), asked.value.reader);
    return lines.ok ? answer(c, 200, lines.value, { ...TEXT, ...FRESH, ...PAGES }) : refused(c, lines.refusal);
  })
  .on("GET", ofLog("tile/:path{.+}"), async (c) => {
    const asked = await askedOf(c, nothing);
    if (!asked.ok) return refused(c, asked.refusal);
    const path = `tile/${c.req.param("path")}`;
    const tile = await readTile(c.get("config"), asked.value.reader, path);
    if (!tile.ok) return refused(c, tile.refusal);
    const headers = { "content-type": "application/octet-stream", ...kept(tile.value) };
    // Hashes are as small as they get; leaves are not.
    const packed = path.startsWith("tile/entries/") ? gzipFor(c) : {};
    return answer(c, 200, tile.value.bytes, { ...headers, ...packed, ...PAGES });
  })
  .on("GET", ofLog("absences/:sha256"), async (c) => {
    const asked = await askedOf(c, nothing);
    if (!asked.ok) return refused(c, asked.refusal);
    const list = await readAbsences(c.get("config"), asked.value.reader, c.req.param("sha256") ?? "");
    if (!list.ok) return refused(c, list.refusal);
    return answer(c, 200, list.value.text, { ...TEXT, ...kept(list.value), ...gzipFor(c), ...PAGES });
  })
  .on("GET", ofLog("proof/inclusion"), async (c) => {
    const asked = await askedOf(c, inclusionQuery);
    if (!asked.ok) return refused(c, asked.refusal);
    const { reader, query } = asked.value;
    const proved = await proveInclusion(c.get("config"), reader, query);
    if (!proved.ok) return refused(c, proved.refusal);
    return json(c, proved.value.proof, 200, { ...(query.size === null ? FRESH : kept(proved.value)), ...PAGES });
  })
  .on("GET", ofLog("proof/consistency"), async (c) => {
    const asked = await askedOf(c, consistencyQuery);
    if (!asked.ok) return refused(c, asked.refusal);
    const { reader, query } = asked.value;
    const proved = await proveConsistency(c.get("config"), reader, query);
    if (!proved.ok) return refused(c, proved.refusal);
    return json(c, proved.value.proof, 200, { ...(query.to === null ? FRESH : kept(proved.value)), ...PAGES });
  })
  .on("GET", ofLog("events/:id/proof"), async (c) => {
    const reader = await readerOf(c);
    if (!reader.ok) return problem(c, reader.refusal);
    const number = logNumberOf(c);
    if (!number.ok) return problem(c, number.refusal);
    const proved = await proveEntry(c.get("config"), reader.value, c.req.param("id") ?? "", number.value);
    if (!proved.ok) return problem(c, proved.refusal);
    const { answer: text, read_index } = proved.value;
    const headers = tracedHeaders(c, read_index);
    if (text !== null) return answer(c, 200, text, { ...TEXT, ...headers });
    const { refusal } = refuse("not_found", "This log has no entry of this id or index, or not yet.");
    return problem(c, refusal, headers);
  });

function refused(c: Ctx, refusal: Refusal): Response {
  return problem(c, refusal, PAGES);
}

/** What never changes may be kept for ever: by everybody, or where the log is not public by who was given it. */
function kept({ public: open }: { public: boolean }): Record<string, string> {
  return { "cache-control": `${open ? "public" : "private"}, max-age=31536000, immutable` };
}

/** Headers with which the runtime packs an answer, for who takes it packed. The edge has its own wishes put in place of the client's. */
function gzipFor(c: Ctx): Record<string, string> {
  const edge = c.req.raw.cf?.["clientAcceptEncoding"];
  const wishes = typeof edge === "string" ? edge : (c.req.header("accept-encoding") ?? "");
  const takes = /(^|[\s,])gzip\s*(;\s*q\s*=\s*(1|0\.0*[1-9])[^,]*)?(,|$)/i.test(wishes);
  return takes ? { "content-encoding": "gzip", vary: "accept-encoding" } : { vary: "accept-encoding" };
}

/** Who asks for which tree, and what. What is wrong with a question is for those to know who may ask. */
async function askedOf<T extends z.ZodType>(
  c: Ctx,
  schema: T,
): Promise<Result<{ reader: TreeReader; query: z.infer<T> }>> {
  const caller = await callerOrNobody(c, "events:read");
  if (!caller.ok) return caller;
  const org = orgOf(c);
  // Nobody in particular is told the same of a name that cannot be an org's as of one that is not.
  if (!org.ok) return caller.value === null ? UNAUTHORIZED : org;
  const number = logNumberOf(c);
  if (!number.ok) return caller.value === null ? UNAUTHORIZED : number;
  const network = networkOf(c.req.header("cf-connecting-ip"));
  // The URL of an org is the address of its first log.
  const reader = { org: org.value, caller: caller.value, network, number: number.value ?? 1 };
  const query = schema.safeParse(Object.fromEntries(new URL(c.req.url).searchParams));
  if (query.success) return ok({ reader, query: query.data });
  const allowed = await viewOf(c.get("config"), reader);
  if (!allowed.ok) return allowed;
  const [issue] = query.error.issues;
  const name = issue?.code === "unrecognized_keys" ? issue.keys[0] : issue?.path[0];
  return refuse("invalid_request", `${String(name)} is not valid here: sizes and indexes are decimal numbers.`);
}

const size = z
  .string()
  .regex(/^(0|[1-9]\d{0,9})$/)
  .transform(Number)
  .refine((value) => value <= LOG_MAX_ENTRIES);
const nothing = z.strictObject({});
const checkpointQuery = z.strictObject({ min_size: size.default(0) });
const inclusionQuery = z.strictObject({ index: size, size: size.nullable().default(null) });
const consistencyQuery = z.strictObject({ from: size, to: size.nullable().default(null) });

const entries = (what: string) => z.int().min(0).meta({ description: what });
const errors = ["invalid_request", "unauthorized", "forbidden", "not_found", "rate_limited", "overloaded"] as const;
const common = { method: "get", tag: "Prove", scope: "events:read", open: true, errors } as const;

const documented: Operation[] = [
  {
    ...common,
    path: "/v1/orgs/{org}/checkpoint",
    id: "getCheckpoint",
    summary: "The newest signed checkpoint",
    description: "C2SP tlog-checkpoint: origin, size and root, signed by the log's key.",
    query: z.object({
      min_size: entries("Publishes, if need be, and waits up to 5 s; needs a key.").optional(),
    }),
    answers: { 200: { description: "A signed note.", body: { "text/plain": null } } },
  },
  {
    ...common,
    path: "/v1/orgs/{org}/log-key",
    id: "getLogKey",
    summary: "The keys that sign the log's checkpoints",
    description: "C2SP signed-note vkeys, a line each. Pin it the first time: whoever can change this answer can sign.",
    answers: { 200: { description: "vkey lines.", body: { "text/plain": null } } },
  },
  {
    ...common,
    path: "/v1/orgs/{org}/tile/{path}",
    id: "getTile",
    summary: "A tile of the Merkle tree, or an entry bundle",
    description:
      "C2SP tlog-tiles: `{path}` is `<L>/<N>[.p/<W>]` or `entries/<N>[.p/<W>]`, `<N>` such as `x001/234`. 404 beyond the newest checkpoint. Bundles are packed with gzip for who takes it.",
    answers: { 200: { description: "The bytes.", body: { "application/octet-stream": null } } },
  },
  {
    ...common,
    path: "/v1/orgs/{org}/absences/{sha256}",
    id: "getAbsences",
    summary: "The list of what a cause let go",
    description:
      "The cause, an entry of the log, names the SHA-256 of this text: a line `<index> <section>` for each section, sorted.",
    answers: { 200: { description: "The list.", body: { "text/plain": null } } },
  },
  {
    ...common,
    path: "/v1/orgs/{org}/proof/inclusion",
    id: "proveInclusion",
    summary: "That an entry is in the tree of a size",
    query: z.object({
      index: entries("The entry."),
      size: entries("Of the tree; that of the newest checkpoint by default.").optional(),
    }),
    answers: { 200: { description: "The proof.", body: { "application/json": inclusionProofSchema } } },
  },
  {
    ...common,
    path: "/v1/orgs/{org}/proof/consistency",
    id: "proveConsistency",
    summary: "That a tree only grew from one size to another",
    query: z.object({
      from: entries("Size of the older tree."),
      to: entries("Size of the newer tree; that of the newest checkpoint by default.").optional(),
    }),
    answers: { 200: { description: "The proof.", body: { "application/json": consistencyProofSchema } } },
  },
  {
    method: "get",
    path: "/v1/orgs/{org}/events/{id}/proof",
    id: "proveEntry",
    summary: "The proof of one entry, to be verified by anybody, offline",
    description:
      "C2SP tlog-proof with the entry's record in `extra`; personal sections are withheld without `personal:read`. An entry under no checkpoint yet gets one, which is waited for up to 5 s. Traced like `getEntry`.",
    tag: "Prove",
    scope: "events:read",
    traced: "while_open",
    answers: { 200: { description: "The proof.", body: { "text/plain": null } } },
    errors: ["unauthorized", "forbidden", "not_found", "unprocessable", "overloaded"],
  },
];

export const operations = documented.flatMap(eachLog);

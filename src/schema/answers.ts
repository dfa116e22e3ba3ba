import * as z from "zod";
import { ERROR_STATUS, type ErrorCode } from "../errors.ts";
import { PROOF_MAX_HASHES } from "../limits.ts";
import { SCOPES } from "./caller.ts";
import { hash, index, instant } from "./entry-answers.ts";
import { readsClosedSchema, readsStatusSchema } from "./reads.ts";

export { entryPageSchema, entrySchema, shownEntrySchema } from "./entry-answers.ts";

/** What the API answers. These shapes are the source of OpenAPI; handlers are tested against them. */
const receiptSchema = z
  .object({
    id: z.string(),
    index,
    log: z.string().optional().meta({ description: "The log it is in, where that is not the org's newest." }),
    entry_hash: hash,
    sequenced_at: instant,
    duplicate: z.boolean(),
  })
  .meta({ id: "Receipt", description: "An event's place in the log, for ever." });

export const appendedSchema = z.object({ data: z.array(receiptSchema), size: z.int() }).meta({ id: "Appended" });

export const acceptedSchema = z.object({ data: z.array(z.object({ id: z.string() })) }).meta({ id: "Accepted" });

export const orgSchemaAnswer = z
  .object({
    org: z.string(),
    name: z.string(),
    jurisdiction: z.literal("none"),
    access_log: z.enum(["sealed", "queued"]),
    public_log: z.boolean(),
    cors_origins: z.array(z.string()),
    require_reason: z.boolean(),
    large_export_rows: z.int(),
    log: z.string(),
    size: z.int(),
    created_at: instant,
    last_checkpoint: z
      .object({ size: z.int(), root: z.string().meta({ description: "Base64." }), at: instant })
      .nullable()
      .meta({ description: "Null before the first." }),
  })
  .meta({ id: "Org" });

export const statusSchema = z
  .object({
    org: z.string(),
    log: z.string(),
    ingestion: z.object({
      state: z.enum(["accepting", "overloaded"]),
      size: z.int(),
      backlog_entries: z.int(),
      backlog_bytes: z.int(),
      refusal: z.string().nullable().meta({ description: "Why appends are refused; null when they are not." }),
    }),
    projection: z.object({
      state: z.enum(["running", "waiting", "rebuilding"]),
      size: z.int(),
      lag_entries: z.int(),
      cold_before: z.int().meta({ description: "Entries below this index are kept in the archive alone." }),
    }),
    archive: z.object({ size: z.int(), lag_entries: z.int(), lag_seconds: z.number() }),
    publishing: z.object({
      state: z.enum(["running", "waiting", "stopped"]),
      size: z.int().meta({ description: "Entries under the newest checkpoint." }),
      lag_entries: z.int(),
      lag_seconds: z.number(),
      conflict: z.string().nullable().meta({ description: "What contradicts the tree, when it is stopped." }),
      witnesses: z
        .array(z.object({ name: z.string(), size: z.int().nullable(), at: z.string().nullable() }))
        .meta({ description: "The size each witness cosigned last, and when it says it did; null for never." }),
    }),
    placements: z.array(z.object({ first_index: z.int(), cell: z.string(), org_number: z.int() })),
    earlier: z.array(z.object({ log: z.string(), size: z.int(), published: z.int() })).meta({
      description: "The logs this one continues, oldest first: entries the ledger held, and under the last checkpoint.",
    }),
    reads: readsStatusSchema,
  })
  .meta({ id: "Status" });

export const keySchema = z
  .object({
    id: z.string(),
    name: z.string(),
    scopes: z.array(z.enum(SCOPES)),
    created_at: instant,
    revoked_at: instant.nullable(),
  })
  .meta({ id: "Key" });
const secret = { key: z.string().meta({ description: "The key itself; shown this once, kept by nobody." }) };
export const issuedKeySchema = keySchema.extend(secret).meta({ id: "IssuedKey" });
export const keysSchema = z.object({ data: z.array(keySchema), next_cursor: z.null() }).meta({ id: "Keys" });

export const platformKeySchema = keySchema
  .extend({
    orgs: z.array(z.string()).nullable().meta({ description: "The orgs it may touch; null for every customer's org." }),
  })
  .meta({ id: "PlatformKey" });
export const issuedPlatformKeySchema = platformKeySchema.extend(secret).meta({ id: "IssuedPlatformKey" });
export const platformKeysSchema = z
  .object({ data: z.array(platformKeySchema), next_cursor: z.null() })
  .meta({ id: "PlatformKeys" });

export const deadLetterSchema = z
  .object({
    id: z.string(),
    state: z.enum(["dead", "parked", "replayed"]),
    org: z.string().nullable(),
    code: z.string(),
    reason: z.string(),
    received_at: instant,
    stored_at: instant,
    attempts: z.int(),
    next_at: instant.nullable(),
    bytes: z.int(),
  })
  .meta({ id: "DeadLetter", description: "A queue message that could not be sequenced." });
export const deadLettersSchema = z
  .object({ data: z.array(deadLetterSchema), next_cursor: z.string().nullable() })
  .meta({ id: "DeadLetters" });

export const healthSchema = z
  .object({ ok: z.boolean(), dependencies: z.array(z.object({ name: z.string(), ok: z.boolean(), ms: z.number() })) })
  .meta({ id: "Health" });

const breakSchema = z.object({
  kind: z.string(),
  index,
  section: z.string().optional(),
  found_at: index.optional(),
  expected: z.string().optional(),
  actual: z.string().optional(),
  detail: z.string(),
});

export const verifyReportSchema = z
  .object({
    ok: z.boolean(),
    log: z.string().meta({ description: "The log that was checked; without a number in the path, the org's newest." }),
    checked: z.int(),
    from: index,
    size: z.int(),
    breaks: z.array(breakSchema),
    unvouched: z.array(z.object({ from: index, to: index })),
    absent: z.object({ erased: z.int(), expired: z.int(), withheld: z.int() }),
    could_not_check: z.array(z.object({ index, why: z.string() })),
    stopped_at: index.nullable(),
    pending: z.int().meta({ description: "Entries that came from the ledger, being on their way to D1." }),
    on_record: z.boolean().meta({ description: "Whether this run counts for opening reads that were closed." }),
    continue_from: index.nullable(),
    continue_expect: hash.nullable(),
  })
  .meta({ id: "VerifyReport" });

const treeHash = z.string().meta({ description: "SHA-256, base64." });
const proofHashes = z.array(treeHash).max(PROOF_MAX_HASHES);

export const inclusionProofSchema = z
  .object({ log: z.string(), index, size: z.int(), leaf_hash: treeHash, root: treeHash, hashes: proofHashes })
  .meta({ id: "InclusionProof", description: "RFC 9162 section 2.1.3: `hashes` from the leaf's sibling up." });

export const consistencyProofSchema = z
  .object({
    log: z.string(),
    from: z.int(),
    to: z.int(),
    from_root: treeHash,
    to_root: treeHash,
    hashes: proofHashes,
  })
  .meta({ id: "ConsistencyProof", description: "RFC 9162 section 2.1.4." });

const faultSchema = z.object({
  kind: z.string().meta({
    description: "A kind of break, `misplaced` (in another month's slot) or `unindexed` (not in the search index).",
  }),
  index: index.meta({ description: "Where the row lay, or the entry it lacked." }),
  cell: z.string(),
  slot: z.string().nullable(),
  should_be: z.object({ entry_hash: hash, slot: z.string() }).nullable(),
  names: z
    .object({ log: z.string(), index, entry_hash: hash })
    .nullable()
    .meta({ description: "What the leaf that was found says of itself." }),
  detail: z.string(),
  evidence: z.string().nullable().meta({ description: "R2 key of what was found." }),
});

export const repairReportSchema = z
  .object({
    checked: z.int(),
    from: index,
    to: z.int(),
    faults: z.array(faultSchema).meta({ description: "What was found and repaired; empty when nothing was wrong." }),
    begun_index: index.nullable().meta({ description: "The entry sealed before the first row changed." }),
    ended_index: index.nullable(),
    continue_from: index.nullable().meta({ description: "Go on with this as `to`; null is the end." }),
    continue_expect: hash.nullable().meta({ description: "Go on with this as `expect`." }),
  })
  .meta({ id: "RepairReport" });

export const problemSchema = z
  .object({
    type: z.literal("about:blank"),
    title: z.string(),
    status: z.int(),
    code: z.enum(Object.keys(ERROR_STATUS) as [ErrorCode, ...ErrorCode[]]),
    detail: z.string(),
    request_id: z.string(),
    errors: z.array(z.object({ pointer: z.string(), message: z.string() })).optional(),
    reads: readsClosedSchema.optional(),
  })
  .meta({ id: "Problem", description: "RFC 9457." });

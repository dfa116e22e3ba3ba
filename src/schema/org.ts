import * as z from "zod";
import { CORS_MAX_ORIGINS, LOG_MAX_ENTRIES, ORIGIN_MAX_CHARACTERS, REASON_MAX_CHARACTERS } from "../limits.ts";
import { scopeSchema } from "./caller.ts";

const name = z.string().min(1).max(200);

/** An origin as browsers send it: exact, so that nothing is matched by its beginning. Plain http is for this machine alone. */
export const corsOriginSchema = z
  .string()
  .max(ORIGIN_MAX_CHARACTERS)
  .refine((text) => {
    const url = URL.canParse(text) ? new URL(text) : null;
    // To a URL an asterisk is a letter like others.
    return (
      url?.origin === text &&
      !text.includes("*") &&
      (url.protocol === "https:" || LOOPBACK.has(`${url.protocol}//${url.hostname}`))
    );
  }, "must be an origin such as https://app.example.com, without path or wildcard; http for localhost alone");
const LOOPBACK = new Set(["http://localhost", "http://127.0.0.1"]);

/** What `PUT …/orgs/{org}` takes; every member is optional. */
export const putOrgSchema = z
  .strictObject({
    name: name.optional().meta({ description: "What people call the org; may change." }),
    jurisdiction: z
      .literal("none")
      .optional()
      .meta({ description: "Where the org's data may lie. Fixed at creation." }),
    access_log: z.enum(["sealed", "queued"]).optional().meta({
      description: "`sealed`: a read's trace is sealed before its answer leaves; `queued`: handed to the queue.",
    }),
    public_log: z.boolean().optional().meta({
      description:
        "Whether checkpoint, tiles, entry bundles and bare proofs need no key. They show times, categories, counts and names of sections; sections themselves never become public.",
    }),
    cors_origins: z.array(corsOriginSchema).max(CORS_MAX_ORIGINS).optional().meta({
      description:
        "Origins whose pages may read this org's answers, with a viewer token; none by default. Holds at once.",
    }),
    require_reason: z.boolean().optional().meta({
      description: "Whether entries are read only with an `Audit-Reason`, which is kept in the trace.",
    }),
    large_export_rows: z.int().min(0).max(LOG_MAX_ENTRIES).optional().meta({
      description: "Exports of more entries are flagged for review in the log; 10,000 by default.",
    }),
  })
  .meta({ id: "PutOrg" });
export type PutOrg = z.infer<typeof putOrgSchema>;

export const newKeySchema = z
  .strictObject({
    name: name.meta({ description: "What the key is for." }),
    scopes: z.array(scopeSchema).min(1).meta({ description: "What the key may do." }),
  })
  .meta({ id: "NewKey" });

export const newPlatformKeySchema = newKeySchema
  .extend({
    orgs: z.array(z.string()).min(1).max(1_000).nullable().optional().meta({
      description: "The orgs it may touch; null for every customer's org (never `platform`).",
    }),
  })
  .meta({ id: "NewPlatformKey" });

/** What `POST …/orgs/{org}/continue` takes. */
export const continueSchema = z
  .strictObject({
    reason: z.string().trim().min(1).max(REASON_MAX_CHARACTERS).meta({ description: "Why; it is sealed in the log." }),
  })
  .meta({ id: "Continue" });

/** What `POST …/orgs/{org}/repair` takes. */
export const repairSchema = z
  .strictObject({
    reason: z.string().trim().min(1).max(REASON_MAX_CHARACTERS).meta({ description: "Why; it is sealed in the log." }),
    from: z.int().min(0).max(LOG_MAX_ENTRIES).optional().meta({ description: "First index; 0 by default." }),
    to: z.int().min(0).max(LOG_MAX_ENTRIES).optional().meta({
      description: "`continue_from` of the call before; the head by default.",
    }),
    expect: z
      .string()
      .regex(/^[A-Za-z0-9_-]{43}$/)
      .optional()
      .meta({ description: "`continue_expect` of the call before: the entry hash of index `to - 1`." }),
  })
  .refine(({ to, expect }) => (to === undefined) === (expect === undefined), "to and expect go together")
  .meta({ id: "Repair" });

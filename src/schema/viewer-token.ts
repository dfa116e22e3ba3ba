import * as z from "zod";
import { VIEWER_TOKEN_DEFAULT_SECONDS, VIEWER_TOKEN_MAX_SECONDS } from "../limits.ts";
import { KEY_ACTOR, READING_SCOPES } from "./caller.ts";
import { CATEGORIES, labelSchema, subjectIdSchema } from "./names.ts";

const thing = z.strictObject({ type: labelSchema, id: subjectIdSchema });

/** Each at most once: a token is sent with every request, and one that is too long is nobody's. */
function someOf<const T extends readonly string[]>(words: T) {
  const distinct = (list: readonly string[]) => new Set(list).size === list.length;
  return z.array(z.enum(words)).max(words.length).refine(distinct, "names one twice").meta({ uniqueItems: true });
}

const restrictionSchema = z
  .strictObject({
    target: thing.exactOptional().meta({ description: "Entries that name this target." }),
    categories: someOf(CATEGORIES).min(1).exactOptional().meta({ description: "Entries of these categories." }),
  })
  .refine(
    ({ target, categories }) => target !== undefined || categories !== undefined,
    "names a target, categories or both",
  )
  .meta({ id: "Restriction", description: "The entries a viewer may see at most: each member given must hold." });

/** What `POST …/viewer-tokens` takes. */
export const newViewerTokenSchema = z
  .strictObject({
    actor: thing
      .refine(({ type }) => type !== KEY_ACTOR, { path: ["type"], message: "`key` is who reads without a token" })
      .meta({ description: "The person who will read: the actor of every trace. Your own type and id." }),
    scopes: someOf(READING_SCOPES)
      .refine((scopes) => scopes.includes("events:read"), "has to hold events:read")
      .meta({ description: "`events:read`, and `personal:read` for personal sections; none that the key lacks." }),
    expires_in_s: z
      .int()
      .min(1)
      .max(VIEWER_TOKEN_MAX_SECONDS)
      .default(VIEWER_TOKEN_DEFAULT_SECONDS)
      .meta({ description: "Seconds the token holds." }),
    restriction: restrictionSchema.optional(),
  })
  .meta({ id: "NewViewerToken" });
export type NewViewerToken = z.infer<typeof newViewerTokenSchema>;

/** Whose word a token is: a root, platform or org key by its id, or a service binding by its name. */
export const minterSchema = z.strictObject({ kind: z.enum(["root", "platform", "org", "binding"]), key: z.string() });

/** What a token says; `expires_at` in milliseconds. A shape of its own: tokens outlive a deployment by an hour. */
export const viewerClaimsSchema = z.strictObject({
  v: z.literal(1),
  org: z.string(),
  minter: minterSchema,
  actor: thing,
  scopes: z.array(z.enum(READING_SCOPES)),
  restriction: restrictionSchema.nullable(),
  expires_at: z.int(),
});
export type ViewerClaims = z.infer<typeof viewerClaimsSchema>;

/** What `POST …/viewer-tokens` answers. */
export const viewerTokenSchema = z
  .object({
    id: z.string().meta({ description: "Names the token in traces; no secret." }),
    token: z.string().meta({ description: "Sent like a key: `Authorization: Bearer ind_v…`. Kept by nobody." }),
    expires_at: z.string().meta({ format: "date-time" }),
    restriction: restrictionSchema.nullable(),
  })
  .meta({ id: "ViewerToken" });
export type ViewerToken = z.infer<typeof viewerTokenSchema>;

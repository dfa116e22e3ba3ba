import * as z from "zod";
import { actionFilterSchema, CATEGORIES, instantOf, labelSchema, subjectIdSchema } from "../schema/names.ts";

/** What entries can be filtered by, each with the shape of a value; all may be repeated ("any of") and excluded. */
export const FIELDS = {
  actor: subjectIdSchema,
  on_behalf_of: subjectIdSchema,
  action: actionFilterSchema,
  target: subjectIdSchema,
  target_type: labelSchema,
  category: z.enum(CATEGORIES),
  source: z.enum(["client", "service"]),
  result: z.enum(["success", "failure", "denied"]),
  ip: z.string().min(1, "must not be empty").max(200),
  session_id: z.string().min(1, "must not be empty").max(1_000),
  request_id: z.string().min(1, "must not be empty").max(1_000),
} as const satisfies Record<string, z.ZodType<string>>;
export type Field = keyof typeof FIELDS;

/** The ends of a stretch of time: given once, never excluded. */
export type End = "from" | "to";

export function isField(name: string): name is Field {
  return Object.hasOwn(FIELDS, name);
}

export function isEnd(name: string): name is End {
  return name === "from" || name === "to";
}

/** What is wrong with a value of a field; null when nothing is. */
export function faultOf(field: Field, value: string): string | null {
  const checked = (FIELDS[field] as z.ZodType<string>).safeParse(value);
  return checked.success ? null : (checked.error.issues[0]?.message ?? "is not valid");
}

export const NO_INSTANT = "must be an RFC 3339 time, such as 2026-11-21T17:59:58.123Z";
export const NO_EXCLUDED_END = "cannot be excluded: from and to say together which time is meant";

/** The instant of an end in milliseconds; a "+" of an offset arrives as a space when it was not escaped. */
export function instantAt(text: string): number | null {
  return instantOf(text.replace(" ", "+"));
}

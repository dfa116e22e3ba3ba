import * as z from "zod";
import { ACTION_MAX_CHARACTERS, ACTION_MAX_PARTS, ID_MAX_CHARACTERS, LABEL_MAX_CHARACTERS } from "../limits.ts";

/** The org of acts that have no other org; created by the service itself. */
export const PLATFORM_ORG = "platform";

/**
 * Names of canaries: orgs of the service itself, two in each cell, appended to and read back all day to see that entries
 * end up in the right place. Nobody else's org begins like this.
 */
const CANARY_PREFIX = "indelible-canary-";

/** The two canaries of `CELL_<n>`. */
export function canariesOf(cell: string): [string, string] {
  const stem = `${CANARY_PREFIX}${cell.replace("CELL_", "")}`;
  return [`${stem}-a`, `${stem}-b`];
}

/** The cell a canary lies in, fixed by its name; null for a name of none. */
export function cellOfCanary(org: string): string | null {
  const number = /^(\d+)-[ab]$/.exec(isCanary(org) ? org.slice(CANARY_PREFIX.length) : "")?.[1];
  return number === undefined ? null : `CELL_${number}`;
}

function isCanary(org: string): boolean {
  return org.startsWith(CANARY_PREFIX);
}

/** Whether an org is the service's own: keys for every customer's org do not reach it. */
export function isServiceOrg(org: string): boolean {
  return org === PLATFORM_ORG || isCanary(org);
}

/** Actions of the service's own entries begin with this; no client may use them. */
export const SERVICE_ACTION_PREFIX = "indelible.";
/** That a viewer token was minted: an entry that names what the token is restricted to. */
export const TOKEN_ISSUED_ACTION = `${SERVICE_ACTION_PREFIX}viewer_token.issued`;

export const CATEGORIES = [
  "log_access",
  "config_change",
  "user_management",
  "data_modification",
  "login",
  "general",
  "telemetry",
] as const;
export type Category = (typeof CATEGORIES)[number];

/** A date as `toISOString` begins. */
export const DAY_PATTERN = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;
const ORG_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_-]{2,63}$/;
const EVENT_ID_PATTERN = /^(?=.*[^0-9])[A-Za-z0-9][A-Za-z0-9._:@~+=-]{0,199}$/;
const IDEMPOTENCY_KEY_PATTERN = /^[\x21-\x7e]{1,200}$/;
const DATE_TIME_PATTERN = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d{1,9})?([Zz]|([+-])(\d\d):(\d\d))$/;

/** Control characters (C0, DEL, C1) and lone surrogates have no place in a name that others match by eye. */
const NOT_LABEL_PATTERN = /[\p{Cc}\p{Cs}]/u;
const LONE_SURROGATE_PATTERN = /\p{Cs}/u;

export const orgSchema = z
  .string()
  .regex(ORG_PATTERN, "must be 3 to 64 characters of A-Z a-z 0-9 _ -, beginning with a letter or digit")
  .meta({ description: "The org: chosen once, never reused, public wherever its log is.", example: "acme" });

/** The exact form of ids the service makes: a client's would stand in for the entry that has it. */
const OWN_ID_PATTERN = /^(evt_[a-z2-7]{24}\.\d+|sev_[a-z2-7]{24})$/;

export const eventIdSchema = z
  .string()
  .regex(
    EVENT_ID_PATTERN,
    "must be 1 to 200 characters of A-Z a-z 0-9 . _ : @ ~ + = -, beginning with a letter or digit, with at least one that is not a digit",
  )
  .refine((id) => !OWN_ID_PATTERN.test(id), "is of the form of ids that the service makes itself");

export const idempotencyKeySchema = z
  .string()
  .regex(IDEMPOTENCY_KEY_PATTERN, "must be 1 to 200 printable ASCII characters without spaces");

/** A short name machines compare: a type, a role, a binding's name. */
export const labelSchema = z
  .string()
  .min(1, "must not be empty")
  .max(LABEL_MAX_CHARACTERS, `must be at most ${LABEL_MAX_CHARACTERS} characters`)
  .refine((text) => !NOT_LABEL_PATTERN.test(text), "must hold no control characters and no lone surrogates");

/** The id of an actor or a target: the customer's own, any characters. */
export const subjectIdSchema = z
  .string()
  .min(1, "must not be empty")
  .max(ID_MAX_CHARACTERS, `must be at most ${ID_MAX_CHARACTERS} characters`)
  .refine((text) => !LONE_SURROGATE_PATTERN.test(text), "must hold no lone surrogates");

export const actionSchema = z
  .string()
  .min(1, "must not be empty")
  .max(ACTION_MAX_CHARACTERS, `must be at most ${ACTION_MAX_CHARACTERS} characters`)
  .superRefine((text, context) => {
    const parts = text.split(".");
    if (NOT_LABEL_PATTERN.test(text)) context.addIssue("must hold no control characters and no lone surrogates");
    else if (parts.length > ACTION_MAX_PARTS) context.addIssue(`must have at most ${ACTION_MAX_PARTS} dotted parts`);
    else if (text !== "" && parts.includes("")) context.addIssue("must not have an empty part: write noun.verb");
  })
  .meta({ description: "What happened, as noun.verb.", example: "document.share" });

/** An action, or with `.*` at its end all below it. */
export const actionFilterSchema = z
  .string()
  .refine((text) => actionSchema.safeParse(text.endsWith(".*") ? text.slice(0, -2) : text).success, {
    message: "must be an action such as user.created, or a prefix such as user.*",
  });

/**
 * The instant an RFC 3339 text names, in milliseconds since 1970 (finer digits are cut), or null when it is none.
 * A leap second is the last millisecond of its minute. Source: RFC 3339 section 5.6.
 */
export function instantOf(text: string): number | null {
  const match = DATE_TIME_PATTERN.exec(text);
  if (match === null) return null;
  const [, year, month, day, hour, minute, second, fraction, zone, sign, zoneHour, zoneMinute] = match;
  const leap = second === "60";
  const millis = leap ? 999 : Math.trunc(Number(fraction ?? 0) * 1000);
  const fields = [Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute)] as const;
  const utc = new Date(0);
  utc.setUTCFullYear(fields[0], fields[1], fields[2]);
  utc.setUTCHours(fields[3], fields[4], leap ? 59 : Number(second), millis);
  const exact = utc.getUTCMonth() === fields[1] && utc.getUTCDate() === fields[2] && fields[3] < 24 && fields[4] < 60;
  if (!exact || (!leap && Number(second) > 59)) return null;
  if (zone === "Z" || zone === "z") return utc.getTime();
  if (Number(zoneHour) > 23 || Number(zoneMinute) > 59) return null;
  const offset = (Number(zoneHour) * 60 + Number(zoneMinute)) * 60_000;
  return utc.getTime() + (sign === "-" ? offset : -offset);
}

export const dateTimeSchema = z
  .string()
  .max(64, "must be at most 64 characters")
  .refine((text) => instantOf(text) !== null, "must be an RFC 3339 time, such as 2026-11-21T17:59:58.123Z")
  .meta({ format: "date-time" });

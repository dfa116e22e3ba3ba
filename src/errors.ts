/** The closed set of error codes. A new code only if a client would act on it. */
export const ERROR_STATUS = {
  invalid_event: 422,
  invalid_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  too_large: 413,
  range_not_satisfiable: 416,
  unsupported_media_type: 415,
  unprocessable: 422,
  rate_limited: 429,
  overloaded: 503,
  reads_disabled: 503,
  internal: 500,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

/** One bad member: where it is (RFC 6901 JSON pointer, `""` is the whole) and what would be right. */
export type MemberError = { pointer: string; message: string };

/** How much is left of what may be asked in a second, and after how many seconds all of it is there again. */
export type RateLimit = { policy: string; quota: number; left: number; reset_s: number };

/** An expected failure, as a value: it crosses RPC, the queue and HTTP unchanged. `reads`: the switch that stops reading. */
export type Refusal = {
  code: ErrorCode;
  detail: string;
  errors?: MemberError[];
  retry_after_s?: number;
  limits?: RateLimit[];
  reads?: { of: "org" | "deployment"; since: string; reason: string };
};

export type Result<T> = { ok: true; value: T } | { ok: false; refusal: Refusal };

export function ok<T>(value: T): Result<T> {
  return { ok: true, value };
}

export function refuse(
  code: ErrorCode,
  detail: string,
  more?: Omit<Refusal, "code" | "detail">,
): { ok: false; refusal: Refusal } {
  return { ok: false, refusal: { code, detail, ...more } };
}

/** One answer, byte for byte, for an org that does not exist and one that is not this caller's. */
export const NOT_FOUND = refuse("not_found", "There is nothing here, or it is not yours.");

/** The one answer to who has no valid key, whatever was asked for. */
export const UNAUTHORIZED = refuse("unauthorized", "Send a valid key as `Authorization: Bearer ind_…`.");

/** Told only to who shows a token of ours. */
export const TOKEN_EXPIRED = refuse(
  "unauthorized",
  "This viewer token has expired: ask who gave it to you for another.",
);

/** A broken invariant of ours: never a caller's fault, never caught to go on. */
export function assert(condition: unknown, invariant: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${invariant}`);
}

import * as z from "zod";
import type { Config } from "../env.ts";
import { ok, refuse, type Result } from "../errors.ts";
import { LOG_MAX_ENTRIES } from "../limits.ts";
import type { Reader } from "../query/traced.ts";
import { verifyLog, type VerifyReport } from "../verify/verify-log.ts";

const indexSchema = z.int().min(0).max(LOG_MAX_ENTRIES);
const rangeSchema = z.strictObject({
  from: indexSchema.default(0),
  to: indexSchema.nullable().default(null),
  expect: z
    .string()
    .regex(/^[A-Za-z0-9_-]{43}$/)
    .nullable()
    .default(null),
});

/** Verifies a range of an org's newest log to its end, and answers the report alone. */
export async function verifyRange(config: Config, reader: Reader, range: unknown): Promise<Result<VerifyReport>> {
  const checked = rangeSchema.safeParse(range);
  if (!checked.success) return refuse("invalid_request", "from and to are indexes, expect is an entry hash.");
  const begun = await verifyLog(config, reader, { ...checked.data, log: null });
  if (!begun.ok) return begun;
  for await (const step of begun.value.steps) if ("report" in step) return ok(step.report);
  return refuse("internal", "Verification ended without a report.");
}

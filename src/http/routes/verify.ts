import { Hono } from "hono";
import * as z from "zod";
import { ok, refuse, type Result } from "../../errors.ts";
import { log } from "../../log.ts";
import { permit } from "../../policy/org.ts";
import { repairReportSchema, verifyReportSchema } from "../../schema/answers.ts";
import { repairSchema } from "../../schema/org.ts";
import { repairLog } from "../../verify/repair-log.ts";
import { verifyLog, type VerifyRange, type VerifyStep } from "../../verify/verify-log.ts";
import { jsonBody } from "../body.ts";
import { type App, answer, json, problem, readerOf, tracedHeaders } from "../context.ts";
import { eachLog, logNumberOf, ofLog } from "../of-log.ts";
import type { Operation } from "../operation.ts";
import { targetOf } from "./orgs.ts";

export const verify = new Hono<App>().on("GET", ofLog("verify"), async (c) => {
  const reader = await readerOf(c);
  if (!reader.ok) return problem(c, reader.refusal);
  const range = parseRange(new URL(c.req.url).searchParams);
  if (!range.ok) {
    const allowed = await permit(c.get("config"), { ...reader.value, scope: "events:read" });
    return problem(c, allowed.ok ? range.refusal : allowed.refusal);
  }
  const number = logNumberOf(c);
  if (!number.ok) return problem(c, number.refusal);
  const begun = await verifyLog(c.get("config"), reader.value, { ...range.value, log: number.value });
  if (!begun.ok) return problem(c, begun.refusal);
  const { steps, read_index } = begun.value;
  const headers = { "content-type": "application/x-ndjson", ...tracedHeaders(c, read_index) };
  return answer(c, 200, linesOf(steps), headers);
});

verify.post("/v1/orgs/:org/repair", async (c) => {
  const target = await targetOf(c, "operate");
  if (!target.ok) return problem(c, target.refusal);
  const { org, caller } = target.value;
  const allowed = await permit(c.get("config"), { org, caller, scope: "operate" });
  if (!allowed.ok) return problem(c, allowed.refusal);
  const body = await jsonBody(c, repairSchema);
  if (!body.ok) return problem(c, body.refusal);
  const { reason, from = 0, to = null, expect = null } = body.value;
  const repair = { reason, from, to, expect };
  const repaired = await repairLog(c.get("config"), org, { caller, repair });
  return repaired.ok
    ? json(c, repaired.value satisfies z.infer<typeof repairReportSchema>)
    : problem(c, repaired.refusal);
});

/** One JSON text a line, as the steps come; a failure midway is the last line, for the status is long gone. */
function linesOf(steps: AsyncGenerator<VerifyStep>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      try {
        const { value, done } = await steps.next();
        if (done === true) return controller.close();
        const line = "report" in value ? value.report : value;
        controller.enqueue(encoder.encode(`${JSON.stringify(line)}\n`));
      } catch (error) {
        log("error", { message: "verification failed", error: String(error) });
        const failure = {
          error: { code: "internal", detail: "Verification stopped; what was checked so far is void." },
        };
        controller.enqueue(encoder.encode(`${JSON.stringify(failure)}\n`));
        controller.close();
      }
    },
    async cancel() {
      await steps.return(undefined);
    },
  });
}

const index = z
  .string()
  .regex(/^\d{1,10}$/)
  .transform(Number);
const rangeSchema = z.strictObject({
  from: index.default(0),
  to: index.nullable().default(null),
  expect: z
    .string()
    .regex(/^[A-Za-z0-9_-]{43}$/)
    .nullable()
    .default(null),
});

function parseRange(params: URLSearchParams): Result<Omit<VerifyRange, "log">> {
  const range = rangeSchema.safeParse(Object.fromEntries(params));
  if (range.success) return ok(range.data);
  const [issue] = range.error.issues;
  const name = issue?.code === "unrecognized_keys" ? issue.keys[0] : issue?.path[0];
  return refuse("invalid_request", `${String(name)} is not valid: from and to are indexes, expect an entry hash.`);
}

const query = z.object({
  from: z.int().min(0).optional().meta({ description: "First index; 0 by default." }),
  to: z.int().min(0).optional().meta({ description: "Index after the last; the head by default." }),
  expect: z.string().optional().meta({ description: "Entry hash of index `to - 1` that you trust." }),
});

export const operations: Operation[] = [
  ...eachLog({
    method: "get",
    path: "/v1/orgs/{org}/verify",
    id: "verifyLog",
    summary: "Check every section, leaf and link",
    description:
      'NDJSON: lines `{"progress":{"checked","total","breaks"}}`, then the report. One call checks 100,000 entries, of those in the archive alone at most 400 segments of it; go on with `to=continue_from&expect=continue_expect`.',
    tag: "Verify",
    scope: "events:read",
    traced: "always",
    query,
    answers: {
      200: { description: "Progress, then the report.", body: { "application/x-ndjson": verifyReportSchema } },
    },
    errors: ["invalid_request", "unauthorized", "forbidden", "not_found", "overloaded"],
  }),
  {
    method: "post",
    path: "/v1/orgs/{org}/repair",
    id: "repair",
    summary: "Restore an org's rows in D1 that are not what the ledger sealed",
    description:
      "Keeps what was found as evidence in R2, seals `indelible.repair.begun`, restores the rows, seals `indelible.repair.ended`. One call compares 50,000 entries and mends 500 rows; go on with `to=continue_from` and `expect=continue_expect`. Harmless to repeat, so an `Idempotency-Key` is not needed and not looked at: sent again, it finds what is left.",
    tag: "Operate",
    scope: "operate",
    body: { "application/json": repairSchema },
    answers: { 200: { description: "What was found and repaired.", body: { "application/json": repairReportSchema } } },
    errors: [
      "invalid_request",
      "unauthorized",
      "forbidden",
      "not_found",
      "too_large",
      "unsupported_media_type",
      "unprocessable",
      "rate_limited",
      "overloaded",
    ],
  },
];

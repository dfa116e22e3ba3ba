import type * as z from "zod";
import { ok, type Result } from "../../errors.ts";
import { permit } from "../../policy/org.ts";
import type { Caller, Scope } from "../../schema/caller.ts";
import { jsonBody } from "../body.ts";
import type { Ctx } from "../context.ts";
import { targetOf } from "./orgs.ts";

/** Who may, then what was sent: who may not learns nothing of the body. */
export async function bodyFor<T extends z.ZodType>(
  c: Ctx,
  scope: Scope,
  shape: T,
): Promise<Result<{ org: string; caller: Caller; body: z.infer<T> }>> {
  const target = await targetOf(c, scope);
  if (!target.ok) return target;
  const allowed = await permit(c.get("config"), { ...target.value, scope });
  if (!allowed.ok) return allowed;
  const body = await jsonBody(c, shape);
  return body.ok ? ok({ ...target.value, body: body.value }) : body;
}

import { NOT_FOUND, ok, type Refusal, refuse, type Result } from "../errors.ts";
import { REASON_MAX_CHARACTERS } from "../limits.ts";
import type { Reader } from "../query/traced.ts";
import { bindingPropsSchema } from "../schema/binding.ts";
import { type Caller, reasonSchema, type Scope } from "../schema/caller.ts";
import { isServiceOrg, orgSchema } from "../schema/names.ts";

export type Binding = Extract<Caller, { kind: "trusted" }>;

/** Who calls by a binding with these props, decided before anything else is looked at. */
export function bindingOf(props: unknown, org: unknown, scope: Scope): Result<Binding> {
  const checked = bindingPropsSchema.safeParse(props);
  if (!checked.success) return { ok: false, refusal: NO_PROPS };
  const { name, orgs, scopes } = checked.data;
  if (!scopes.includes(scope)) return refuse("forbidden", `This binding lacks the scope ${scope}.`);
  const known = orgSchema.safeParse(org);
  const may = known.success && (orgs === "*" ? !isServiceOrg(known.data) : orgs.includes(known.data));
  return may ? ok({ kind: "trusted", name, scopes, orgs }) : NOT_FOUND;
}

/** Who reads by a binding, and why. */
export function bindingReader(props: unknown, org: string, reason: unknown): Result<Reader> {
  const caller = bindingOf(props, org, "events:read");
  if (!caller.ok) return caller;
  const why = reasonSchema.nullable().default(null).safeParse(reason);
  if (!why.success) return refuse("invalid_request", `reason may be at most ${REASON_MAX_CHARACTERS} characters.`);
  return ok({ org, caller: caller.value, network: {}, reason: why.data });
}

const NO_PROPS: Refusal = {
  code: "forbidden",
  detail: "This binding has no props { name, orgs, scopes }: who deploys has to set them.",
};

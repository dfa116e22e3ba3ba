import { type Config, configOf } from "../env.ts";
import { refuse, type Result } from "../errors.ts";
import { log } from "../log.ts";
import type { Reader } from "../query/traced.ts";
import { type BindingProps, bindingPropsSchema } from "../schema/binding.ts";
import { flushMetrics } from "../watch/flush-metrics.ts";
import { bindingReader } from "./binding.ts";
import { type Query, paramsOf } from "./params.ts";

/** `reason`: why somebody reads. */
export type Options = { idempotency_key?: string; reason?: string };

/** One call by a binding: the verb's name, and what the platform gives the entrypoint. */
type Call = { verb: string; env: Env; ctx: ExecutionContext<BindingProps> };

/** Runs a verb; its outcome is a value and a line of telemetry. Never throws. */
export async function valued<T>(
  { verb, env, ctx }: Call,
  act: (config: Config) => Result<T> | Promise<Result<T>>,
): Promise<Result<T>> {
  const config = configOf(env);
  const began = Date.now();
  const outcome = await attempt(verb, () => act(config));
  const code = outcome.ok ? null : outcome.refusal.code;
  const binding = bindingPropsSchema.safeParse(ctx.props).data?.name ?? null;
  log("info", { message: "call", verb, binding, code, ms: Date.now() - began });
  ctx.waitUntil(flushMetrics(config));
  return outcome;
}

/** The same for what is read: who reads, then what is asked, then the answer. */
export function asked<Q, A>(
  call: Call,
  { org, query, options }: { org: string; query: Query; options: Options },
  parse: (params: URLSearchParams) => Result<Q>,
  answer: (config: Config, reader: Reader, asked: Q) => Promise<Result<A>>,
): Promise<Result<A>> {
  return valued(call, (config) => {
    const reader = bindingReader(call.ctx.props, org, options.reason);
    if (!reader.ok) return reader;
    const parsed = parse(paramsOf(query));
    return parsed.ok ? answer(config, reader.value, parsed.value) : parsed;
  });
}

async function attempt<T>(verb: string, act: () => Result<T> | Promise<Result<T>>): Promise<Result<T>> {
  try {
    return await act();
  } catch (error) {
    log("error", { message: "a call by binding failed", verb, error: String(error) });
    return refuse("internal", "Something broke on our side; nothing is promised of this call.");
  }
}

import { env as bindings } from "cloudflare:workers";
import { configOf } from "./env.ts";
import { app } from "./http/app.ts";
import { consume } from "./ingest/consume.ts";
import { flushMetrics } from "./watch/flush-metrics.ts";
import { watch } from "./watch/watchdog.ts";

export { OrgJobs } from "./jobs/org-jobs.ts";
export { OrgLedger } from "./ledger/org-ledger.ts";
export { AuditLog } from "./rpc/audit-log.ts";

// A deployment that lacks a binding or a secret does not start; the error names it.
configOf(bindings);

/** The doors. Each adapts and hands over; nothing is decided here. */
export default {
  fetch: app.fetch,

  async queue(batch, env) {
    const config = configOf(env);
    await consume(config, batch.messages);
    await flushMetrics(config);
  },

  async scheduled(controller, env) {
    await watch(configOf(env), controller.scheduledTime);
  },
} satisfies ExportedHandler<Env>;

import type { Config } from "../env.ts";
import { ok, type Result } from "../errors.ts";
import { callJobs } from "../jobs/client.ts";
import { JOBS_PAGE_ENTRIES } from "../limits.ts";
import type { ExportRequest } from "../schema/export.ts";
import { quotes } from "../store/quoted.ts";

/**
 * Has exports forget what they were asked for where that quotes any of these texts; one that is not over is cancelled first. Answers whether all
 * have: one that was cancelled clears up after itself, and is asked again. Safe to repeat.
 */
export async function forgetInExports(config: Config, org: string, texts: readonly string[]): Promise<Result<boolean>> {
  let all = true;
  for (let after: string | null = null; ; ) {
    const jobs = await callJobs(config, org, async (stub) => await stub.list(org, "export", after));
    if (!jobs.ok) return jobs;
    for (const { id, request: text, ended_at } of jobs.value) {
      const request = JSON.parse(text) as ExportRequest;
      if (!quotes(request.query, texts)) continue;
      if (ended_at === null) {
        const cancelled = await callJobs(
          config,
          org,
          async (stub) => await stub.cancel(org, "export", { id, by: "service" }),
        );
        if (!cancelled.ok) return cancelled;
      }
      const forgotten = { ...request, filter: null, query: "" } satisfies ExportRequest;
      const replaced = await callJobs(
        config,
        org,
        async (stub) => await stub.replaceRequest(org, "export", { id, request: forgotten }),
      );
      if (!replaced.ok) return replaced;
      all &&= replaced.value;
    }
    after = jobs.value.at(-1)?.id ?? null;
    if (jobs.value.length < JOBS_PAGE_ENTRIES) return ok(all);
  }
}

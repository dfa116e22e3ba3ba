import type { Config } from "../env.ts";
import { refuse, type Result } from "../errors.ts";
import type { OrgJobs } from "./org-jobs.ts";

const ATTEMPTS = 3;

/** Calls the object of an org's jobs. `call` must be safe to repeat: one whose outcome is unknown is made again. */
export async function callJobs<T>(
  config: Pick<Config, "jobs">,
  org: string,
  call: (jobs: DurableObjectStub<OrgJobs>) => Promise<Result<T>>,
): Promise<Result<T>> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call(config.jobs.getByName(org));
    } catch (error) {
      const { retryable, overloaded } = error as { retryable?: boolean; overloaded?: boolean };
      if (overloaded !== true && retryable !== true) throw error;
      if (overloaded === true || attempt === ATTEMPTS) {
        return refuse("overloaded", "The org's jobs do not answer right now.", { retry_after_s: 2 });
      }
    }
  }
}

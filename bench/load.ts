/** The process that makes load, apart from the one that measures: jobs come in as messages, outcomes go out. */
import type { Job } from "./load/job.ts";
import { runJob } from "./load/run-job.ts";

process.on("message", ({ id, job }: { id: number; job: Job }) => {
  runJob(job).then(
    (outcome) => process.send?.({ id, outcome }),
    (error: unknown) => process.send?.({ id, error: String(error) }),
  );
});
process.on("disconnect", () => process.exit(0));

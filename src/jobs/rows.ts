import type { Caller } from "../schema/caller.ts";
import type { Job, JobKind, JobState } from "../schema/job.ts";

/** `caller`: who asked, as JSON. `due_at`: when there is something to do next; null for a job that is over, cleared up, and whose result stays. */
export type JobRow = Job & { caller: string; due_at: number | null };

const TABLE = `create table if not exists job (
  id text primary key, kind text not null, state text not null, caller text not null, request text not null,
  progress text, result text, created_at integer not null, updated_at integer not null, ended_at integer,
  ended_by text, due_at integer, attempts integer not null, error text
)`;
const INDEX = "create index if not exists job_due on job (due_at) where due_at is not null";

/** Whether an org ever had a job; its object writes nothing before. */
export function hasTable(sql: SqlStorage): boolean {
  return sql.exec("select 1 from sqlite_master where name = 'job'").toArray().length > 0;
}

export function createTable(sql: SqlStorage): void {
  sql.exec(TABLE);
  sql.exec(INDEX);
}

type Fresh = { id: string; kind: JobKind; request: string; caller: Caller; now: number };

export function insertJob(sql: SqlStorage, { id, kind, request, caller, now }: Fresh): void {
  sql.exec(
    `insert into job (id, kind, state, caller, request, created_at, updated_at, due_at, attempts)
     values (?1, ?2, 'queued', ?3, ?4, ?5, ?5, ?5, 0)`,
    id,
    kind,
    JSON.stringify(caller),
    request,
    now,
  );
}

export function findJob(sql: SqlStorage, id: string): JobRow | null {
  return sql.exec<JobRow>("select * from job where id = ?", id).toArray()[0] ?? null;
}

/** When a job was created, or when it ended: of one that has not nobody knows how late. */
const TIMES = { created: "created_at", ended: "coalesce(ended_at, 1e16)" } as const;
export type JobOrder = keyof typeof TIMES;

/** Jobs of a kind, those first that were created last, or ended last; `after` is the id of the last one seen. */
export function listJobs(
  sql: SqlStorage,
  kind: JobKind,
  { after, by, limit }: { after: string | null; by: JobOrder; limit: number },
): JobRow[] {
  const time = TIMES[by];
  const seen = `(${time}, id) < (select ${time}, id from job where id = ?2)`;
  return sql
    .exec<JobRow>(
      `select * from job where kind = ?1 and (?2 is null or ${seen}) order by ${time} desc, id desc limit ?3`,
      kind,
      after,
      limit,
    )
    .toArray();
}

export function unfinishedCount(sql: SqlStorage, kind: JobKind): number {
  const rows = sql.exec("select 1 from job where kind = ? and state in ('queued', 'running')", kind);
  return rows.toArray().length;
}

/** The job whose step is next: of those that are due the one that had none for the longest time, so that all go on. */
export function nextJob(sql: SqlStorage, now: number): JobRow | null {
  const due = "select * from job where due_at <= ? order by updated_at, created_at, id limit 1";
  return sql.exec<JobRow>(due, now).toArray()[0] ?? null;
}

/** When the next step is due; null when every job is over. */
export function nextDueAt(sql: SqlStorage): number | null {
  return sql.exec<{ due_at: number | null }>("select min(due_at) as due_at from job").one().due_at;
}

type OpenJob = Pick<JobRow, "id" | "kind" | "state"> & { due_at: number };

/** Jobs with something left to do, if only that their result lapses. */
export function openJobs(sql: SqlStorage): OpenJob[] {
  return sql.exec<OpenJob>("select id, kind, state, due_at from job where due_at is not null").toArray();
}

type Change = Partial<Omit<JobRow, "id" | "kind" | "caller" | "created_at">>;

/** Changes columns of a job that is in one of these states, and whose last step began at `since` where that is given; answers whether it was. */
export function updateJob(
  sql: SqlStorage,
  { id, among, since }: { id: string; among: readonly JobState[]; since?: number },
  change: Change,
): boolean {
  const names = Object.keys(change);
  const marks = names.map((name) => `${name} = ?`).join(", ");
  const states = among.map((state) => `'${state}'`).join(", ");
  const changed = sql.exec(
    `update job set ${marks} where id = ? and state in (${states}) and updated_at = coalesce(?, updated_at)`,
    ...Object.values(change),
    id,
    since ?? null,
  );
  return changed.rowsWritten > 0;
}

import { REFUSALS_SEAL_MS } from "../limits.ts";
import type { Draft } from "./draft.ts";
import { sealAct } from "./service-entry.ts";

type Row = { key: string; code: string; count: number; first_at: number; last_at: number };

/** Counts refused calls of one key; they are sealed once an hour, so that refusals cannot flood a log. */
export function noteRefusal(
  sql: SqlStorage,
  { key, code, calls, now }: { key: string; code: string; calls: number; now: number },
): void {
  sql.exec(
    `insert into refusal (key, code, count, first_at, last_at) values (?, ?, ?, ?, ?)
     on conflict (key, code) do update set count = count + excluded.count, last_at = excluded.last_at`,
    key,
    code,
    calls,
    now,
    now,
  );
}

/** Seals the counts that are an hour old; answers how many. */
export function planSealRefusals({ sql, draft, now }: { sql: SqlStorage; draft: Draft; now: number }): number {
  const due = sql.exec<Row>("select * from refusal where first_at <= ?", now - REFUSALS_SEAL_MS).toArray();
  for (const { key, code, count, first_at, last_at } of due) {
    const act = {
      action: "indelible.access.refused",
      category: "log_access",
      actor: { type: "key", id: key },
      key,
      metadata: {
        code,
        calls: count,
        first_at: new Date(first_at).toISOString(),
        last_at: new Date(last_at).toISOString(),
      },
    } as const;
    sealAct(draft, act, now);
    draft.write((target) => target.exec("delete from refusal where key = ? and code = ?", key, code));
  }
  return due.length;
}

export function nextSealAt(sql: SqlStorage): number | null {
  const { first } = sql.exec<{ first: number | null }>("select min(first_at) as first from refusal").one();
  return first === null ? null : first + REFUSALS_SEAL_MS;
}

import { asc } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { metric } from "./directory-tables.ts";

export type MetricRow = { name: string; labels: string; value: number };

/** Adds to counters, all or none. Not idempotent: after an error the deltas may or may not be in. */
export async function addMetrics(db: D1Database, deltas: readonly MetricRow[]): Promise<void> {
  if (deltas.length === 0) return;
  await db
    .prepare(
      `insert into metric (name, labels, value)
       select value ->> 'name', value ->> 'labels', sum(value ->> 'value') from json_each(?1) where true group by 1, 2
       on conflict (name, labels) do update set value = value + excluded.value`,
    )
    .bind(JSON.stringify(deltas))
    .run();
}

/** All counters, by name and labels. */
export async function readMetrics(db: D1Database): Promise<MetricRow[]> {
  return drizzle(db).select().from(metric).orderBy(asc(metric.name), asc(metric.labels));
}

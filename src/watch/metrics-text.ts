import type { Config } from "../env.ts";
import { METRICS, type MetricName } from "../meter.ts";
import { countDeadLetters } from "../store/dead-letter.ts";
import { readCanaries } from "../store/canary.ts";
import { readGauges } from "../store/ledger-gauge.ts";
import { readMetrics } from "../store/metric.ts";
import { flushMetrics } from "./flush-metrics.ts";

type Sample = { labels: string; value: number };

/** All metrics in Prometheus' text format 0.0.4. Source: Prometheus, exposition formats. */
export async function metricsText(config: Config): Promise<string> {
  await flushMetrics(config, { force: true });
  const [stored, letters, gauges, canaries] = await Promise.all([
    readMetrics(config.directory),
    countDeadLetters(config.directory),
    readGauges(config.directory),
    readCanaries(config.directory),
  ]);
  const samples = new Map<string, Sample[]>();
  for (const { name, labels, value } of stored) samples.set(name, [...(samples.get(name) ?? []), { labels, value }]);
  const total = (name: MetricName) => (samples.get(name) ?? []).reduce((sum, { value }) => sum + value, 0);
  const [logged, failed] = [total("audit_events_logged_total"), total("audit_events_failed_total")];

  const now = Date.now();
  const oldest = (times: (number | null)[]) => {
    const known = times.filter((time) => time !== null);
    return known.length === 0 ? 0 : (now - Math.min(...known)) / 1000;
  };
  const lag = (of: "projected" | "archived" | "published") =>
    gauges.reduce((sum, gauge) => sum + gauge.size - gauge[of], 0);
  const text = [...counters(samples)];
  const gauge = (name: string, help: string, value: number) => {
    text.push(`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, `${name} ${value}`);
  };
  gauge(
    "audit_success_ratio",
    "Events logged of those logged or failed.",
    logged + failed === 0 ? 1 : logged / (logged + failed),
  );
  gauge("audit_parked_messages", "Messages that wait for the watchdog.", letters.parked);
  gauge("audit_dead_letters", "Messages that wait for a person.", letters.dead);
  gauge("audit_projection_lag_entries", "Entries sequenced and not yet in D1.", lag("projected"));
  gauge(
    "audit_projection_lag_seconds",
    "Age of the oldest entry not yet in D1.",
    oldest(gauges.map((one) => one.oldest_unprojected_at)),
  );
  gauge("audit_archive_lag_entries", "Entries sequenced and not yet in an R2 segment.", lag("archived"));
  gauge(
    "audit_archive_lag_seconds",
    "Age of the oldest entry not yet in an R2 segment.",
    oldest(gauges.map((one) => one.oldest_unarchived_at)),
  );
  gauge("audit_publish_lag_entries", "Entries sequenced and under no checkpoint yet.", lag("published"));
  gauge(
    "audit_publish_lag_seconds",
    "Age of the oldest entry under no checkpoint yet.",
    oldest(gauges.map((one) => one.oldest_unpublished_at)),
  );
  gauge("audit_orgs", "Orgs whose ledgers have reported.", gauges.length);
  gauge(
    "audit_entries",
    "Entries of all logs, as last reported.",
    gauges.reduce((sum, { size }) => sum + size, 0),
  );
  if (config.placeChecks === "on") {
    const name = "audit_canary_age_seconds";
    text.push(
      `# HELP ${name} Time since all of a cell's canaries were read back as they should be.`,
      `# TYPE ${name} gauge`,
    );
    for (const cell of config.cells.keys()) {
      const good = canaries.get(cell);
      text.push(`${name}{cell="${cell}"} ${good === undefined ? "+Inf" : Math.abs(now - good) / 1000}`);
    }
  }
  return `${text.join("\n")}\n`;
}

function* counters(samples: ReadonlyMap<string, Sample[]>): Generator<string> {
  for (const [name, help] of Object.entries(METRICS)) {
    const histogram = /^(.*)_bucket$/.exec(name)?.[1];
    if (histogram !== undefined) yield* [`# HELP ${histogram} ${help}`, `# TYPE ${histogram} histogram`];
    else if (!/_(sum|count)$/.test(name)) yield* [`# HELP ${name} ${help}`, `# TYPE ${name} counter`];
    const found = histogram === undefined ? (samples.get(name) ?? []) : inOrder(samples.get(name) ?? []);
    if (found.length === 0 && histogram === undefined) yield `${name} 0`;
    for (const { labels, value } of found) yield labels === "" ? `${name} ${value}` : `${name}{${labels}} ${value}`;
  }
}

/** Buckets in the order of their bounds, which the format asks for. */
function inOrder(buckets: readonly Sample[]): Sample[] {
  const boundOf = ({ labels }: Sample) => Number(/le="([^"]+)"/.exec(labels)?.[1]?.replace("+Inf", "Infinity"));
  return buckets.toSorted((a, b) => boundOf(a) - boundOf(b));
}

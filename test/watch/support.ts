import { expect } from "vitest";
import { call } from "../support/client.ts";
import { type Fault, replaceMethod } from "../support/faults.ts";

type Sample = { name: string; labels: Record<string, string>; value: number };
export type Family = { type: string; help: string; samples: Sample[] };

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
const SAMPLE = new RegExp(
  `^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})? (-?(?:[0-9.]+(?:e[+-]?[0-9]+)?)|NaN|[+-]Inf)$`,
);

/**
 * Reads Prometheus' text format 0.0.4 as strictly as a scraper: HELP and TYPE once and before their samples, families
 * in one piece, no sample twice. Source: Prometheus, exposition formats.
 */
export function parseMetrics(text: string): Map<string, Family> {
  expect(text.endsWith("\n")).toBe(true);
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  let help: [name: string, text: string] | null = null;
  let current: [name: string, family: Family] | null = null;
  for (const line of text.slice(0, -1).split("\n")) {
    const [, keyword, name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (keyword === "HELP") help = [name, rest];
    else if (keyword === "TYPE") {
      expect(help?.[0], line).toBe(name);
      expect(families.has(name), line).toBe(false);
      expect(["counter", "gauge", "histogram"], line).toContain(rest);
      current = [name, { type: rest, help: help?.[1] ?? "", samples: [] }];
      families.set(...current);
    } else {
      const [, sample = "", labels = "", value = ""] = SAMPLE.exec(line) ?? [];
      expect(sample, `not a sample: ${line}`).not.toBe("");
      const family = sample.replace(/_(bucket|sum|count)$/, "");
      expect([sample, family], line).toContain(current?.[0]);
      expect(seen.has(`${sample}{${labels}}`), line).toBe(false);
      seen.add(`${sample}{${labels}}`);
      current?.[1].samples.push({ name: sample, labels: labelsOf(labels), value: Number(value) });
    }
  }
  return families;
}

function labelsOf(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/([a-zA-Z_]\w*)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
}

/** All samples as `name{labels}` to value. */
export async function metricsNow(): Promise<Map<string, number>> {
  const answer = await call("GET", "/metrics");
  expect(answer.status, answer.text).toBe(200);
  const lines = answer.text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ")))]),
  );
}

/** How much each sample grew while `act` ran; those that did not are left out. */
export async function growthOf(act: () => Promise<unknown>): Promise<Record<string, number>> {
  const before = await metricsNow();
  await act();
  const grown = [...(await metricsNow())].map(([name, value]) => [name, value - (before.get(name) ?? 0)] as const);
  return Object.fromEntries(grown.filter(([, growth]) => growth !== 0));
}

/** A database that takes no statement, until restored. */
export function takeDown(database: D1Database): Fault {
  return replaceMethod(database, "prepare", () => {
    throw new Error("D1 is down: injected by the test");
  });
}

import { createHmac } from "node:crypto";
import type { Config } from "../env.ts";
import { callLedger } from "../ledger/client.ts";
import { log as say } from "../log.ts";
import { count } from "../meter.ts";
import type { Act } from "../schema/act.ts";
import { isServiceOrg, PLATFORM_ORG } from "../schema/names.ts";

/** Where something is wrong: `at` a store or a path of reading, `place` therein. Never what was found there. */
export type Fault = { at: string; kind: string; index: number; place: string };

/** `newest`: whether `log` is the org's newest, which alone can be repaired. */
type Found = {
  by: "canary" | "sample" | "cooling";
  log: string;
  newest: boolean;
  faults: readonly Fault[];
  now: number;
};

const DAY_MS = 86_400_000;

/**
 * Makes faults known: as a metric at every sighting, and as an entry `indelible.finding` once a day for each log, place and
 * kind, in org `platform` and in the log of the customer's org it concerns. An entry that could not be sealed is with
 * the next sighting. Never throws.
 */
export async function reportFindings(
  config: Config,
  org: string,
  { by, log, newest, faults, now }: Found,
): Promise<void> {
  for (const group of Map.groupBy(faults, ({ at, kind }) => `${at} ${kind}`).values()) {
    const { at, kind, place } = group[0] as Fault;
    const indexes = group.map(({ index }) => index);
    const found = { log, at, kind, place, count: group.length };
    const range = { lowest_index: Math.min(...indexes), highest_index: Math.max(...indexes) };
    count("audit_findings_total", { at, kind });
    say("error", { message: "entries are not where they belong", org, ...found, ...range });
    const act = findingAct(org, { by, newest }, { ...found, ...range });
    const once = nameOf(config, [String(Math.floor(now / DAY_MS)), log, at, kind]);
    const logs = isServiceOrg(org) ? [PLATFORM_ORG] : [PLATFORM_ORG, org];
    await Promise.all(logs.map((to) => seal(config, to, { act, once })));
  }
}

/** Nobody without the pepper can take a finding's name before it: the queue takes batches of any name. */
function nameOf({ keyPepper }: Config, parts: readonly string[]): string {
  const text = ["indelible/finding/v1", ...parts].join("\0");
  return `finding of ${createHmac("sha256", keyPepper).update(text).digest("base64url")}`;
}

function findingAct(
  org: string,
  { by, newest }: Pick<Found, "by" | "newest">,
  found: Pick<Fault, "at" | "kind"> & { log: string },
): Act {
  const stop = `PUT /v1/orgs/${org}/reads`;
  const mend = found.at === "d1" && newest ? [`POST /v1/orgs/${org}/repair`] : [];
  return {
    action: "indelible.finding",
    category: "config_change",
    actor: { type: "service", id: by },
    key: "service",
    targets: [{ type: "org", id: org }],
    metadata: {
      severity: found.kind === "misrouted" ? "critical" : "high",
      ...found,
      remedy: [stop, ...mend],
    },
  };
}

async function seal(config: Config, org: string, { act, once }: { act: Act; once: string }): Promise<void> {
  try {
    const sealed = await callLedger(config, org, async (ledger) => await ledger.recordAct(org, act, once));
    if (!sealed.ok) say("warn", { message: "a finding was not sealed yet", org, error: sealed.refusal.detail });
  } catch (error) {
    say("warn", { message: "a finding was not sealed yet", org, error: String(error) });
  }
}

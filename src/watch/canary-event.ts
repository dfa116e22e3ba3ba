import { createHmac } from "node:crypto";
import type { Config } from "../env.ts";
import { canariesOf } from "../schema/names.ts";

/** What every canary does each minute: the same in all of them but for the marker. */
export const CANARY_ACTION = "canary.sing";
export const CANARY_ACTOR = "canary";
export const CANARY_TARGET = { type: "cage", id: "cage" };

export function canaryIdOf(minute: number): string {
  return `canary-${minute}`;
}

/** The minute an event is of; null for an id that is no canary's. */
export function minuteOf(id: string): number | null {
  const [, minute] = /^canary-(\d+)$/.exec(id) ?? [];
  return minute === undefined ? null : Number(minute);
}

/** The event of a minute as JSON: sent twice, by two crons that overlap, it is one. */
export function canaryEvent(config: Config, org: string, minute: number): string {
  return JSON.stringify({
    id: canaryIdOf(minute),
    action: CANARY_ACTION,
    occurred_at: new Date(minute * 60_000).toISOString(),
    actor: { type: "canary", id: CANARY_ACTOR },
    targets: [CANARY_TARGET],
    metadata: { marker: markerOf(config, org) },
  });
}

/** A text that only this org's events hold, and nobody else can make. */
export function markerOf({ keyPepper }: Config, org: string): string {
  return createHmac("sha256", keyPepper).update(`indelible/canary/v1\0${org}`).digest("base64url").slice(0, 22);
}

/** The markers of all canaries but this one: none may show in its answers. */
export function foreignMarkersOf(config: Config, org: string): string[] {
  const canaries = [...config.cells.keys()].flatMap(canariesOf);
  return canaries.filter((one) => one !== org).map((one) => markerOf(config, one));
}

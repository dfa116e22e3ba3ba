import { createHmac } from "node:crypto";
import type { Config } from "../env.ts";
import { CANARY_THING_MINUTES } from "../limits.ts";
import { canariesOf, cellOfCanary } from "../schema/names.ts";

/** What every canary does each minute: the same in all of them but for its marks. */
export const CANARY_ACTION = "canary.sing";
export const CANARY_ACTOR = "canary";

/** What the event of a minute is done to: another thing every hour, so that its history stays short enough to be rebuilt. */
export function thingOf(minute: number): { type: string; id: string } {
  return { type: "cage", id: `cage-${Math.floor(minute / CANARY_THING_MINUTES)}` };
}

export function canaryIdOf(minute: number): string {
  return `canary-${minute}`;
}

/** The minute an event is of; null for an id that is no canary's. */
export function minuteOf(id: string): number | null {
  const [, minute] = /^canary-(\d+)$/.exec(id) ?? [];
  return minute === undefined ? null : Number(minute);
}

/**
 * The event of a minute as JSON: sent twice, by two crons that overlap, it is one. The marker stands wherever an answer that
 * shows no entry gets its names from: the types of targets are counted, the members of `changes` are a thing's state.
 */
export function canaryEvent(config: Config, org: string, minute: number): string {
  const marker = markerOf(config, org);
  const begins = minute % CANARY_THING_MINUTES === 0;
  return JSON.stringify({
    id: canaryIdOf(minute),
    action: CANARY_ACTION,
    version: versionOf(org),
    occurred_at: new Date(minute * 60_000).toISOString(),
    actor: { type: "canary", id: CANARY_ACTOR },
    targets: [thingOf(minute), { type: marker, id: "nest" }],
    changes: { before: begins ? null : { [marker]: minute - 1 }, after: { [marker]: minute } },
    metadata: { marker },
  });
}

/** A text that only this org's events hold, and nobody else can make. */
export function markerOf({ keyPepper }: Config, org: string): string {
  return createHmac("sha256", keyPepper).update(`indelible/canary/v1\0${org}`).digest("base64url").slice(0, 22);
}

/** A canary's own version of the action, for lists of actions show no text: no two have the same, and all have six digits. */
function versionOf(org: string): number {
  const cell = Number(cellOfCanary(org)?.slice("CELL_".length));
  return 100_000 + 2 * cell + (org.endsWith("-a") ? 0 : 1);
}

/** Texts by which an answer shows that it is of this canary. */
export function marksOf(config: Config, org: string): string[] {
  return [markerOf(config, org), `"version":${versionOf(org)}`];
}

/** The marks of all canaries but this one: none may show in its answers. */
export function foreignMarksOf(config: Config, org: string): string[] {
  const canaries = [...config.cells.keys()].flatMap(canariesOf);
  return canaries.filter((one) => one !== org).flatMap((one) => marksOf(config, one));
}

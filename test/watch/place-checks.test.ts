import { createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { canaryIdOf } from "../../src/watch/canary-event.ts";
import worker from "../../src/worker.ts";
import { call } from "../support/client.ts";
import { A, config, heldBy, nextMinute, rounds, untilPlatform } from "./canary-support.ts";
import { growthOf, metricsNow, parseMetrics } from "./support.ts";

beforeEach(untilPlatform);
afterEach(() => {
  config.placeChecks = "off";
});

const AGE = "audit_canary_age_seconds";
const cron = (minute: number) =>
  worker.scheduled(createScheduledController({ scheduledTime: minute * 60_000, cron: "* * * * *" }), env);

describe("the cron", () => {
  it("looks after canaries and samples orgs, or samples alone, or neither, as PLACE_CHECKS says", async () => {
    const minute = await rounds(1);
    // As in a directory of one org a minute, whose turn comes to this canary: not to what other tests left.
    await env.DIRECTORY.prepare("delete from sample_turn").run();
    await env.DIRECTORY.prepare("insert into sample_turn values (0, ?1, 1440, ?2, 'indelible-canary-0-')")
      .bind(Math.floor(minute / 1_440), minute % 1_440)
      .run();
    const silent: number[] = [];
    for (const [checks, samples] of [
      ["off", false],
      ["samples", true],
      ["on", null],
    ] as const) {
      config.placeChecks = checks;
      const next = nextMinute();
      const grown = await growthOf(() => cron(next));
      // By the second cron whoever was due has had his turn.
      const sampled = Object.keys(grown).some((name) => name.startsWith("audit_samples_total"));
      if (samples !== null) expect(sampled, checks).toBe(samples);
      // One door is a queue: what was sung is there a little later.
      if (checks === "on") await expect.poll(() => heldBy(A, canaryIdOf(next))).toBe(1);
      else silent.push(next);
    }
    for (const at of silent) expect(await heldBy(A, canaryIdOf(at))).toBe(0);
  });
});

describe("/metrics", () => {
  it("tells how long ago each cell's canaries were well, so that silence is seen; nothing when there are none", async () => {
    await env.DIRECTORY.prepare("delete from canary").run();
    expect(parseMetrics((await call("GET", "/metrics")).text).has(AGE)).toBe(false);
    config.placeChecks = "on";
    const { samples } = parseMetrics((await call("GET", "/metrics")).text).get(AGE) ?? { samples: [] };
    expect(samples.map(({ labels, value }) => [labels["cell"], value])).toEqual([
      ["CELL_0", Number.NaN],
      ["CELL_1", Number.NaN],
    ]);
    const ago = Date.now() - 90_000;
    await env.DIRECTORY.prepare("insert into canary (cell, good_at) values ('CELL_0', ?1)").bind(ago).run();
    const age = (await metricsNow()).get(`${AGE}{cell="CELL_0"}`);
    expect(age).toBeGreaterThanOrEqual(90);
    expect(age).toBeLessThan(150);
  });
});

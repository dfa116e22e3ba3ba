import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import * as limits from "../../src/limits.ts";
import { METRICS } from "../../src/meter.ts";
import { SCOPES } from "../../src/schema/caller.ts";

const PAGES = ["README.md", "CHANGELOG.md", ...globSync("docs/**/*.md"), "bench/README.md", "test/vectors/README.md"];
const read = (page: string) => readFileSync(page, "utf8");

describe.each(PAGES)("%s", (page) => {
  it("links only to what is there", () => {
    const targets = [...read(page).matchAll(/\]\((?!https?:)([^)#]+)(#[^)]*)?\)/g)].map(([, target = ""]) => target);
    for (const target of targets) expect(existsSync(join(dirname(page), target)), `${page} → ${target}`).toBe(true);
  });

  it("names only commands that package.json has", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    for (const [, script = ""] of read(page).matchAll(/npm run ([a-z:]+)/g))
      expect(scripts, script).toHaveProperty(script);
  });
});

describe("docs/operate.md", () => {
  const page = read("docs/operate.md");

  it("states the limits the code has", () => {
    const { EVENT_MAX_BYTES, EVENT_MAX_DEPTH, EVENT_MAX_TARGETS, APPEND_MAX_EVENTS, APPEND_MAX_BYTES } = limits;
    const number = (value: number) => value.toLocaleString("en-US");
    expect(page).toContain(
      `${number(EVENT_MAX_BYTES)} bytes of JSON, depth ${EVENT_MAX_DEPTH}, ${EVENT_MAX_TARGETS} targets`,
    );
    expect(page).toContain(`${number(APPEND_MAX_EVENTS)} events, ${APPEND_MAX_BYTES / 1e6} MB`);
    expect(page).toContain(`| reads | ${limits.READS_PER_KEY_PER_SECOND} a second and key`);
    expect(page).toContain(`| checkpoint, tiles, bare proofs | ${limits.TREE_READS_PER_SECOND} a second and key`);
    expect(page).toContain(`${number(limits.VERIFY_MAX_ENTRIES)} entries`);
    expect(page).toContain(`| keys of an org | ${limits.ORG_MAX_KEYS}`);
    expect(page).toContain(`${limits.BACKLOG_MAX_ENTRIES / 1e6} M entries or ${limits.BACKLOG_MAX_BYTES / 1e9} GB`);
  });

  it("states the limits of readers, as docs/access.md does", () => {
    const { READS_PER_KEY_PER_SECOND, READS_PER_TOKEN_PER_SECOND, READS_PER_KEYS_TOKENS_PER_SECOND } = limits;
    expect(page).toContain(`${READS_PER_TOKEN_PER_SECOND} a viewer token, ${READS_PER_KEYS_TOKENS_PER_SECOND} all`);
    const access = read("docs/access.md").replaceAll("\n", " ");
    expect(access).toContain(
      `${READS_PER_KEY_PER_SECOND} a second for each key, ${READS_PER_TOKEN_PER_SECOND} for each viewer token and ${READS_PER_KEYS_TOKENS_PER_SECOND} for all`,
    );
    expect(access).toContain(`such a token holds ${limits.BINDING_TOKEN_MAX_SECONDS / 60} minutes at most`);
    expect(access).toContain(`takes it ${limits.VIEWER_TOKEN_SKEW_MS / 1_000} s longer`);
    expect(access).toContain(`errors as well: ${limits.CORS_MAX_ORIGINS} at most`);
  });

  it("names only metrics that exist", () => {
    const gauges = [
      "audit_projection_lag_seconds",
      "audit_archive_lag_seconds",
      "audit_publish_lag_seconds",
      "audit_parked_messages",
      "audit_dead_letters",
      "audit_canary_age_seconds",
    ];
    const known = new Set([...Object.keys(METRICS), ...gauges]);
    for (const [metric] of page.matchAll(/audit_[a-z_]+/g)) expect(known, metric).toContain(metric);
  });
});

describe("docs/access.md", () => {
  it("names the verbs of a binding, all of them", () => {
    const section = read("docs/access.md").split("## By service binding")[1]?.split("\n## ")[0] ?? "";
    const table = section.split("\n").filter((line) => line.startsWith("| `"));
    const named = table.flatMap((line) => [...(line.split("|")[1] ?? "").matchAll(/`(\w+)`/g)].map(([, verb]) => verb));
    const verbs = [...read("src/rpc/audit-log.ts").matchAll(/^ {2}(\w+)\(/gm)].map(([, verb]) => verb);
    expect(new Set(named)).toEqual(new Set(verbs));
  });
});

describe("scopes", () => {
  it("are those of the API contract, in its order", () => {
    expect(SCOPES.join(" ")).toBe(
      "events:append events:import events:read personal:read exports:write policy:write holds:write erasures:write sinks:write keys:write reads:write orgs:write operate",
    );
  });
});

describe("relations between limits", () => {
  it("hold", () => {
    expect(limits.EVENT_MAX_BYTES).toBeLessThan(limits.QUEUE_MESSAGE_MAX_BYTES);
    expect(limits.QUEUE_MESSAGE_BYTES).toBeLessThan(limits.QUEUE_MESSAGE_MAX_BYTES);
    expect(limits.APPEND_MAX_EVENTS).toBeLessThanOrEqual(limits.GATHER_MAX_EVENTS);
    expect(limits.APPEND_MAX_BYTES).toBeLessThanOrEqual(limits.GATHER_MAX_BYTES);
    expect(limits.STAGED_ROW_MAX_BYTES).toBeLessThan(2_000_000);
    expect(limits.SEGMENT_MAX_ENTRIES).toBeGreaterThanOrEqual(limits.GATHER_MAX_EVENTS);
    expect(limits.CELL_MAX_ORG_NUMBERS * limits.LOG_MAX_ENTRIES).toBeLessThanOrEqual(2 ** 53);
    expect(limits.VERIFIER_AHEAD_RECORDS).toBeGreaterThan(limits.SEGMENT_MAX_ENTRIES);
    expect(limits.RECORD_MAX_BYTES).toBeGreaterThan(2 * limits.EVENT_MAX_BYTES + limits.LEAF_MAX_BYTES);
    expect(limits.VERIFY_PAGE_ENTRIES).toBeLessThan(limits.VERIFY_MAX_ENTRIES);
    expect(limits.BACKLOG_MAX_BYTES).toBeLessThan(10_000_000_000);
    // The open tile stays staged whatever happens, and staged rows never fill the backlog because of the tree.
    expect(limits.TREE_KEPT_MAX_ENTRIES).toBeGreaterThanOrEqual(limits.PUBLISH_MAX_ENTRIES + 256);
    expect(limits.TREE_KEPT_MAX_BYTES).toBeLessThan(limits.BACKLOG_MAX_BYTES / 2);
    // The deployment's switch holds within 5 s: what is known serves no longer, and an answer goes out within a second.
    expect(limits.READS_SWITCH_FRESH_MS).toBeLessThan(limits.READS_SWITCH_STALE_MS);
    expect(limits.READS_SWITCH_STALE_MS + 1_000).toBeLessThanOrEqual(5_000);
    expect(limits.READS_SWITCH_ASK_MS).toBe(limits.STARTUP_COMPARE_MS);
    expect(limits.PLATFORM_KEY_FRESH_MS).toBeLessThan(limits.PLATFORM_KEY_STALE_MS);
  });
});

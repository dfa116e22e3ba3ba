import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { statusSchema } from "../../src/schema/answers.ts";
import { untilProjected } from "../support/check-ledger.ts";
import { call, createOrg, event } from "../support/client.ts";
import { breakMethod, breakProjection, breakSegments, replaceMethod, restoreFaults } from "../support/faults.ts";
import { conforms } from "../http/support.ts";
import { takeDown } from "./support.ts";

afterEach(restoreFaults);

const DEPENDENCIES = ["DIRECTORY", "CELL_0", "CELL_1", "ARCHIVE", "ORG_LEDGER", "ORG_JOBS", "INGEST_QUEUE"];

async function health(): Promise<{ status: number; up: Record<string, boolean> }> {
  const { status, json, headers } = await call("GET", "/healthz", { key: null });
  expect(headers.get("cache-control")).toBe("no-store");
  expect(json.ok).toBe(status === 200);
  return { status, up: Object.fromEntries(json.dependencies.map(({ name, ok }: any) => [name, ok])) };
}

describe("/healthz", () => {
  it("names each dependency, without a key", async () => {
    const { status, up } = await health();
    expect(status).toBe(200);
    expect(up).toEqual(Object.fromEntries(DEPENDENCIES.map((name) => [name, true])));
  });

  it.each([
    ["DIRECTORY", () => takeDown(env.DIRECTORY)],
    ["CELL_0", () => takeDown(env.CELL_0)],
    ["CELL_1", () => takeDown(env.CELL_1)],
    ["ARCHIVE", () => breakMethod(env.ARCHIVE, "head", "failed")],
    ["ARCHIVE", () => breakMethod(env.ARCHIVE, "head", "hangs")],
    [
      "ORG_JOBS",
      () =>
        replaceMethod(env.ORG_JOBS, "getByName", () => {
          throw new Error("injected by the test");
        }),
    ],
    [
      "ORG_LEDGER",
      () =>
        replaceMethod(env.ORG_LEDGER, "getByName", () => {
          throw new Error("injected by the test");
        }),
    ],
  ] as const)("answers 503 and names %s when that one is down", async (name, breakIt) => {
    breakIt();
    const { status, up } = await health();
    expect(status).toBe(503);
    expect(Object.keys(up).filter((one) => up[one] === false)).toEqual([name]);
  });
});

describe("an org's status", () => {
  it("tells ingestion, projection, archive and placements apart", async () => {
    const org = await createOrg("status");
    await untilProjected(org);
    breakProjection(org, "failed");
    breakSegments(org, "put", "failed");
    await call("POST", `/v1/orgs/${org}/events`, { body: { events: [event(1), event(2)] } });
    const path = `/v1/orgs/${org}/status`;
    await expect.poll(async () => (await call("GET", path)).json.projection.state).toBe("waiting");
    const status = conforms(statusSchema, (await call("GET", path)).json);
    expect(status).toMatchObject({
      org,
      ingestion: { state: "accepting", size: 3, backlog_entries: 3 },
      projection: { size: 1, lag_entries: 2 },
      archive: { size: 0, lag_entries: 3 },
      placements: [{ first_index: 0 }],
      reads: { state: "enabled" },
    });
    expect(status.ingestion.backlog_bytes).toBeGreaterThan(0);
    restoreFaults();
    await env.ORG_LEDGER.getByName(org).wake(org);
    expect((await call("GET", path)).json.projection).toMatchObject({ state: "running", size: 3, lag_entries: 0 });
  });
});

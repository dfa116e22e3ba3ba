import { env } from "cloudflare:workers";
import type * as z from "zod";
import { configOf } from "../../src/env.ts";
import { storeDeadLetter } from "../../src/ingest/dead-letters.ts";
import * as answers from "../../src/schema/answers.ts";
import * as counts from "../../src/schema/counts.ts";
import { historySchema } from "../../src/schema/history.ts";
import { viewerTokenSchema } from "../../src/schema/viewer-token.ts";
import { call, event, freshOrg } from "../support/client.ts";
import { orgKey, platformKey } from "./support.ts";

type Request_ = { method: string; path: string; body?: unknown; headers?: Record<string, string> };

/**
 * One route: `make` prepares and answers a request that succeeds with the right key, a new one each time; `shape` is
 * that of the answer, null where it is not JSON. `of` says whose keys open it: an org's, the platform's, or nobody's.
 */
export type Route = {
  of: "org" | "platform" | "root" | "public";
  make: (org: string) => Promise<Request_> | Request_;
  status: number;
  shape: z.ZodType | null;
};

/** A path below an org's URL that needs a checkpoint. */
async function published(org: string, path: string): Promise<Request_> {
  await call("GET", `/v1/orgs/${org}/checkpoint?min_size=1`);
  return { method: "GET", path: `/v1/orgs/${org}/${path}` };
}

const OF_AN_ORG: Record<string, Route> = {
  putOrg: {
    of: "org",
    make: (org) => ({ method: "PUT", path: `/v1/orgs/${org}`, body: {} }),
    status: 200,
    shape: answers.orgSchemaAnswer,
  },
  getOrg: {
    of: "org",
    make: (org) => ({ method: "GET", path: `/v1/orgs/${org}` }),
    status: 200,
    shape: answers.orgSchemaAnswer,
  },
  getStatus: {
    of: "org",
    make: (org) => ({ method: "GET", path: `/v1/orgs/${org}/status` }),
    status: 200,
    shape: answers.statusSchema,
  },
  rebuild: {
    of: "org",
    make: (org) => ({ method: "POST", path: `/v1/orgs/${org}/rebuild` }),
    status: 202,
    shape: answers.statusSchema,
  },
  repair: {
    of: "org",
    make: (org) => ({ method: "POST", path: `/v1/orgs/${org}/repair`, body: { reason: "a row looks odd" } }),
    status: 200,
    shape: answers.repairReportSchema,
  },
  appendEvents: {
    of: "org",
    make: (org) => ({ method: "POST", path: `/v1/orgs/${org}/events`, body: event(1) }),
    status: 201,
    shape: answers.appendedSchema,
  },
  listEntries: {
    of: "org",
    make: (org) => ({ method: "GET", path: `/v1/orgs/${org}/events?min_size=1` }),
    status: 200,
    shape: answers.entryPageSchema,
  },
  getEntry: {
    of: "org",
    make: (org) => ({ method: "GET", path: `/v1/orgs/${org}/events/0` }),
    status: 200,
    shape: answers.entrySchema,
  },
  getHistory: {
    of: "org",
    make: (org) => ({ method: "GET", path: `/v1/orgs/${org}/targets/org/${org}/history?min_size=1` }),
    status: 200,
    shape: historySchema,
  },
  listActions: {
    of: "org",
    make: (org) => ({ method: "GET", path: `/v1/orgs/${org}/actions` }),
    status: 200,
    shape: counts.inventorySchema,
  },
  getStats: {
    of: "org",
    make: (org) => ({ method: "GET", path: `/v1/orgs/${org}/stats?group_by=action` }),
    status: 200,
    shape: counts.statsSchema,
  },
  verifyLog: {
    of: "org",
    make: (org) => ({ method: "GET", path: `/v1/orgs/${org}/verify` }),
    status: 200,
    shape: null,
  },
  getCheckpoint: {
    of: "org",
    make: (org) => ({ method: "GET", path: `/v1/orgs/${org}/checkpoint?min_size=1` }),
    status: 200,
    shape: null,
  },
  getLogKey: {
    of: "org",
    make: (org) => ({ method: "GET", path: `/v1/orgs/${org}/log-key` }),
    status: 200,
    shape: null,
  },
  getTile: {
    of: "org",
    make: (org) => published(org, "tile/0/000.p/1"),
    status: 200,
    shape: null,
  },
  proveInclusion: {
    of: "org",
    make: (org) => published(org, "proof/inclusion?index=0&size=1"),
    status: 200,
    shape: answers.inclusionProofSchema,
  },
  proveConsistency: {
    of: "org",
    make: (org) => published(org, "proof/consistency?from=0&to=1"),
    status: 200,
    shape: answers.consistencyProofSchema,
  },
  proveEntry: {
    of: "org",
    make: (org) => ({ method: "GET", path: `/v1/orgs/${org}/events/0/proof` }),
    status: 200,
    shape: null,
  },
  createKey: {
    of: "org",
    make: (org) => ({
      method: "POST",
      path: `/v1/orgs/${org}/keys`,
      body: { name: "made", scopes: ["keys:write"] },
    }),
    status: 201,
    shape: answers.issuedKeySchema,
  },
  listKeys: {
    of: "org",
    make: (org) => ({ method: "GET", path: `/v1/orgs/${org}/keys` }),
    status: 200,
    shape: answers.keysSchema,
  },
  revokeKey: {
    of: "org",
    make: async (org) => {
      const { id } = await orgKey(org, ["events:read"]);
      return { method: "DELETE", path: `/v1/orgs/${org}/keys/${id}` };
    },
    status: 200,
    shape: answers.keySchema,
  },
  mintViewerToken: {
    of: "org",
    make: (org) => ({
      method: "POST",
      path: `/v1/orgs/${org}/viewer-tokens`,
      body: { actor: { type: "user", id: "u_1" }, scopes: ["events:read"] },
    }),
    status: 201,
    shape: viewerTokenSchema,
  },
  createPlatformKey: {
    of: "root",
    make: () => ({ method: "POST", path: "/v1/keys", body: { name: "made", scopes: ["events:append"] } }),
    status: 201,
    shape: answers.issuedPlatformKeySchema,
  },
  listPlatformKeys: {
    of: "root",
    make: () => ({ method: "GET", path: "/v1/keys" }),
    status: 200,
    shape: answers.platformKeysSchema,
  },
  revokePlatformKey: {
    of: "root",
    make: async () => {
      const { id } = await platformKey(["events:append"]);
      return { method: "DELETE", path: `/v1/keys/${id}` };
    },
    status: 200,
    shape: answers.platformKeySchema,
  },
  listDeadLetters: {
    of: "platform",
    make: () => ({ method: "GET", path: "/v1/dead-letters?limit=5" }),
    status: 200,
    shape: answers.deadLettersSchema,
  },
  replayDeadLetter: {
    of: "platform",
    make: async (org) => {
      const id = freshOrg("dl");
      const message = { v: 1, kind: "append", org, batch: id, received_at: "2026-11-21T00:00:00Z", key: "shop" };
      const text = JSON.stringify({ ...message, events: [event(1)] });
      const refusal = { code: "overloaded", detail: "put there by a test" } as const;
      await storeDeadLetter(configOf(env), { id, org, refusal, state: "dead", attempts: 3, text });
      return { method: "POST", path: `/v1/dead-letters/${id}/replay` };
    },
    status: 200,
    shape: answers.deadLetterSchema,
  },
  getHealth: {
    of: "public",
    make: () => ({ method: "GET", path: "/healthz" }),
    status: 200,
    shape: answers.healthSchema,
  },
  getMetrics: { of: "platform", make: () => ({ method: "GET", path: "/metrics" }), status: 200, shape: null },
  getOpenApi: { of: "public", make: () => ({ method: "GET", path: "/openapi.json" }), status: 200, shape: null },
};

/** What can be asked of one of an org's logs by its number as well. */
const OF_A_LOG = [
  "getEntry",
  "verifyLog",
  "getCheckpoint",
  "getLogKey",
  "getTile",
  "proveInclusion",
  "proveConsistency",
  "proveEntry",
];

/** Every operation by its id; a route without a line here fails `routes.test.ts`. */
export const ROUTES: Record<string, Route> = {
  ...OF_AN_ORG,
  ...Object.fromEntries(
    OF_A_LOG.map((id) => {
      const route = OF_AN_ORG[id] as Route;
      const make = async (org: string) => {
        const made = await route.make(org);
        return { ...made, path: made.path.replace(`/${org}/`, `/${org}/1/`) };
      };
      return [`${id}OfLog`, { ...route, make }];
    }),
  ),
  // Of a log that takes entries: what it does to another, test/ledger/continue-log.test.ts says.
  continueLog: {
    of: "org",
    make: (org) => ({ method: "POST", path: `/v1/orgs/${org}/continue`, body: { reason: "an entry is gone" } }),
    status: 409,
    shape: null,
  },
};

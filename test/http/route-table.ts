import { createHash } from "node:crypto";
import { env } from "cloudflare:workers";
import { putAbsenceList } from "../../src/archive/absence-list.ts";
import * as answers from "../../src/schema/answers.ts";
import * as counts from "../../src/schema/counts.ts";
import { historySchema } from "../../src/schema/history.ts";
import { viewerTokenSchema } from "../../src/schema/viewer-token.ts";
import { statusOf } from "../support/check-ledger.ts";
import { call, event } from "../support/client.ts";
import { OF_KEEPING } from "./keeping-routes.ts";
import { OF_THE_PLATFORM } from "./platform-routes.ts";
import { OF_READING } from "./reading-routes.ts";
import type { Request_, Route } from "./route.ts";
import { orgKey } from "./support.ts";

/** A path below an org's URL that needs a checkpoint. */
async function published(org: string, path: string): Promise<Request_> {
  await call("GET", `/v1/orgs/${org}/checkpoint?min_size=1`);
  return { method: "GET", path: `/v1/orgs/${org}/${path}` };
}

/** The path of a list that is kept beside the leaves. */
async function listed(org: string, text: string): Promise<Request_> {
  const sha256 = createHash("sha256").update(text).digest("hex");
  const { log } = await statusOf(org);
  await putAbsenceList(env.ARCHIVE, { log, sha256, text });
  return { method: "GET", path: `/v1/orgs/${org}/absences/${sha256}` };
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
    viewers: "whole",
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
    make: (org) => ({ method: "GET", path: `/v1/orgs/${org}/events?limit=5` }),
    status: 200,
    shape: answers.entryPageSchema,
    viewers: "any",
    shown: ({ json }) => json.data.length,
  },
  getEntry: {
    of: "org",
    make: (org) => ({ method: "GET", path: `/v1/orgs/${org}/events/0` }),
    status: 200,
    shape: answers.entrySchema,
    viewers: "any",
    shown: () => 1,
  },
  getHistory: {
    of: "org",
    make: (org) => ({ method: "GET", path: `/v1/orgs/${org}/targets/org/${org}/history` }),
    status: 200,
    shape: historySchema,
    viewers: "any",
    shown: ({ json }) => json.data.length,
  },
  listActions: {
    of: "org",
    make: (org) => ({ method: "GET", path: `/v1/orgs/${org}/actions` }),
    status: 200,
    shape: counts.inventorySchema,
    viewers: "whole",
    shown: ({ json }) => json.data.length,
  },
  getStats: {
    of: "org",
    make: (org) => ({ method: "GET", path: `/v1/orgs/${org}/stats?group_by=action` }),
    status: 200,
    shape: counts.statsSchema,
    viewers: "whole",
    shown: ({ json }) => json.data.length,
  },
  verifyLog: {
    of: "org",
    make: (org) => ({ method: "GET", path: `/v1/orgs/${org}/verify` }),
    status: 200,
    shape: null,
    viewers: "whole",
    shown: ({ text }) => JSON.parse(text.trimEnd().split("\n").at(-1) as string).checked,
  },
  getCheckpoint: {
    of: "org",
    make: (org) => ({ method: "GET", path: `/v1/orgs/${org}/checkpoint?min_size=1` }),
    status: 200,
    shape: null,
    viewers: "whole",
  },
  getLogKey: {
    of: "org",
    make: (org) => ({ method: "GET", path: `/v1/orgs/${org}/log-key` }),
    status: 200,
    shape: null,
    viewers: "whole",
  },
  getTile: {
    of: "org",
    make: (org) => published(org, "tile/0/000.p/1"),
    status: 200,
    shape: null,
    viewers: "whole",
  },
  getAbsences: {
    of: "org",
    make: (org) => listed(org, "7 note\n"),
    status: 200,
    shape: null,
    viewers: "whole",
  },
  proveInclusion: {
    of: "org",
    make: (org) => published(org, "proof/inclusion?index=0&size=1"),
    status: 200,
    shape: answers.inclusionProofSchema,
    viewers: "whole",
  },
  proveConsistency: {
    of: "org",
    make: (org) => published(org, "proof/consistency?from=0&to=1"),
    status: 200,
    shape: answers.consistencyProofSchema,
    viewers: "whole",
  },
  proveEntry: {
    of: "org",
    make: (org) => ({ method: "GET", path: `/v1/orgs/${org}/events/0/proof` }),
    status: 200,
    shape: null,
    viewers: "any",
    shown: () => 1,
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
  "getAbsences",
  "proveEntry",
];

/** Every operation by its id; a route without a line here fails `routes.test.ts`. */
export const ROUTES: Record<string, Route> = {
  ...OF_AN_ORG,
  ...OF_THE_PLATFORM,
  ...OF_READING,
  ...OF_KEEPING,
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

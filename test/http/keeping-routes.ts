import * as erasure from "../../src/schema/erasure.ts";
import * as holds from "../../src/schema/hold.ts";
import * as runs from "../../src/schema/retention.ts";
import { retentionSchema } from "../../src/schema/policy.ts";
import { call } from "../support/client.ts";
import type { Route } from "./route.ts";

/** Of a person no test's org knows. */
const HOLD = { filter: { actor: "u_sued" }, reason: "the case of Smith" };

const ERASURE = { subject: { type: "user", id: "u_nobody" }, reason: "she asked for it" };

/** What is kept, and for how long. */
export const OF_KEEPING: Record<string, Route> = {
  getRetention: {
    of: "org",
    make: (org) => ({ method: "GET", path: `/v1/orgs/${org}/retention` }),
    status: 200,
    shape: retentionSchema,
  },
  putRetention: {
    of: "org",
    make: (org) => ({ method: "PUT", path: `/v1/orgs/${org}/retention`, body: { days: { login: 30 } } }),
    status: 200,
    shape: retentionSchema,
  },
  startRetentionRun: {
    of: "org",
    make: (org) => ({ method: "POST", path: `/v1/orgs/${org}/retention/runs`, body: { as_of: "2000-01-01" } }),
    status: 202,
    shape: runs.runSchema,
  },
  listRetentionRuns: {
    of: "org",
    make: (org) => ({ method: "GET", path: `/v1/orgs/${org}/retention/runs` }),
    status: 200,
    shape: runs.runsSchema,
  },
  getRetentionRun: {
    of: "org",
    make: async (org) => {
      const { json } = await call("POST", `/v1/orgs/${org}/retention/runs`, { body: { dry_run: true } });
      return { method: "GET", path: `/v1/orgs/${org}/retention/runs/${json.id}` };
    },
    status: 200,
    shape: runs.runSchema,
    also: ["events:read"],
    shown: ({ json }) => json.entries,
  },
  listHolds: {
    of: "org",
    make: (org) => ({ method: "GET", path: `/v1/orgs/${org}/holds` }),
    status: 200,
    shape: holds.holdsSchema,
  },
  placeHold: {
    of: "org",
    make: (org) => ({ method: "POST", path: `/v1/orgs/${org}/holds`, body: HOLD }),
    status: 201,
    shape: holds.holdSchema,
  },
  createErasure: {
    of: "org",
    make: (org) => ({ method: "POST", path: `/v1/orgs/${org}/erasures`, body: ERASURE }),
    status: 202,
    shape: erasure.erasureSchema,
  },
  listErasures: {
    of: "org",
    make: (org) => ({ method: "GET", path: `/v1/orgs/${org}/erasures` }),
    status: 200,
    shape: erasure.erasuresSchema,
  },
  getErasure: {
    of: "org",
    make: async (org) => {
      // At most ten of an org may be unfinished.
      const known = (await call("GET", `/v1/orgs/${org}/erasures`)).json.data[0];
      const { id } = known ?? (await call("POST", `/v1/orgs/${org}/erasures`, { body: ERASURE })).json;
      return { method: "GET", path: `/v1/orgs/${org}/erasures/${id}` };
    },
    status: 200,
    shape: erasure.erasureSchema,
  },
  cancelErasure: {
    of: "org",
    make: async (org) => {
      const known = (await call("GET", `/v1/orgs/${org}/erasures`)).json.data[0];
      const { id } = known ?? (await call("POST", `/v1/orgs/${org}/erasures`, { body: ERASURE })).json;
      return { method: "POST", path: `/v1/orgs/${org}/erasures/${id}/cancel` };
    },
    status: 200,
    shape: erasure.erasureSchema,
  },
  releaseHold: {
    of: "org",
    make: async (org) => {
      const { json } = await call("POST", `/v1/orgs/${org}/holds`, { body: HOLD });
      return { method: "POST", path: `/v1/orgs/${org}/holds/${json.id}/release`, body: { reason: "it was settled" } };
    },
    status: 200,
    shape: holds.holdSchema,
  },
};

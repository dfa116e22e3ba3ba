import * as reads from "../../src/schema/reads.ts";
import { call } from "../support/client.ts";
import type { Route } from "./route.ts";

/** A window no entry of a test's org is in. */
const FAR_WINDOW = { from: 1_000_000, to: 1_000_001, reason: "the logs of two orgs were mixed" };

/** What stops and opens reading. */
export const OF_READING: Record<string, Route> = {
  getReads: {
    of: "org",
    make: (org) => ({ method: "GET", path: `/v1/orgs/${org}/reads` }),
    status: 200,
    shape: reads.readsSchema,
  },
  // Opens what is open: what closing does, test/policy/reads.test.ts says.
  putReads: {
    of: "org",
    make: (org) => ({ method: "PUT", path: `/v1/orgs/${org}/reads`, body: { enabled: true, reason: "all is well" } }),
    status: 200,
    shape: reads.readsSchema,
  },
  getDeploymentReads: {
    of: "platform",
    make: () => ({ method: "GET", path: "/v1/reads" }),
    status: 200,
    shape: reads.readsSchema,
  },
  putDeploymentReads: {
    of: "platform",
    make: () => ({ method: "PUT", path: "/v1/reads", body: { enabled: true, reason: "all is well" } }),
    status: 200,
    shape: reads.readsSchema,
  },
  listQuarantines: {
    of: "org",
    make: (org) => ({ method: "GET", path: `/v1/orgs/${org}/quarantines` }),
    status: 200,
    shape: reads.quarantinesSchema,
    viewers: "whole",
  },
  placeQuarantine: {
    of: "org",
    make: (org) => ({ method: "POST", path: `/v1/orgs/${org}/quarantines`, body: FAR_WINDOW }),
    status: 201,
    shape: reads.quarantineSchema,
  },
  releaseQuarantine: {
    of: "org",
    make: async (org) => {
      const { json } = await call("POST", `/v1/orgs/${org}/quarantines`, { body: FAR_WINDOW });
      return {
        method: "POST",
        path: `/v1/orgs/${org}/quarantines/${json.id}/release`,
        body: { reason: "it was ours" },
      };
    },
    status: 200,
    shape: reads.quarantineSchema,
  },
  annotateQuarantine: {
    of: "org",
    make: async (org) => {
      const { json } = await call("POST", `/v1/orgs/${org}/quarantines`, { body: FAR_WINDOW });
      return { method: "POST", path: `/v1/orgs/${org}/quarantines/${json.id}/notes`, body: { note: "asked Jane" } };
    },
    status: 201,
    shape: reads.quarantineSchema,
  },
};

import { exportSchema, exportsSchema } from "../../src/schema/export.ts";
import { asked, made } from "../export/support.ts";
import { call } from "../support/client.ts";
import type { Route } from "./route.ts";

const body = { format: "ndjson", reason: "an audit" };
const ended = new Map<string, string>();

/** An export that was cancelled: nothing of it goes on. */
async function cancelled(org: string): Promise<string> {
  const known = ended.get(org);
  if (known !== undefined) return known;
  const { id } = await asked(org, body);
  await call("POST", `/v1/orgs/${org}/exports/${id}/cancel`);
  ended.set(org, id);
  return id;
}

/** Operations on exports. */
export const OF_EXPORTS: Record<string, Route> = {
  createExport: {
    of: "org",
    also: ["events:read"],
    make: async (org) => {
      // An org has ten that are not over at most.
      const { json } = await call("GET", `/v1/orgs/${org}/exports`);
      for (const { id, ended_at } of json?.data ?? []) {
        if (ended_at === null) await call("POST", `/v1/orgs/${org}/exports/${id}/cancel`);
      }
      return { method: "POST", path: `/v1/orgs/${org}/exports`, body };
    },
    status: 202,
    shape: exportSchema,
  },
  listExports: {
    of: "org",
    make: (org) => ({ method: "GET", path: `/v1/orgs/${org}/exports` }),
    status: 200,
    shape: exportsSchema,
  },
  getExport: {
    of: "org",
    make: async (org) => ({ method: "GET", path: `/v1/orgs/${org}/exports/${await cancelled(org)}` }),
    status: 200,
    shape: exportSchema,
  },
  cancelExport: {
    of: "org",
    make: async (org) => ({ method: "POST", path: `/v1/orgs/${org}/exports/${await cancelled(org)}/cancel` }),
    status: 200,
    shape: exportSchema,
  },
  downloadExport: {
    of: "public",
    make: async (org) => ({ method: "GET", path: (await made(org, body)).links?.data.url ?? "" }),
    status: 200,
    shape: null,
    shown: ({ text }) => text.split("\n").length - 1,
  },
};

import { env } from "cloudflare:workers";
import { configOf } from "../../src/env.ts";
import { storeDeadLetter } from "../../src/ingest/dead-letters.ts";
import * as answers from "../../src/schema/answers.ts";
import { event, freshOrg } from "../support/client.ts";
import type { Route } from "./route.ts";
import { platformKey } from "./support.ts";

/** Operations that are of no org. */
export const OF_THE_PLATFORM: Record<string, Route> = {
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

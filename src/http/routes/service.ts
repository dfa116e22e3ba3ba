import { Hono } from "hono";
import { healthSchema } from "../../schema/answers.ts";
import { checkHealth } from "../../watch/health.ts";
import { metricsText } from "../../watch/metrics-text.ts";
import { type App, answer, json, problem } from "../context.ts";
import type { Operation } from "../operation.ts";
import { operatorOf } from "./dead-letters.ts";

export const service = new Hono<App>()
  .get("/healthz", async (c) => {
    const health = await checkHealth(c.get("config"));
    return json(c, health, health.ok ? 200 : 503, { "cache-control": "no-store" });
  })
  .get("/metrics", async (c) => {
    const operator = await operatorOf(c);
    if (!operator.ok) return problem(c, operator.refusal);
    return answer(c, 200, await metricsText(c.get("config")), {
      "content-type": "text/plain; version=0.0.4; charset=utf-8",
    });
  });

export const operations: Operation[] = [
  {
    method: "get",
    path: "/healthz",
    id: "getHealth",
    summary: "Whether each dependency answers",
    tag: "Operate",
    scope: null,
    answers: {
      200: { description: "All answer.", body: { "application/json": healthSchema } },
      503: { description: "One does not.", body: { "application/json": healthSchema } },
    },
    errors: [],
  },
  {
    method: "get",
    path: "/metrics",
    id: "getMetrics",
    summary: "Metrics in Prometheus' text format",
    tag: "Operate",
    scope: "operate",
    answers: { 200: { description: "The metrics.", body: { "text/plain": null } } },
    errors: ["unauthorized", "forbidden"],
  },
];

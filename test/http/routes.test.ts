import { beforeAll, describe, expect, it } from "vitest";
import { app, operations } from "../../src/http/app.ts";
import { verifyReportSchema } from "../../src/schema/answers.ts";
import { call, createOrg } from "../support/client.ts";
import { ROUTES } from "./route-table.ts";
import { conforms } from "./support.ts";

/** Methods and paths as the router has them, with `{name}` for parameters; middleware left out. */
function routesOfRouter(): string[] {
  const handlers = app.routes.filter(({ method }) => method !== "ALL");
  return handlers.map(
    ({ method, path }) =>
      `${method} ${path
        .replace("{.+}", "")
        .replace("{[0-9]+}", "")
        .replaceAll(/:(\w+)/g, "{$1}")}`,
  );
}

describe("the table of routes", () => {
  it("has a line for every operation, and no other", () => {
    expect(operations.map(({ id }) => id).sort()).toEqual(Object.keys(ROUTES).sort());
  });

  it("is what the router serves: every route is documented, and every documented one is served", () => {
    const documented = operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    expect(routesOfRouter().sort()).toEqual(documented.sort());
  });

  it("is told as traced wherever an answer shows entries, and nowhere else", () => {
    const traced = operations.filter((operation) => operation.traced !== undefined).map(({ id }) => id);
    const showing = Object.keys(ROUTES).filter((id) => ROUTES[id]?.shown !== undefined);
    expect(traced.sort()).toEqual(showing.sort());
  });
});

describe("every route", () => {
  let org = "";
  beforeAll(async () => {
    org = await createOrg("routes");
  });

  it.each(Object.keys(ROUTES))("%s works with the right key, and answers in its documented shape", async (id) => {
    const route = ROUTES[id];
    const { method, path, ...rest } = await route!.make(org);
    const answer = await call(method, path, rest);
    expect(answer.status, answer.text).toBe(route!.status);
    const { answers, traced } = operations.find((operation) => operation.id === id)!;
    const documented = answers[answer.status];
    const [type] = (answer.headers.get("content-type") ?? "").split(";");
    expect(Object.keys(documented?.body ?? { "application/problem+json": null })).toContain(type);
    if (route!.shape !== null) conforms(route!.shape, answer.json);
    expect(answer.headers.get("x-request-id")).toMatch(/^req_/);
    expect(answer.headers.has("audit-read-index")).toBe(traced !== undefined);
  });

  it("putOrg answers 201 to the call that creates, and 200 to the same call again", async () => {
    const path = `/v1/orgs/${org}-new`;
    expect((await call("PUT", path, { body: { name: "New" } })).status).toBe(201);
    const again = await call("PUT", path, { body: { name: "New" } });
    expect(again.status).toBe(200);
    expect(again.json).toMatchObject({ name: "New", size: 1, access_log: "sealed", last_checkpoint: null });
  });

  it("verifyLog answers progress line by line, and the report as the last", async () => {
    const { text } = await call("GET", `/v1/orgs/${org}/verify`);
    const lines = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const report = conforms(verifyReportSchema, lines.pop());
    expect(report).toMatchObject({ ok: true, breaks: [], continue_from: null });
    for (const line of lines) expect(Object.keys(line)).toEqual(["progress"]);
  });
});

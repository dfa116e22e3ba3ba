import { createConfig, lintFromString } from "@redocly/openapi-core";
import { describe, expect, it } from "vitest";
import { ERROR_STATUS } from "../../src/errors.ts";
import { app, operations } from "../../src/http/app.ts";
import { openApiDocument } from "../../src/http/openapi.ts";

const document: any = openApiDocument(operations);

/** Every `$ref` of the document. */
function refsOf(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => (name === "$ref" ? [String(inner)] : refsOf(inner)));
}

describe("the OpenAPI document", () => {
  it("passes the recommended rules of a public linter", async () => {
    const config = await createConfig({ extends: ["recommended"] });
    const problems = await lintFromString({ source: JSON.stringify(document), absoluteRef: "openapi.json", config });
    const errors = problems.filter(({ severity }) => severity === "error");
    expect(errors.map(({ ruleId, message, location }) => `${ruleId}: ${message} at ${location[0]?.pointer}`)).toEqual(
      [],
    );
  });

  it("would not pass them with a mistake in it", async () => {
    const config = await createConfig({ extends: ["recommended"] });
    const wrong = structuredClone(document);
    wrong.paths["/v1/orgs/{org}"].get.parameters = [];
    const problems = await lintFromString({ source: JSON.stringify(wrong), absoluteRef: "openapi.json", config });
    expect(problems.filter(({ severity }) => severity === "error")).not.toEqual([]);
  });

  it("has every route of the router, and no other", () => {
    const served = app.routes
      .filter(({ method }) => method !== "ALL")
      .map(
        ({ method, path }) =>
          `${method} ${path
            .replace("{.+}", "")
            .replace("{[0-9]+}", "")
            .replaceAll(/:(\w+)/g, "{$1}")}`,
      );
    const documented = Object.entries<object>(document.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(documented.toSorted()).toEqual(served.toSorted());
  });

  it("gives each operation an id of its own, a summary, its scope and the answers of its errors", () => {
    expect(new Set(operations.map(({ id }) => id)).size).toBe(operations.length);
    for (const { method, path, scope, errors, id } of operations) {
      const operation = document.paths[path][method];
      expect(operation).toMatchObject({ operationId: id, summary: expect.stringMatching(/\w/) });
      if (scope === null) expect(operation.security).toEqual([]);
      else expect(operation.description).toContain(`\`${scope}\``);
      for (const code of errors) {
        expect(operation.responses[ERROR_STATUS[code]].description).toContain(`\`${code}\``);
      }
    }
  });

  it("says of each POST what its Idempotency-Key does, or why it needs none", () => {
    for (const { method, path, id } of operations.filter((operation) => operation.method === "post")) {
      const { parameters = [], description = "" } = document.paths[path][method];
      const taken = parameters.some(({ name }: { name: string }) => name === "Idempotency-Key");
      expect(taken || /[Rr]epeat.*`Idempotency-Key` is not needed/.test(description), id).toBe(true);
    }
  });

  it("documents 401 and 403 wherever a key is needed, and 404 wherever an org is named", () => {
    for (const { path, scope, errors, id } of operations) {
      if (scope !== null) expect(errors, id).toEqual(expect.arrayContaining(["unauthorized", "forbidden"]));
      if (path.includes("{org}")) expect(errors, id).toContain("not_found");
    }
  });

  it("says of each traced read what it takes, what its answers carry, and that reads may be closed or come too often", () => {
    for (const { method, path, traced, id } of operations) {
      const { parameters, responses } = document.paths[path][method];
      const reason = parameters.some(({ name }: { name: string }) => name === "Audit-Reason");
      expect(reason, id).toBe(traced !== undefined);
      const named = (status: number) => Object.keys(responses[status]?.headers ?? {});
      const limits = ["RateLimit", "RateLimit-Policy"];
      expect(named(200), id).toEqual(traced === undefined ? [] : ["Audit-Read-Index", ...limits]);
      expect(named(429), id).toEqual(traced === undefined ? [] : limits);
      // An export is asked for like a read, and traced in its own way.
      const closes = traced === "while_open" || id === "createExport";
      expect(responses[503]?.description.includes("`reads_disabled`") ?? false, id).toBe(closes);
    }
  });

  it("refers to nothing that is not there, and keeps nothing that nobody refers to", () => {
    const known = Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`);
    const used = new Set(refsOf(document));
    expect([...used].toSorted()).toEqual(known.toSorted());
  });
});

import { describe, expect, it } from "vitest";
import { failureOf, problemOf } from "../../src/cli/answer.ts";

const HERE = { url: "http://localhost:8787", org: "acme", key: "" };

describe("what a command says of a refusal", () => {
  it("sends to what is named, where the request says something that the service does not take", () => {
    const body = JSON.stringify({
      code: "invalid_request",
      detail: "/filter/actr: is not a parameter of this request.",
      errors: [{ pointer: "/filter/actr", message: "is not a parameter of this request" }],
    });
    expect(failureOf(problemOf(400, body), HERE)).toEqual({
      what: "the service refused the request with 400: /filter/actr: is not a parameter of this request",
      remedy: "change what it names; --help says how",
    });
    expect(failureOf(problemOf(400, "<html>"), HERE).remedy).toContain("versions of both sides");
  });
});

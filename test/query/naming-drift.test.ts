import { describe, expect, it } from "vitest";
import { NAMING_DRIFT_MAX_COUNT } from "../../src/limits.ts";
import { namingDrift } from "../../src/query/naming-drift.ts";

/** Of names with counts 1, 2, 3, … in the order given. */
const driftOf = (...names: string[]) => namingDrift(names.map((action, n) => ({ action, count: n + 1 })));

describe("namingDrift", () => {
  it.each([
    [["apiKey.create", "user.addApiKey"], ["order", "synonym"], "api_key.create"],
    [["user.created", "User.Created"], ["case"], "user.created"],
    [["user.created", "user_created"], ["separator"], "user.created"],
    [["user-created", "user created", "user.created"], ["separator"], "user.created"],
    [["UserCreated", "user.created"], ["separator"], "user.created"],
    [["user.create", "create_user"], ["order"], "user.create"],
    [["user.create", "user.created"], ["tense"], "user.created"],
    [["user.delete", "user.removed"], ["synonym"], "user.removed"],
    [["users.update", "user.update"], ["plural"], "user.update"],
    [["policies.edit", "policy.change"], ["plural", "synonym"], "policy.change"],
    [["user.login", "user.log_in", "user.signed_in"], ["synonym"], "user.signed_in"],
    [["APIKey.rotate", "api_key.rotate"], ["separator"], "api_key.rotate"],
    [["HTTPServer.Stop", "HttpServerStopped"], ["tense"], "http_server.stop"],
  ])("points at %j", (names, differences, suggestion) => {
    const [drift, ...more] = driftOf(...names);
    expect(more).toEqual([]);
    expect(drift?.actions.toSorted()).toEqual(names.toSorted());
    if (names.length === 2) expect(drift?.differences).toEqual(differences);
    else for (const one of differences) expect(drift?.differences).toContain(one);
    expect(drift?.suggestion).toBe(suggestion);
  });

  it.each([
    [["document.create", "document.comment.create"]],
    [["team.member.add", "project.member.add"]],
    [["member.add", "team.member.add", "project.member.add"]],
    [["file.view", "file.open"]],
    [["user.delete", "user.erase"]],
    [["session.stop", "session.end"]],
    [["request.approve", "request.accept"]],
    [["role.grant", "role.allow"]],
    [["user.create", "user.delete"]],
    [["user.create", "team.create"]],
    [["user.enable", "user.disable"]],
    [["user.login", "user.logout"]],
    [["user.suspend", "user.reinstate"]],
    [["profile", "user.profile"]],
    [["file.upload", "file.import"]],
    [["indelible.read", "indelible.view"]],
    [["create", "delete"]],
    [["…", "!!"]],
    [["address.update", "addres.delete"]],
  ])("leaves %j alone", (names) => {
    expect(driftOf(...names)).toEqual([]);
  });

  it("takes a name that leaves out what stands around an object for the one that says it, and for none of two", () => {
    expect(driftOf("user.addApiKey", "apiKey.add")[0]?.actions).toHaveLength(2);
    expect(driftOf("user.addApiKey", "org.addApiKey", "apiKey.add")).toEqual([]);
    const drifts = driftOf("user.addApiKey", "org.addApiKey", "org.createApiKey", "apiKey.add");
    expect(drifts.map(({ actions }) => actions)).toEqual([["org.createApiKey", "org.addApiKey"]]);
  });

  it("suggests the well-formed name of most entries, and lists most entries first", () => {
    const counts = { "user.create": 5, "user.add": 9, userNew: 80, "User.Create": 1 };
    const [drift] = namingDrift(Object.entries(counts).map(([action, count]) => ({ action, count })));
    expect(drift).toMatchObject({
      actions: ["userNew", "user.add", "user.create", "User.Create"],
      suggestion: "user.add",
    });
  });

  it("compares names of any language and takes hostile ones for words", () => {
    expect(driftOf("Größe.update", "größe.update")[0]?.differences).toEqual(["case"]);
    const hostile = ["'; drop table counter; --", "__proto__", "constructor", "(other)", "\u{1f600}", "a".repeat(200)];
    expect(driftOf(...hostile)).toEqual([]);
  });

  it("is bounded, and quick for as many names as an inventory holds", () => {
    const names = Array.from({ length: 5_000 }, (_, n) => [`thing${n}.create`, `thing${n}.add`]).flat();
    expect(driftOf(...names)).toHaveLength(NAMING_DRIFT_MAX_COUNT);
  });
});

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { eventSchema } from "../../src/schema/event.ts";
import { workplace } from "./support/run-cli.ts";

/** Real logs that lie beside the project on some machines, and are not part of it. */
const DATA = join(import.meta.dirname, "../../../shared/data");
const here = existsSync(DATA);
if (!here) console.log("skipped: real logs are not at ../shared/data");

/** The example of docs/import.md is the one that is tried. */
function exampleMap(): string {
  const text = readFileSync(join(import.meta.dirname, "../../docs/import.md"), "utf8");
  return /```json\n(\{[\s\S]*?\n\})\n```/.exec(text)?.[1] ?? "";
}

it("has a map in its documentation that reads the row beside it", async () => {
  const { server, run, path } = await workplace();
  const row =
    /^\{"requestReceivedTimestamp".*$/m.exec(
      readFileSync(join(import.meta.dirname, "../../docs/import.md"), "utf8"),
    )?.[0] ?? "";
  writeFileSync(path("map.json"), exampleMap());
  const { outcome } = await run("import", ["--org", "acme", "--map", "map.json", "-"], { stdin: row });
  expect(outcome).toEqual({ ok: true, value: 0 });
  const event = eventSchema.parse(JSON.parse([...server.log.values()][0]?.text ?? ""));
  expect(event).toMatchObject({
    id: "a1b86d5d-6f8f-4058-9710-19f5cc40a68a.ResponseStarted",
    action: "configmaps.watch",
    actor: { type: "kubernetes_user", id: "system:node:k8s-node-1" },
    outcome: { result: "denied", error_code: "403" },
  });
});

it.skipIf(!here).each([
  ["cloudtrail-invictus-stratus.ndjson.gz", 2900, 0],
  ["cloudtrail-traildiscover.ndjson.gz", 314, 249],
] as const)("imports %s whole", async (name, appended, duplicates) => {
  const { server, run } = await workplace();
  const { outcome, out } = await run("import", ["--org", "acme", "--preset", "cloudtrail", join(DATA, name)]);
  expect(outcome).toEqual({ ok: true, value: 0 });
  expect(server.log.size).toBe(appended);
  expect(out).toMatch(new RegExp(`duplicates\\s+${duplicates}\\b`));
  for (const { text } of server.log.values()) eventSchema.parse(JSON.parse(text));
});

it.skipIf(!here)("imports Kubernetes audit rows with the map of the documentation", async () => {
  const { server, run, path } = await workplace();
  writeFileSync(path("map.json"), exampleMap());
  const file = join(DATA, "kubernetes-audit.ndjson.gz");
  const { outcome } = await run("import", ["--org", "acme", "--map", "map.json", file]);
  expect(outcome).toEqual({ ok: true, value: 0 });
  expect(server.log.size).toBe(16_563);
  for (const { text } of server.log.values()) eventSchema.parse(JSON.parse(text));
});

import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runExport } from "../../src/cli/export.ts";
import { runVerify } from "../../src/cli/verify.ts";
import { testTerminal } from "../cli/support/run-cli.ts";
import { Deployed, ROOT_KEY } from "./deployed.ts";

const service = new Deployed();
const folder = mkdtempSync(join(tmpdir(), "indelible-export-"));

beforeAll(() => service.start());
afterAll(() => service.stop());

const api = (method: string, path: string, body?: unknown) => service.call(method, `/v1/orgs/${path}`, body);

async function filled(org: string, count: number): Promise<string> {
  await api("PUT", org, { name: org });
  const events = Array.from({ length: count }, (_, n) => ({
    id: `order-${n}`,
    action: n % 5 === 0 ? "order.cancelled" : "order.placed",
    actor: { type: "user", id: `u_${n % 7}`, name: "Jané 🦊" },
    metadata: { n, price: 1.1 },
  }));
  const answer = await api("POST", `${org}/events`, { events });
  expect(answer.status, answer.text).toBe(201);
  const key = await api("GET", `${org}/log-key`);
  return key.text.trim();
}

/** Runs a verb of the command; what verifies is told nothing of the service. */
async function run(verb: "export" | "verify", ...args: string[]) {
  const { said, terminal } = testTerminal();
  const told =
    verb === "export"
      ? { INDELIBLE_URL: service.url.origin, INDELIBLE_KEY: ROOT_KEY }
      : { INDELIBLE_URL: "http://127.0.0.1:9" };
  const around = {
    env: { XDG_STATE_HOME: join(folder, "state"), ...told },
    directory: folder,
    terminal,
    stdin: Readable.from([]),
    signal: new AbortController().signal,
  };
  const outcome = await (verb === "export" ? runExport : runVerify)(args, around);
  return {
    code: outcome.ok ? outcome.value : 2,
    said: `${said.out}${said.err}${outcome.ok ? "" : outcome.failure.what}`,
  };
}

describe("an org of the real service", { timeout: 120_000 }, () => {
  it("is copied whole, and verified with nobody to be asked", async () => {
    const key = await filled("leaving", 700);
    const made = await run(
      "export",
      "--all",
      service.url.origin,
      "--org",
      "leaving",
      "--to",
      "copy",
      "--reason",
      "moving out",
    );
    expect(made.code, made.said).toBe(0);
    const { code, said } = await run("verify", "copy", "--complete", "--key", key);
    expect(code, said).toBe(0);
    expect(said).toMatch(/all 70\d entries verified/);
    const records = readFileSync(join(folder, "copy/records/00001.ndjson"), "utf8");
    writeFileSync(join(folder, "copy/records/00001.ndjson"), records.replace("order-417", "order-418"));
    expect((await run("verify", "copy", "--key", key)).said).toMatch(/content_changed · section note/);
  });

  it("gives out some of its entries in a file that proves itself", async () => {
    const key = await filled("some", 300);
    const asked = ["--org", "some", "--reason", "audit", "--filter=action=order.cancelled"];
    const made = await run("export", ...asked, "--to", "some.ndjson");
    expect(made.code, made.said).toBe(0);
    const { code, said } = await run("verify", "some.ndjson", "--complete", "--key", key);
    expect(code, said).toBe(0);
    expect(said).toContain("all 60 lines verified");
    const text = readFileSync(join(folder, "some.ndjson"), "utf8");
    writeFileSync(join(folder, "some.ndjson"), text.split("\n").toSpliced(9, 1).join("\n"));
    const cut = await run("verify", "some.ndjson", "--key", key);
    expect(cut.code).toBe(1);
    expect(cut.said).toMatch(/part_(changed|missing)/);
    const csv = await run("export", ...asked, "--to", "table.csv", "--format", "csv");
    expect(csv.code, csv.said).toBe(0);
    expect((await run("verify", "table.csv", "--key", key)).code).toBe(0);
  });

  it("proves every line of everything, and that none is missing", async () => {
    const key = await filled("all", 300);
    const made = await run("export", "--org", "all", "--reason", "audit", "--to", "all.ndjson");
    expect(made.code, made.said).toBe(0);
    const { code, said } = await run("verify", "all.ndjson", "--complete", "--key", key);
    expect(code, said).toBe(0);
    expect(said).toContain("no entry is missing");
  });

  it("shows what was erased, and by what, wherever it is taken", async () => {
    const key = await filled("erased", 200);
    const asked = { subject: { type: "user", id: "u_3" }, reason: "asked to be forgotten", sections: ["metadata"] };
    const begun = await api("POST", "erased/erasures", asked);
    expect(begun.status, begun.text).toBe(202);
    const { id } = JSON.parse(begun.text);
    const state = async () => JSON.parse((await api("GET", `erased/erasures/${id}`)).text).state;
    await expect.poll(state, { timeout: 90_000, interval: 500 }).toBe("done");
    for (const args of [
      ["--all", "--to", "erased-copy"],
      ["--to", "erased.ndjson"],
    ]) {
      const made = await run("export", "--org", "erased", "--reason", "moving out", ...args);
      expect(made.code, made.said).toBe(0);
    }
    const copy = await run("verify", "erased-copy", "--complete", "--key", key);
    expect(copy.code, copy.said).toBe(0);
    expect(copy.said).toMatch(/erased +\d+ sections, by an entry of this log/);
    const file = await run("verify", "erased.ndjson", "--complete", "--key", key);
    expect(file.code, file.said).toBe(0);
    expect(file.said).toContain("no entry is missing");
  });
});

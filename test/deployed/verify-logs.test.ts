import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { signCheckpoint } from "../../src/chain/note/sign-note.ts";
import { runVerify } from "../../src/cli/verify.ts";
import { logSigner } from "../../src/log-signer.ts";
import { sha256 } from "../../src/sha256.ts";
import { testTerminal } from "../cli/support/run-cli.ts";
import { Deployed, ROOT_KEY, SIGNING_KEY } from "./deployed.ts";

const service = new Deployed();
const folder = mkdtempSync(join(tmpdir(), "indelible-logs-"));

beforeAll(() => service.start());
afterAll(() => service.stop());

const api = (method: string, path: string, body?: unknown) => service.call(method, `/v1/orgs/${path}`, body);

/** Appends to the newest log, the `number`-th, and has it published; answers its size. */
async function append(org: string, events: number, number = 1): Promise<number> {
  const list = Array.from({ length: events }, () => ({ action: "order.placed", actor: { type: "user", id: "u_17" } }));
  const answer = await api("POST", `${org}/events`, { events: list });
  expect(answer.status, answer.text).toBe(201);
  const { size } = JSON.parse(answer.text);
  expect((await api("GET", `${org}/${number}/checkpoint?min_size=${size}`)).status).toBe(200);
  return size;
}

/** Has an org go on in its next log, once something says that the one it has held more than its ledger does. */
async function proceed(org: string): Promise<void> {
  await service.audit().evictDurableObject("OrgLedger" as never, { name: org });
  const answer = await api("POST", `${org}/continue`, { reason: "an entry is gone for good" });
  expect(answer.status, answer.text).toBe(201);
}

/** D1 says that it had one entry more: the tree of the log is whole. */
async function moveFence(org: string, log: string): Promise<void> {
  const { CELL_0, CELL_1 } = await service.audit().getEnv();
  const behind = async () => JSON.parse((await api("GET", `${org}/status`)).text).projection.lag_entries;
  await expect.poll(behind, { timeout: 30_000 }).toBe(0);
  for (const cell of [CELL_0, CELL_1]) {
    await cell.prepare("update cursor set next = next + 1 where log = ?1").bind(log).run();
  }
}

/** R2 holds a checkpoint of one entry more: the top of its tree is lost with that entry. */
async function signMore(log: string, size: number): Promise<void> {
  const signer = logSigner({ logSigningKey: new Uint8Array(SIGNING_KEY) }, log);
  const checkpoint = { origin: log, size: size + 1, root: new Uint8Array(32) };
  const note = signCheckpoint(sha256, { checkpoint, signers: [signer] });
  const { ARCHIVE } = await service.audit().getEnv();
  await ARCHIVE.put(`tree/${log}/checkpoint/${String(size + 1).padStart(10, "0")}`, note);
}

async function verify(...args: string[]) {
  const { said, terminal } = testTerminal();
  const env = { XDG_STATE_HOME: join(folder, "state"), INDELIBLE_URL: service.url.origin, INDELIBLE_KEY: ROOT_KEY };
  const signal = new AbortController().signal;
  const around = { env, directory: folder, terminal, stdin: Readable.from([]), signal };
  const outcome = await runVerify(args, around);
  return { code: outcome.ok ? outcome.value : 2, ...said };
}

describe("an org of several logs", () => {
  it("is verified through all of them, from its URL and by the service", { timeout: 120_000 }, async () => {
    const log = `${service.url.host}/v1/orgs/moved`;
    await api("PUT", "moved", { name: "Moved" });
    await append("moved", 300);
    await moveFence("moved", log);
    await proceed("moved");
    await append("moved", 5, 2);
    await moveFence("moved", `${log}/2`);
    await proceed("moved");
    await append("moved", 2, 3);

    for (const run of ["first", "again"]) {
      const { code, out } = await verify(`${service.url.origin}/v1/orgs/moved`);
      expect(code, `${run}: ${out}`).toBe(0);
      expect(out).toContain(`✓ ${log}: 301 entries as signed`);
      expect(out).toContain(`✓ ${log}/2: 6 entries as signed`);
      expect(out).toContain(`✓ ${log}/3: 3 entries as signed`);
      expect(out).toContain(`✓ ${log}: 3 logs, nothing broken`);
    }
    const named = await verify(`${service.url.origin}/v1/orgs/moved/2`);
    expect(named.code, named.out).toBe(0);
    expect(named.out).toContain(`✓ ${log}/2 and after: 2 logs, nothing broken`);

    const asked = await verify("--org", "moved");
    expect(asked.code, asked.out).toBe(0);
    expect(asked.out).toMatch(/✓ moved: all 301 [^]*✓ moved\/2: all 6 [^]*✓ moved: 3 logs, nothing broken/);
    const json = JSON.parse((await verify("--org", "moved", "--json")).out);
    expect(json).toMatchObject({ ok: true, log, later: [{ log: `${log}/2` }, { log: `${log}/3` }] });
  });

  it("could not be checked where the tree of a log was lost, and is not broken by that", {
    timeout: 60_000,
  }, async () => {
    const log = `${service.url.host}/v1/orgs/torn`;
    await api("PUT", "torn", { name: "Torn" });
    const size = await append("torn", 3);
    await signMore(log, size);
    await proceed("torn");
    await append("torn", 2, 2);
    const { code, out } = await verify(`${service.url.origin}/v1/orgs/torn`);
    expect(code, out).toBe(2);
    expect(out).toContain(`• ${log}: could not be checked to the end`);
    expect(out.replaceAll(/\s+/g, " ")).toContain("Another log continues this one; the top of its tree may be lost");
    expect(out.replaceAll(/\s+/g, " ")).toContain(`continues ${log}: the first entry names its last checkpoint, of 5`);
    expect(out).toContain(`• ${log}: 2 logs, not checked to the end: ${log}\n`);
  });
});

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type AnyKind, KINDS } from "../../src/jobs/kinds.ts";
import { EXPORT_STEP_MS } from "../../src/limits.ts";
import { append, batchOf } from "../support/append.ts";
import { archiveDue } from "../support/check-ledger.ts";
import { call, event } from "../support/client.ts";
import { breakD1, breakMethod, type Fault, FAULT_KINDS, replaceMethod, restoreFaults } from "../support/faults.ts";
import { finishJob, jobOf, stepJobs } from "../support/jobs.ts";
import { ALL, asked, fileOf, keyOf, made, manifestOf, orgOf, proveFile, standing, told } from "./support.ts";

afterEach(() => {
  restoreFaults();
  vi.useRealTimers();
});

const ofExport = (org: string) => (args: unknown[]) => String(args[0]).startsWith(`export/${org}/`);
const ofSegment = (org: string) => (args: unknown[]) => new RegExp(`^seg/.*/orgs/${org}/`).test(String(args[0]));
const once = (when: (args: any[]) => boolean) => ({ times: 1, when });

async function objectsOf(org: string): Promise<string[]> {
  return (await env.ARCHIVE.list({ prefix: `export/${org}/` })).objects.map(({ key }) => key);
}

const FAULTS: Record<string, (org: string, kind: (typeof FAULT_KINDS)[number]) => Fault> = {
  "a part is not put": (org, kind) => {
    return breakMethod(
      env.ARCHIVE,
      "put",
      kind,
      once((args) => ofExport(org)(args) && /0\.?\d*\.ndjson/.test(args[0])),
    );
  },
  "the manifest is not put": (org, kind) => {
    return breakMethod(
      env.ARCHIVE,
      "put",
      kind,
      once((args) => ofExport(org)(args) && args[0].endsWith("manifest.json")),
    );
  },
  "a segment is not read": (org, kind) => breakMethod(env.ARCHIVE, "get", kind, once(ofSegment(org))),
  "a part is not looked at": (org, kind) => breakMethod(env.ARCHIVE, "head", kind, once(ofExport(org))),
  "what there was is not listed": (org, kind) => {
    return breakMethod(
      env.ARCHIVE,
      "list",
      kind,
      once(([asked]) => String(asked?.prefix).startsWith(`export/${org}/`)),
    );
  },
};
const CASES = Object.keys(FAULTS).flatMap((fault) => FAULT_KINDS.map((kind) => ({ fault, kind })));

/** Holds back the steps of an org's exports until it is told to go on. */
function holdSteps(mine: string): { goOn: () => void } {
  let held = true;
  replaceMethod(KINDS.export as AnyKind, "step", (original, [context, ...rest]) => {
    const waits = { ok: false, refusal: { code: "overloaded", detail: "held by the test" } };
    return held && context.org === mine ? Promise.resolve(waits) : original(context, ...rest);
  });
  return { goOn: () => (held = false) };
}

describe("an export", () => {
  it.each(CASES)("where $fault ($kind) is made all the same, each entry once", async ({ fault, kind }) => {
    const org = await orgOf(50);
    const inject = FAULTS[fault]?.(org, kind);
    const answer = await made(org);
    expect(inject?.hits).toBeGreaterThan(0);
    const manifest = await manifestOf(org, answer);
    const lines = proveFile(await fileOf(answer), manifest);
    expect(lines.map(({ leaf }) => leaf.index)).toEqual(lines.map((_, n) => n));
    expect((await told(org)).map(({ action }) => action.split(".")[2])).toEqual(["requested", "completed"]);
    expect(await objectsOf(org)).toHaveLength(manifest.parts.length + 1);
  });

  it("whose object dies after any of its steps, with what it did kept and not known, is made all the same", async () => {
    const org = await orgOf(50);
    const kind = KINDS.export as AnyKind;
    let deaths = 0;
    let steps = 0;
    replaceMethod(kind, "step", async (original, [context, ...rest]) => {
      const taken = await original(context, ...rest);
      // Every other step is taken, and nobody hears of it.
      if (context.org === org && steps++ % 2 === 0) {
        deaths++;
        throw new Error("died after the step");
      }
      return taken;
    });
    const answer = await made(org);
    expect(deaths).toBeGreaterThan(3);
    const lines = proveFile(await fileOf(answer), await manifestOf(org, answer));
    expect(lines.map(({ leaf }) => leaf.index)).toEqual(lines.map((_, n) => n));
    expect((await told(org)).map(({ action }) => action.split(".")[2])).toEqual(["requested", "completed"]);
  });

  it("of a quiet log, with steps that find an entry each and are heard of every other time, is one part", async () => {
    const org = await orgOf(0);
    for (let n = 0; n < 12; n++) {
      await append(org, batchOf([event(n)]));
      await archiveDue(org);
    }
    vi.useFakeTimers({ toFake: ["Date"] });
    // R2 takes longer to answer than a step takes.
    const slow = replaceMethod(env.ARCHIVE, "get", (original, args) => {
      if (ofSegment(org)(args)) vi.setSystemTime(Date.now() + EXPORT_STEP_MS);
      return original(...args);
    });
    let steps = 0;
    replaceMethod(KINDS.export as AnyKind, "step", async (original, [context, ...rest]) => {
      const taken = await original(context, ...rest);
      if (context.org === org && steps++ % 2 === 1) throw new Error("died after the step");
      return taken;
    });
    const answer = await made(org);
    expect([steps > 24, slow.hits > 12]).toEqual([true, true]);
    expect(answer.parts).toEqual([expect.objectContaining({ rows: answer.rows })]);
    const lines = proveFile(await fileOf(answer), await manifestOf(org, answer));
    expect(lines.map(({ leaf }) => leaf.index)).toEqual(lines.map((_, n) => n));
    expect(lines.length).toBeGreaterThan(12);
  });

  it("goes on while D1 is down, and its parts are made anew where R2 has lost one", async () => {
    const org = await orgOf(50);
    const { id } = await asked(org);
    breakD1();
    const kind = KINDS.export as AnyKind;
    let lost = false;
    replaceMethod(kind, "step", async (original, [context, request, progress]) => {
      if (context.org === org && !lost && progress?.parts?.length > 0) {
        lost = true;
        await env.ARCHIVE.delete(`export/${org}/${id}/${progress.parts[0].name}`);
      }
      return original(context, request, progress);
    });
    expect(await finishJob(org, "export", id)).toMatchObject({ state: "done" });
    restoreFaults();
    expect(lost).toBe(true);
    const answer = await standing(org, id);
    proveFile(await fileOf(answer), await manifestOf(org, answer));
  });

  it("stops when its key is revoked, and nothing of it is left", async () => {
    const org = await orgOf(20);
    const { id: key, key: text } = await keyOf(org, ["exports:write", "events:read"]);
    const steps = holdSteps(org);
    const { id } = await asked(org, ALL, text);
    await call("DELETE", `/v1/orgs/${org}/keys/${key}`);
    steps.goOn();
    const job = await finishJob(org, "export", id);
    expect(job).toMatchObject({ state: "failed", error: expect.stringMatching(/revoked/) });
    await stepJobs(org);
    await expect.poll(() => objectsOf(org)).toEqual([]);
    await expect.poll(async () => (await told(org)).map(({ action }) => action.split(".")[2])).toContain("failed");
  });

  it("waits while reads are closed, and can be cancelled then; its files go, and that is in the log once", async () => {
    const org = await orgOf(20);
    const steps = holdSteps(org);
    const { id } = await asked(org);
    const closed = await call("PUT", `/v1/orgs/${org}/reads`, { body: { enabled: false, reason: "a test" } });
    expect(closed.status, closed.text).toBe(200);
    expect((await call("POST", `/v1/orgs/${org}/exports`, { body: ALL })).json.code).toBe("reads_disabled");
    steps.goOn();
    await expect
      .poll(async () => {
        await stepJobs(org);
        return (await jobOf(org, "export", id)).error;
      })
      .toMatch(/a test|switched off|closed/i);
    expect(await jobOf(org, "export", id)).toMatchObject({ state: "running", ended_at: null });
    await env.ARCHIVE.put(`export/${org}/${id}/00001.ndjson`, "left by a step that nobody heard of");
    for (let n = 0; n < 2; n++) {
      const answer = await call("POST", `/v1/orgs/${org}/exports/${id}/cancel`);
      expect(answer.json).toMatchObject({ state: "cancelled", links: null });
    }
    await stepJobs(org);
    await expect.poll(() => objectsOf(org)).toEqual([]);
    const acts = await runInDurableObject(env.ORG_LEDGER.getByName(org), (_, { storage }) =>
      storage.sql.exec("select name from sealed_once where name like 'indelible.export.cancelled%'").toArray(),
    );
    expect(acts).toHaveLength(1);
  });

  it("beside another of its org comes out as if alone", async () => {
    const org = await orgOf(120);
    const [one, two] = await Promise.all([asked(org), asked(org, { ...ALL, format: "csv" })]);
    await Promise.all([finishJob(org, "export", one?.id ?? ""), finishJob(org, "export", two?.id ?? "")]);
    const [first, second] = [await standing(org, one?.id ?? ""), await standing(org, two?.id ?? "")];
    proveFile(await fileOf(first), await manifestOf(org, first));
    const rows = (await fileOf(second)).split("\r\n").length - 2;
    expect(rows).toBe(second.rows);
    expect((await manifestOf(org, second)).rows).toBe(rows);
  });
});

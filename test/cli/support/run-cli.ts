import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { onTestFinished } from "vitest";
import { runExport } from "../../../src/cli/export.ts";
import { runImport } from "../../../src/cli/import.ts";
import type { ExitCode, Outcome } from "../../../src/cli/outcome.ts";
import type { Terminal } from "../../../src/cli/terminal/terminal.ts";
import { runVerify } from "../../../src/cli/verify.ts";
import { ContractServer } from "./contract-server.ts";

const VERBS = { import: runImport, export: runExport, verify: runVerify };

export type Ran = { outcome: Outcome<ExitCode>; out: string; err: string };

export function testTerminal(live = false, columns = 100) {
  const said = { out: "", err: "" };
  const sink = (name: "out" | "err") => ({
    write: (text: string) => void (said[name] += text),
    live,
    columns: () => columns,
  });
  return { said, terminal: { out: sink("out"), err: sink("err") } satisfies Terminal };
}

/** A directory, a service and the command, each made for one test. */
export async function workplace() {
  const directory = mkdtempSync(join(tmpdir(), "indelible-cli-"));
  const server = new ContractServer();
  const url = await server.start();
  onTestFinished(async () => {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  const run = async (
    verb: keyof typeof VERBS,
    args: string[],
    more: { stdin?: string; signal?: AbortSignal; live?: boolean; columns?: number; env?: Record<string, string> } = {},
  ): Promise<Ran> => {
    const { said, terminal } = testTerminal(more.live, more.columns);
    const around = {
      env: { INDELIBLE_URL: url, INDELIBLE_KEY: "ind_test", XDG_STATE_HOME: join(directory, "state"), ...more.env },
      directory,
      terminal,
      stdin: Readable.from([Buffer.from(more.stdin ?? "")]),
      signal: more.signal ?? new AbortController().signal,
    };
    const outcome = await VERBS[verb](args, around);
    return { outcome, ...said };
  };
  return { directory, server, url, run, path: (name: string) => join(directory, name) };
}

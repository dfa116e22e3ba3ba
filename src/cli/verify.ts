import { noteText } from "../chain/note/note.ts";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { NOTE_MAX_BYTES } from "../limits.ts";
import { COMMON_OPTIONS, connectionOf, readOptions, type Surroundings, type Told } from "./options.ts";
import { EXIT, type ExitCode, failed, type Outcome } from "./outcome.ts";
import { printable } from "./terminal/printable.ts";
import type { Terminal } from "./terminal/terminal.ts";
import { VERIFY_HELP } from "./verify/help.ts";
import type { Job } from "./verify/job.ts";
import { stateFolder } from "./verify/memory.ts";
import { serviceCheck } from "./verify/service-check.ts";
import { targetOf } from "./verify/target.ts";
import { keysOf } from "./verify/trust.ts";
import { verifyExportFile } from "./verify/verify-export.ts";
import { verifyLogs } from "./verify/verify-logs.ts";
import { verifyProofText } from "./verify/verify-proof.ts";

const OPTIONS = {
  ...COMMON_OPTIONS,
  key: { type: "string", multiple: true },
  "api-key": { type: "string" },
  since: { type: "string" },
  continues: { type: "string" },
  manifest: { type: "string" },
  state: { type: "string" },
  reason: { type: "string" },
  complete: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
} as const;

type Values = Told<typeof OPTIONS>["values"];
type Around = Surroundings & { terminal: Terminal; signal: AbortSignal };

/**
 * The verb `verify`. What is named as a file, a folder or an address is verified here, by its own bytes; an org alone is
 * a question to the service.
 */
export async function runVerify(args: string[], around: Around): Promise<Outcome<ExitCode>> {
  const told = readOptions(args, OPTIONS);
  if (!told.ok) return told;
  const { values, positionals } = told.value;
  if (values.help) {
    around.terminal.out.write(VERIFY_HELP);
    return { ok: true, value: EXIT.good };
  }
  const [name, ...more] = positionals;
  if (more.length > 0) return failed(`${positionals.length} things were named`, "name one proof, folder or address");
  return name === undefined ? askService(values, around) : verifyNamed(name, values, around);
}

async function askService(values: Values, around: Around): Promise<Outcome<ExitCode>> {
  const alone = (["since", "continues", "manifest", "complete", "api-key", "state"] as const).find(
    (name) => values[name],
  );
  if (alone !== undefined || values.key?.some((key) => key.includes("+"))) {
    const option = alone ?? "key VKEY";
    return failed(`--${option} needs a log to verify`, "name its address, a folder or a proof before it");
  }
  if (values.org === undefined)
    return failed("nothing was named to verify", "name a proof, a folder or an address, or --org ORG");
  const connection = connectionOf({ ...values, key: values.key?.at(-1) }, around);
  if (!connection.ok) return connection;
  const { reason = null, json } = values;
  if (reason !== null && !HEADER_PATTERN.test(reason)) {
    return failed("--reason holds characters no header can carry", "write it in ASCII");
  }
  return serviceCheck(connection.value, { terminal: around.terminal, signal: around.signal, json, reason });
}

const HEADER_PATTERN = /^[\x20-\x7e]*$/;

async function verifyNamed(name: string, values: Values, around: Around): Promise<Outcome<ExitCode>> {
  if (values.url !== undefined) return failed("an address was given twice", "leave out --url");
  if (values.reason !== undefined)
    return failed("--reason is for --org alone", "leave it out: no sections are asked for");
  const keys = keysOf(values.key ?? []);
  if (!keys.ok) return keys;
  const since = await noteAt(values.since, around);
  if (!since.ok) return since;
  const predecessor = await noteAt(values.continues, around);
  if (!predecessor.ok) return predecessor;
  const { terminal, signal } = around;
  const note = predecessor.value?.note ?? null;
  const job: Job = {
    keys: keys.value,
    memory: stateFolder(values.state, around),
    json: values.json,
    complete: values.complete,
    since: since.value,
    // What an entry names as its predecessor is the three lines, without their signatures.
    predecessor: note === null ? null : noteText(note) || note,
    terminal,
    signal,
  };
  const { org, manifest, "api-key": apiKey } = values;
  const target = await targetOf(name, { org, apiKey, manifest, signal }, around);
  if (!target.ok) return target;
  const { value } = target;
  if (manifest !== undefined && value.kind !== "export") {
    return failed("--manifest is for the file of an export", "name that file before it");
  }
  switch (value.kind) {
    case "log":
      return verifyLogs(value.log, job);
    case "export":
      return verifyExportFile(value.file, job);
    case "proof":
      return verifyProofText(value.text, { shown: value.shown, job });
  }
}

/** A file with a checkpoint; null when none was named. */
async function noteAt(
  name: string | undefined,
  { directory }: Around,
): Promise<Outcome<{ name: string; note: string } | null>> {
  if (name === undefined) return { ok: true, value: null };
  try {
    const note = await readFile(resolve(directory, name), "utf8");
    if (note.length <= NOTE_MAX_BYTES) return { ok: true, value: { name: printable(name), note } };
    return failed(`${printable(name)} is longer than any checkpoint`, "give a file that was saved from …/checkpoint");
  } catch {
    return failed(`${printable(name)} cannot be read`, "give a file that was saved from …/checkpoint");
  }
}

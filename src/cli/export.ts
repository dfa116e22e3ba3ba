import { relative, resolve } from "node:path";
import { EXPORT_HELP } from "./export/help.ts";
import { mirrorOrg } from "./export/mirror.ts";
import type { ExportRequest } from "./export/remote-export.ts";
import { Service } from "./export/service.ts";
import { exportToFile } from "./export/to-file.ts";
import { COMMON_OPTIONS, connectionOf, readOptions, type Surroundings, type Told } from "./options.ts";
import { EXIT, type ExitCode, failed, type Outcome } from "./outcome.ts";
import type { Terminal } from "./terminal/terminal.ts";

const OPTIONS = {
  ...COMMON_OPTIONS,
  all: { type: "boolean", default: false },
  to: { type: "string" },
  reason: { type: "string" },
  format: { type: "string", default: "ndjson" },
  filter: { type: "string", multiple: true },
  from: { type: "string" },
  until: { type: "string" },
  sections: { type: "string" },
  json: { type: "boolean", default: false },
} as const;

type Values = Told<typeof OPTIONS>["values"];
type Around = Surroundings & { terminal: Terminal; signal: AbortSignal };

/** The verb `export`. */
export async function runExport(args: string[], around: Around): Promise<Outcome<ExitCode>> {
  const told = readOptions(args, OPTIONS);
  if (!told.ok) return told;
  const { values, positionals } = told.value;
  if (values.help) {
    around.terminal.out.write(EXPORT_HELP);
    return { ok: true, value: EXIT.good };
  }
  const [address, ...more] = positionals;
  if (more.length > 0 || (address !== undefined && values.url !== undefined)) {
    return failed("more than one address was named", "name the service once");
  }
  const url = address ?? values.url;
  const connection = connectionOf({ ...values, ...(url === undefined ? {} : { url }) }, around);
  if (!connection.ok) return connection;
  const { to, reason, json } = values;
  if (reason === undefined || reason.trim() === "")
    return failed("no reason was given", "add --reason TEXT: it is sealed in the log");
  if (to === undefined) return failed("nobody said where to", `add --to ${values.all ? "FOLDER" : "FILE"}`);
  const service = new Service(connection.value, around.signal);
  const { terminal, directory } = around;
  const place = resolve(directory, to);
  const shown = (path: string) => relative(directory, path) || ".";
  if (values.all) {
    const given = (["filter", "from", "until", "sections"] as const).find((name) => values[name] !== undefined);
    if (given !== undefined || values.format !== "ndjson") {
      return failed(`--${given ?? "format"} does not go with --all`, "leave one of them out");
    }
    return kept(mirrorOrg({ service, reason, to: place, shown: shown(place), json, terminal }));
  }
  const request = requestOf(values, reason);
  if (!request.ok) return request;
  if (!place.endsWith(`.${request.value.format}`)) {
    return failed(`${to} does not end in .${request.value.format}`, "name the file by what is in it");
  }
  return kept(exportToFile({ service, request: request.value, out: place, shown, json, terminal }));
}

/** A place that takes no files is told of as what it is, and no fault of the command's. */
async function kept(task: Promise<Outcome<ExitCode>>): Promise<Outcome<ExitCode>> {
  try {
    return await task;
  } catch (error) {
    if (!(error instanceof Error) || !("syscall" in error)) throw error;
    return failed(`the copy cannot be kept: ${error.message}`, "see to --to, then run the same command");
  }
}

/** What to ask the service for; what it does not know it refuses by name. */
function requestOf({ format, filter = [], from, until, sections }: Values, reason: string): Outcome<ExportRequest> {
  if (format !== "ndjson" && format !== "csv") return failed(`there is no format ${format}`, "use ndjson or csv");
  const filters: Record<string, string[]> = {};
  for (const text of filter) {
    const at = text.indexOf("=");
    if (at < 1) return failed(`--filter ${text} is not NAME=VALUE`, "write it as --filter=action=user.*");
    const name = text.slice(0, at);
    filters[name] = [...(filters[name] ?? []), text.slice(at + 1)];
  }
  return {
    ok: true,
    value: {
      format,
      reason,
      ...(filter.length === 0 ? {} : { filter: filters }),
      ...(from === undefined ? {} : { from }),
      ...(until === undefined ? {} : { to: until }),
      ...(sections === undefined ? {} : { sections: sections.split(",") }),
    },
  };
}

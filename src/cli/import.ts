import { relative, resolve } from "node:path";
import type { Readable } from "node:stream";
import { IMPORT_GIVE_UP_MINUTES } from "./limits.ts";
import { BackOff } from "./import/back-off.ts";
import { mapCloudTrail } from "./import/cloudtrail.ts";
import { deliver } from "./import/deliver.ts";
import { type InputFile, inputFiles } from "./import/input-file.ts";
import type { Mapping } from "./import/mapping.ts";
import { newRun } from "./import/progress-file.ts";
import { readMapFile } from "./import/read-map-file.ts";
import { RejectFiles } from "./import/rejects.ts";
import { keepTrack, takeUp, type Track } from "./import/resume.ts";
import type { Sender } from "./import/send-batch.ts";
import { importReport } from "./import/report.ts";
import { COMMON_HELP, COMMON_OPTIONS, connectionOf, readOptions, type Surroundings } from "./options.ts";
import { EXIT, type ExitCode, failed, type Outcome } from "./outcome.ts";
import { bytes, count } from "./terminal/format.ts";
import { type Reading, showProgress } from "./terminal/progress.ts";
import type { Terminal } from "./terminal/terminal.ts";

const IMPORT_HELP = `Brings logs of other systems into an org.

  npm run import -- --org acme --preset cloudtrail trail.json.gz
  npm run import -- --org acme --map my-map.json audit.ndjson

FILE is JSON, JSON Lines or either of them gzipped, of any size; - reads standard input.
A second run adds nothing; a run cut short goes on where it was.

  --org ORG      the org that gets the events
  --preset NAME  how records become events: cloudtrail
  --map FILE     the same, by rules of your own (docs/import.md)
  --rejects FILE where records go that cannot be imported  (FILE.rejects.ndjson)
  --state DIR    where progress is kept  (.indelible)
  --restart      start over, whatever an earlier run has done
  --give-up N    minutes to wait for a service that takes nothing  (${IMPORT_GIVE_UP_MINUTES})
${COMMON_HELP}
Ends with 0 when all is in, 1 when there are rejects, 2 when it could not be done.
`;

const OPTIONS = {
  ...COMMON_OPTIONS,
  preset: { type: "string" },
  map: { type: "string" },
  rejects: { type: "string" },
  state: { type: "string", default: ".indelible" },
  restart: { type: "boolean", default: false },
  "give-up": { type: "string", default: String(IMPORT_GIVE_UP_MINUTES) },
} as const;

type Job = { files: InputFile[]; mapping: Mapping; sender: Sender; state: string; restart: boolean };
type Around = Surroundings & { terminal: Terminal; stdin: Readable; signal: AbortSignal };

/** The verb `import`. */
export async function runImport(args: string[], around: Around): Promise<Outcome<ExitCode>> {
  const job = await jobOf(args, around);
  if (!job.ok) return job;
  if (job.value === "help") {
    around.terminal.out.write(IMPORT_HELP);
    return { ok: true, value: EXIT.good };
  }
  return carryOut(job.value, around);
}

async function jobOf(args: string[], around: Around): Promise<Outcome<Job | "help">> {
  const told = readOptions(args, OPTIONS);
  if (!told.ok) return told;
  const { values, positionals } = told.value;
  if (values.help) return { ok: true, value: "help" };
  const connection = connectionOf(values, around);
  if (!connection.ok) return connection;
  const giveUpMinutes = Number(values["give-up"]);
  if (!(giveUpMinutes >= 0))
    return failed(`--give-up ${values["give-up"]} is not a number of minutes`, "give one, such as 10");
  const mapping = await mappingOf(values, around.directory);
  if (!mapping.ok) return mapping;
  if (positionals.length === 0) return failed("no file was named", "add one or more, or - for standard input");
  const where = { directory: around.directory, stdin: around.stdin, rejects: values.rejects };
  const files = await inputFiles(positionals, where);
  if (!files.ok) return files;
  const sender: Sender = {
    connection: connection.value,
    backOff: new BackOff(around.signal),
    giveUpMs: giveUpMinutes * 60_000,
    signal: around.signal,
    run: newRun(),
  };
  const state = resolve(around.directory, values.state);
  return { ok: true, value: { files: files.value, mapping: mapping.value, sender, state, restart: values.restart } };
}

async function mappingOf(
  { preset, map }: { preset?: string | undefined; map?: string | undefined },
  directory: string,
): Promise<Outcome<Mapping>> {
  if ((preset === undefined) === (map === undefined)) {
    return failed(
      "how records become events was not said, or said twice",
      "add either --preset cloudtrail or --map FILE",
    );
  }
  if (map !== undefined) return readMapFile(resolve(directory, map));
  if (preset !== "cloudtrail") return failed(`there is no preset ${preset}`, "use --preset cloudtrail or --map FILE");
  return { ok: true, value: { name: "cloudtrail", listPath: ["Records"], map: mapCloudTrail } };
}

async function carryOut(job: Job, { terminal, directory }: Around): Promise<Outcome<ExitCode>> {
  const { files, mapping, sender } = job;
  const startedAt = performance.now();
  const seen = { appended: 0, duplicates: 0, rejected: 0 };
  const progress = showProgress(terminal.err, () => readingOf(job, seen));
  try {
    const tracks = await takeUp(files, sender, { state: job.state, restart: job.restart, mapping: mapping.name });
    if (!tracks.ok) return tracks;
    const unfinished = files.filter((file) => !file.finished);
    const delivered = await deliver({
      files: unfinished,
      mapping,
      sender,
      rejects: await RejectFiles.open(unfinished),
      seen,
      onSettled: (file, probe) => keepTrack(tracks.value.get(file) as Track, probe, "soon"),
    });
    for (const file of unfinished) {
      const track = tracks.value.get(file) as Track;
      file.finished = delivered.ok && file.fault === null && !sender.signal.aborted;
      track.kept.finished = file.finished;
      if (file.done.records > 0 || file.finished) await keepTrack(track, null, "now");
    }
    progress.stop();
    const settled = files.some((file) => file.done.records > 0 || file.finished);
    const shown = (path: string) => relative(directory, path) || path;
    const elapsedMs = performance.now() - startedAt;
    const report = { files, org: sender.connection.org, elapsedMs, sink: terminal.out, shown };
    if (settled) terminal.out.write(importReport(report));
    if (!delivered.ok) return delivered;
    if (sender.signal.aborted) return failed("the import was stopped", "the same command goes on where it was");
    return verdict(files);
  } finally {
    progress.stop();
  }
}

function verdict(files: InputFile[]): Outcome<ExitCode> {
  const broken = files.find((file) => file.fault !== null);
  if (broken !== undefined)
    return failed(`${broken.name}: ${broken.fault}`, "get the file whole and run the same command");
  return { ok: true, value: files.some((file) => file.done.rejected > 0) ? EXIT.findings : EXIT.good };
}

function readingOf({ files, sender }: Job, seen: { appended: number; duplicates: number; rejected: number }): Reading {
  const size = files.reduce((sum, file) => sum + file.size, 0);
  const read = files.reduce((sum, file) => sum + (file.finished ? file.size : file.bytesRead), 0);
  // Reading runs ahead of sending: what is read counts by the share of its records that is settled.
  const records = files.reduce((sum, file) => sum + Math.max(0, file.recordsRead - file.before.records), 0);
  const settled = seen.appended + seen.duplicates + seen.rejected;
  const share = records === 0 ? 1 : settled / records;
  const streams = files.some((file) => file.stream !== null);
  const notes: string[] = [];
  if (seen.rejected > 0) notes.push(`${count(seen.rejected)} rejected`);
  if (seen.duplicates > 0) notes.push(`${count(seen.duplicates)} duplicates`);
  notes.push(streams ? `${bytes(read)} read` : `of ${bytes(size)}`);
  const { reason } = sender.backOff;
  const wait = Math.ceil(sender.backOff.leftMs() / 1000);
  return {
    fraction: streams || size === 0 ? null : Math.min(1, (read / size) * share),
    done: seen.appended + seen.duplicates,
    unit: "events",
    notes,
    waiting: reason === null ? null : `waiting · next try ${wait > 0 ? `in ${wait} s` : "now"} · ${reason}`,
  };
}

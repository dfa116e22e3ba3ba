import { createHash } from "node:crypto";
import type { Bench, Table } from "../bench.ts";
import { memoryOf } from "../service/process.ts";

const POLL_MS = 100;
const FORMATS = ["ndjson", "csv"] as const;

/** `highest`: resident bytes at most, in each quarter of the export: what grows with it would grow from one to the next. */
type Made = { rows: number; bytes: number; seconds: number; downloadSeconds: number; highest: number[] };

/** An export of a whole log, from the request until it can be downloaded, its download, and the memory it takes. */
export async function exportLog(bench: Bench): Promise<Table> {
  const log = await bench.filled();
  await bench.client.publish(log.org);
  const { now: idle } = memoryOf(bench.service.pid);
  const rows: string[][] = [];
  for (const format of FORMATS) {
    const made = await makeOne(bench, log.org, format);
    rows.push([
      format,
      made.rows.toLocaleString("en-US"),
      megabytes(made.bytes),
      perSecond(made.rows, made.seconds),
      megabytes(made.bytes / made.seconds),
      megabytes(made.bytes / made.downloadSeconds),
      made.highest.map((highest) => ((highest - idle) / 1e6).toFixed(0)).join(", "),
    ]);
  }
  return {
    title: `Exporting a log of ${log.entries.toLocaleString("en-US")} entries`,
    head: ["", "rows", "MB", "rows/s", "MB/s", "download MB/s", "MB resident more, at most, by quarters"],
    rows,
    notes: [
      "From R2's segments into parts of 8 MB, in steps of 2 s, until it can be downloaded; every part's SHA-256 is checked here.",
      "All of the service is one process here: what it holds more while it exports is not the job's alone.",
    ],
  };
}

async function makeOne({ client, service, say }: Bench, org: string, format: string): Promise<Made> {
  const began = performance.now();
  const path = `/v1/orgs/${org}/exports`;
  let answer = await client.call("POST", path, { format, reason: "a benchmark" });
  const highest = [0, 0, 0, 0];
  while (answer.ended_at === null) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    answer = await client.call("GET", `${path}/${answer.id}`);
    const quarter = Math.min(3, Math.floor((answer.progress?.percent ?? 100) / 25));
    highest[quarter] = Math.max(highest[quarter] ?? 0, memoryOf(service.pid).now);
    say(`export: ${answer.progress?.percent ?? 100} % as ${format}`);
  }
  if (answer.state !== "done") throw new Error(`the export ended as ${answer.state}: ${answer.error}`);
  const seconds = (performance.now() - began) / 1_000;
  const { rows, bytes } = answer;
  return { rows, bytes, seconds, downloadSeconds: await download(service.port, answer), highest };
}

/** Downloads a file and compares its parts; answers the seconds it took. */
async function download(port: number, { links, parts }: any): Promise<number> {
  const began = performance.now();
  const response = await fetch(`http://127.0.0.1:${port}${links.data.url}`);
  if (!response.ok || response.body === null) throw new Error(`the download was answered ${response.status}`);
  let [at, left, hash] = [0, parts[0]?.bytes ?? 0, createHash("sha256")];
  for await (const chunk of response.body) {
    for (let rest: Uint8Array = chunk; rest.length > 0; ) {
      if (at === parts.length) throw new Error("more came than the parts have");
      const some = rest.subarray(0, left);
      hash.update(some);
      left -= some.length;
      rest = rest.subarray(some.length);
      if (left > 0) continue;
      if (hash.digest("hex") !== parts[at]?.sha256) throw new Error(`part ${at + 1} is not what it should be`);
      [at, hash] = [at + 1, createHash("sha256")];
      left = parts[at]?.bytes ?? 0;
    }
  }
  if (at !== parts.length) throw new Error(`${at} of ${parts.length} parts came`);
  return (performance.now() - began) / 1_000;
}

function perSecond(rows: number, seconds: number): string {
  return Math.round(rows / seconds).toLocaleString("en-US");
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

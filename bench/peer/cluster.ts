import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { freePort } from "../../scripts/start/port.ts";

/** A PostgreSQL of this run alone, on loopback. */
export type Cluster = { port: number; user: string; version: string; stop(): Promise<void> };

const DEBIAN = "/usr/lib/postgresql";
const USER = "bench";
const READY = "database system is ready to accept connections";

/** The folder of the newest PostgreSQL that is installed; null when there is none. */
export function findPostgres(): string | null {
  const debian = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...debian.map((version) => join(DEBIAN, version, "bin")),
    ...(process.env["PATH"] ?? "").split(delimiter),
  ];
  return folders.find((folder) => ["initdb", "postgres"].every((name) => existsSync(join(folder, name)))) ?? null;
}

/** Starts a cluster with PostgreSQL's own settings: a commit is on disk before it is acknowledged, as with ours. */
export async function startCluster(bin: string): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), "indelible-peer-"));
  const as = identity();
  if (as !== null) chownSync(folder, as.uid, as.gid);
  const options = { ...as, cwd: folder };
  const data = join(folder, "data");
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const settings = ["--auth=trust", "--encoding=UTF8", "--locale=C"];
    execFileSync(join(bin, "initdb"), ["-D", data, "-U", USER, ...settings], { ...options, stdio: "pipe" });
    const version = execFileSync(join(bin, "postgres"), ["--version"], { ...options, encoding: "utf8" }).trim();
    const port = await freePort();
    const sockets = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="];
    const server = spawn(join(bin, "postgres"), ["-D", data, "-p", String(port), ...sockets], {
      ...options,
      stdio: ["ignore", "ignore", "pipe"],
    });
    const kill = () => {
      server.kill("SIGINT");
      remove();
    };
    process.once("exit", kill);
    await untilReady(server);
    const stop = async () => {
      const ended = new Promise((resolve) => server.once("exit", resolve));
      // The fast shutdown: connections are closed, what is committed is kept until the folder goes.
      if (server.exitCode === null && server.kill("SIGINT")) await ended;
      process.off("exit", kill);
      remove();
    };
    return { port, user: USER, version, stop };
  } catch (error) {
    remove();
    throw error;
  }
}

/** PostgreSQL refuses to be run by root: the user its package made runs it then. */
function identity(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const id = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

function untilReady(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    server.once("exit", () => reject(new Error(`PostgreSQL did not start: ${said}`)));
    server.stderr?.on("data", (chunk: Buffer) => {
      // Read on after it is ready: a full pipe would stop the server.
      if (said.length < 10_000) said += chunk.toString();
      if (said.includes(READY)) resolve();
    });
  });
}

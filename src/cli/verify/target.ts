import { open, stat } from "node:fs/promises";
import { relative, resolve } from "node:path";
import { PROOF_MAX_BYTES } from "../../limits.ts";
import { orgSchema } from "../../schema/names.ts";
import { httpSource } from "../../verifier/index.ts";
import { readDevVars } from "../dev-vars.ts";
import { apiKeyFault, type Surroundings } from "../options.ts";
import { failed, type Outcome } from "../outcome.ts";
import { type ExportFile, exportFile } from "./export-file.ts";
import { contentOf, folderSource, recordLines } from "./folder.ts";
import type { LogTarget } from "./verify-log.ts";

/** What was named: the text of a proof, the file of an export, or a log. */
export type Target =
  | { kind: "proof"; text: string; shown: string }
  | { kind: "export"; file: ExportFile }
  | { kind: "log"; log: LogTarget };

type Given = { org: string | undefined; apiKey: string | undefined; manifest: string | undefined; signal: AbortSignal };

const PROOF_HEADER = "c2sp.org/tlog-proof@";
const HTTP_PATTERN = /^https?:\/\//i;

/** Finds out what the argument of `verify` names: an address, a folder or a file. */
export async function targetOf(name: string, given: Given, around: Surroundings): Promise<Outcome<Target>> {
  if (HTTP_PATTERN.test(name)) return addressOf(name, given, around);
  const path = resolve(around.directory, name);
  const shown = relative(around.directory, path) || ".";
  const found = await stat(path).catch(() => null);
  if (found === null)
    return failed(`there is no file or folder ${shown}`, "name a proof, a folder, or an address with https://");
  if (found.isDirectory()) return folderOf(path, shown);
  const manifest = given.manifest === undefined ? undefined : resolve(around.directory, given.manifest);
  return fileOf(path, { shown, manifest });
}

async function fileOf(
  path: string,
  { shown, manifest }: { shown: string; manifest: string | undefined },
): Promise<Outcome<Target>> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const head = Buffer.alloc(Math.min(size, PROOF_HEADER.length));
    await file.read(head, 0, head.length, 0);
    if (head.toString("latin1") === PROOF_HEADER) {
      if (size > PROOF_MAX_BYTES) return failed(`${shown} is longer than any proof`, "get it again");
      return { ok: true, value: { kind: "proof", text: await file.readFile("utf8"), shown } };
    }
  } finally {
    await file.close();
  }
  const made = await exportFile(path, { shown, manifest });
  if (made !== null) return made.ok ? { ok: true, value: { kind: "export", file: made.value } } : made;
  const remedy = "give a checkpoint as --since, and records in a folder with the log's checkpoint";
  return failed(`${shown} is not the proof of an event`, remedy);
}

async function folderOf(path: string, shown: string): Promise<Outcome<Target>> {
  const log = await folderTarget(path, shown);
  if (log.has.entries || log.records !== null) return { ok: true, value: { kind: "log", log } };
  return failed(
    `${shown} holds neither tile/entries nor record lines (*.ndjson)`,
    "docs/verify.md says what a copy of a log holds",
  );
}

async function folderTarget(path: string, shown: string): Promise<LogTarget> {
  const { tiles, entries, records } = await contentOf(path);
  return {
    shown,
    live: false,
    source: folderSource(path),
    named: null,
    has: { tiles, entries: tiles && entries },
    records: records.length === 0 ? null : recordLines(path, records),
    waiting: () => null,
    remedy: () => "put the log's checkpoint beside them, as a file named checkpoint",
    other: async (numbers) => {
      const [there, named] = [placeOf(path, numbers), placeOf(shown, numbers)];
      const found = there === null ? null : await stat(there).catch(() => null);
      return there === null || found?.isDirectory() !== true ? null : folderTarget(there, named ?? there);
    },
  };
}

/** Where another log of the same org lies: the first at the top, later ones under their numbers. Null when nobody can say. */
function placeOf(place: string, { own, number }: { own: number; number: number }): string | null {
  const top = own === 1 ? place : new RegExp(`^(.+)[\\\\/]${own}$`).exec(place)?.[1];
  if (top === undefined) return null;
  return number === 1 ? top : `${top}/${number}`;
}

function addressOf(name: string, { org, apiKey, signal }: Given, around: Surroundings): Outcome<Target> {
  if (!URL.canParse(name)) return failed(`${name} is not an address`, "give it as https://HOST/v1/orgs/ORG");
  const url = new URL(name);
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    return failed(
      `${url.origin}${url.pathname} is named with more than its path`,
      "leave out user, question mark and hash",
    );
  }
  let path = url.pathname.replace(/\/+$/, "");
  if (org !== undefined) {
    if (!orgSchema.safeParse(org).success)
      return failed(`${JSON.stringify(org)} is not an org`, "an org is 3 to 64 characters of A-Z a-z 0-9 _ -");
    if (path === "") path = `/v1/orgs/${org}`;
    else if (path.endsWith("/orgs")) path = `${path}/${org}`;
    else if (!path.endsWith(`/${org}`))
      return failed(`the address names another log than --org ${org}`, "give one of the two");
  } else if (path === "")
    return failed(`${name} names no log`, "add --org ORG, or the whole address: https://HOST/v1/orgs/ORG");
  const key = apiKeyFor(url, apiKey, around);
  const fault = key.key === null ? null : apiKeyFault(key.key);
  if (fault !== null) return fault;
  return { ok: true, value: { kind: "log", log: addressTarget(path, { url, key, signal }) } };
}

type Address = { url: URL; key: ApiKey; signal: AbortSignal };

function addressTarget(path: string, { url, key, signal }: Address): LogTarget {
  const address = `${url.origin}${path}`;
  let waiting: string | null = null;
  const source = httpSource(address, {
    headers: key.key === null ? {} : { authorization: `Bearer ${key.key}` },
    signal,
    onWaiting: (why) => {
      waiting = why === null ? null : `waiting · ${why}`;
    },
  });
  return {
    shown: address,
    live: true,
    source,
    named: `${url.host}${path}`,
    has: { tiles: true, entries: true },
    records: null,
    waiting: () => waiting,
    remedy: (status) => remedyFor(status, { key, url }),
    other: (numbers) => {
      const there = placeOf(path, numbers);
      return Promise.resolve(there === null ? null : addressTarget(there, { url, key, signal }));
    },
  };
}

type ApiKey = { key: string | null; kept: boolean };

/** The key to send: the one given, else the surroundings', which is for one service alone and for nobody else's. */
function apiKeyFor(url: URL, given: string | undefined, { env, directory }: Surroundings): ApiKey {
  if (given !== undefined) return { key: given, kept: false };
  const own = env["INDELIBLE_URL"] || `http://localhost:${env["PORT"] || "8787"}`;
  const key = env["INDELIBLE_KEY"] || readDevVars(directory)["ROOT_KEY"] || null;
  const same = URL.canParse(own) && new URL(own).origin === url.origin;
  return same ? { key, kept: false } : { key: null, kept: key !== null };
}

function remedyFor(status: number | undefined, { key, url }: { key: ApiKey; url: URL }): string {
  if (status === 401 || status === 403) {
    if (key.key !== null) return "use a key with the scope events:read";
    if (key.kept)
      return `the log is not public; INDELIBLE_KEY was not sent there: set INDELIBLE_URL=${url.origin} if it is for that service`;
    return "the log is not public: add --api-key, or set INDELIBLE_URL and INDELIBLE_KEY";
  }
  if (status === 404) return "check the address: it is that of an org's log, such as https://HOST/v1/orgs/ORG";
  return status === undefined ? "check the address and try again" : "ask whoever runs the service";
}

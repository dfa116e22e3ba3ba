import { fromBase64 } from "./chain/encoding.ts";
import { type NoteKey, parseVkey } from "./chain/note/note-key.ts";
import {
  CELL_FULL_BYTES,
  EXPORT_KEEP_DAYS,
  EXPORT_KEEP_DAYS_MAX,
  HOT_DAYS,
  HOT_DAYS_MAX,
  WITNESSES_MAX_COUNT,
} from "./limits.ts";
import { sha256 } from "./sha256.ts";

/** The bindings and settings of this deployment, checked once. */
export type Config = {
  ledgers: Env["ORG_LEDGER"];
  jobs: Env["ORG_JOBS"];
  directory: D1Database;
  /** Cells by binding name, in order of their number. */
  cells: ReadonlyMap<string, D1Database>;
  archive: R2Bucket;
  queue: Queue;
  rootKey: string;
  keyPepper: string;
  indexKey: string;
  /** 32 bytes from which the signing key of every log follows. */
  logSigningKey: Uint8Array;
  /** Scheme-less URL prefix of the public address, or null: the host of the request that creates an org. */
  logName: string | null;
  cellFullBytes: number;
  /** Days an entry stays in D1 at least. */
  hotDays: number;
  /** Days the files of an export are kept after it was made. */
  exportKeepDays: number;
  /** Who is asked to cosign checkpoints; none unless configured. */
  witnesses: readonly Witness[];
  /** Whether canaries and samples look for entries that are not where they belong; `samples`: without canaries. */
  placeChecks: "on" | "samples" | "off";
};

/** Somebody who cosigns that a log only grows: its key, of type `cosignature`, and its submission prefix. Source: C2SP tlog-witness. */
export type Witness = { key: NoteKey; url: string };

/** A deployment that must not start: `message` names the binding or secret and the remedy. */
export class ConfigError extends Error {
  override name = "ConfigError";
}

const BINDINGS = {
  ORG_LEDGER: "a [[durable_objects.bindings]] entry",
  ORG_JOBS: "a [[durable_objects.bindings]] entry",
  DIRECTORY: "a [[d1_databases]] entry",
  CELL_0: "a [[d1_databases]] entry",
  CELL_1: "a [[d1_databases]] entry",
  INGEST_QUEUE: "a [[queues.producers]] entry",
  ARCHIVE: "an [[r2_buckets]] entry",
} as const;

const SECRETS = { ROOT_KEY: 32, KEY_PEPPER: 32, INDEX_KEY: 32 } as const;

const LOG_SIGNING_KEY_BYTES = 32;
const LOG_NAME_PATTERN = /^[a-z0-9.:-]+(\/[A-Za-z0-9._~-]+)*$/;

const parsed = new WeakMap<Env, Config>();

/** Reads `env` once; throws `ConfigError` when anything the service cannot run without is missing. */
export function configOf(env: Env): Config {
  const known = parsed.get(env);
  if (known !== undefined) return known;
  const values = env as unknown as Record<string, unknown>;
  for (const [name, remedy] of Object.entries(BINDINGS)) {
    if (typeof values[name] !== "object" || values[name] === null) {
      throw new ConfigError(`binding ${name} is missing: add ${remedy} with that name to wrangler.toml`);
    }
  }
  for (const [name, characters] of Object.entries(SECRETS)) {
    const value = values[name];
    if (typeof value === "string" && value.length >= characters) continue;
    throw secretError(name, isMissing(value) ? "is missing" : `is shorter than ${characters} characters`, "set it");
  }
  const config: Config = {
    ledgers: env.ORG_LEDGER,
    jobs: env.ORG_JOBS,
    directory: env.DIRECTORY,
    cells: cellsOf(values),
    archive: env.ARCHIVE,
    queue: env.INGEST_QUEUE,
    rootKey: env.ROOT_KEY,
    keyPepper: env.KEY_PEPPER,
    indexKey: env.INDEX_KEY,
    logSigningKey: logSigningKeyOf(values["LOG_SIGNING_KEY"]),
    logName: logNameOf(values["LOG_NAME"]),
    cellFullBytes: bytesOf("CELL_FULL_BYTES", values["CELL_FULL_BYTES"], CELL_FULL_BYTES),
    hotDays: daysOf("HOT_DAYS", values["HOT_DAYS"], { normal: HOT_DAYS, max: HOT_DAYS_MAX }),
    exportKeepDays: daysOf("EXPORT_KEEP_DAYS", values["EXPORT_KEEP_DAYS"], {
      normal: EXPORT_KEEP_DAYS,
      max: EXPORT_KEEP_DAYS_MAX,
    }),
    witnesses: witnessesOf(values["WITNESSES"]),
    placeChecks: placeChecksOf(values["PLACE_CHECKS"]),
  };
  parsed.set(env, config);
  return config;
}

function cellsOf(values: Record<string, unknown>): Map<string, D1Database> {
  const cells = new Map<string, D1Database>();
  for (let n = 0; values[`CELL_${n}`] !== undefined; n++) cells.set(`CELL_${n}`, values[`CELL_${n}`] as D1Database);
  return cells;
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === "";
}

function secretError(name: string, fault: string, remedy: string): ConfigError {
  return new ConfigError(
    `secret ${name} ${fault}: ${remedy} with \`wrangler secret put ${name}\` (locally: .dev.vars)`,
  );
}

/** Exactly 32 bytes: of fewer or more nobody knows whether they are those that signed yesterday. */
function logSigningKeyOf(value: unknown): Uint8Array {
  const bytes = typeof value === "string" ? fromBase64(value) : null;
  if (bytes?.length === LOG_SIGNING_KEY_BYTES) return bytes;
  const fault = isMissing(value) ? "is missing" : `is not ${LOG_SIGNING_KEY_BYTES} bytes in base64`;
  throw secretError("LOG_SIGNING_KEY", fault, "make one with `openssl rand -base64 32` and set it");
}

function logNameOf(value: unknown): string | null {
  if (value === undefined || value === "") return null;
  if (typeof value === "string" && value.length <= 180 && LOG_NAME_PATTERN.test(value)) return value;
  throw new ConfigError("LOG_NAME must be a URL prefix without scheme, such as audit.example.com/v1/orgs");
}

/** One a line: `<vkey> <URL>`. Plain http is for loopback alone: anybody between could keep a checkpoint from its witness. */
function witnessesOf(value: unknown): Witness[] {
  if (value === undefined || value === "") return [];
  if (typeof value !== "string") throw new ConfigError("WITNESSES must be text: one witness a line");
  const lines = value.split("\n").filter((line) => line.trim() !== "");
  const fault = (line: number, why: string) => new ConfigError(`WITNESSES, line ${line}: ${why}`);
  const witnesses = lines.map((line, n): Witness => {
    const [vkey = "", url = "", ...rest] = line.trim().split(/\s+/);
    if (url === "" || rest.length > 0) throw fault(n + 1, "write a verifier key, a space, and the URL of the witness");
    const parsed = parseVkey(sha256, vkey);
    if (!parsed.ok) throw fault(n + 1, parsed.why);
    if (parsed.key.type !== "cosignature") throw fault(n + 1, "the key is not of type 0x04, which cosigns");
    if (!/^(https:\/\/[^\s/?#]+|http:\/\/(127\.0\.0\.1|localhost)(:\d+)?)(\/[^\s?#]*)?$/.test(url)) {
      throw fault(n + 1, "the URL must begin with https:// and have no query");
    }
    return { key: parsed.key, url: url.replace(/\/$/, "") };
  });
  if (witnesses.length > WITNESSES_MAX_COUNT) throw new ConfigError(`WITNESSES: at most ${WITNESSES_MAX_COUNT}`);
  if (new Set(witnesses.map(({ key }) => key.name)).size < witnesses.length) {
    throw new ConfigError("WITNESSES: each needs a name of its own");
  }
  return witnesses;
}

function placeChecksOf(value: unknown): Config["placeChecks"] {
  if (value === undefined || value === "") return "on";
  if (value === "on" || value === "samples" || value === "off") return value;
  throw new ConfigError("PLACE_CHECKS must be on, samples or off");
}

function bytesOf(name: string, value: unknown, normal: number): number {
  if (value === undefined || value === "") return normal;
  const bytes = Number(value);
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw new ConfigError(`${name} must be a number of bytes`);
}

function daysOf(name: string, value: unknown, { normal, max }: { normal: number; max: number }): number {
  if (value === undefined || value === "") return normal;
  const days = Number(value);
  if (Number.isSafeInteger(days) && days > 0 && days <= max) return days;
  throw new ConfigError(`${name} must be a number of days, from 1 to ${max}`);
}

import { createHash } from "node:crypto";
import type { Config } from "../env.ts";
import { assert, ok, refuse, type Result } from "../errors.ts";
import { callLedger, ledgerOf } from "../ledger/client.ts";
import { LARGE_EXPORT_ROWS, ORIGIN_MAX_BYTES } from "../limits.ts";
import { type Caller, nameOf } from "../schema/caller.ts";
import type { OrgSettings, ReadGrant, SettingsPatch } from "../schema/ledger.ts";
import { cellOfCanary, isServiceOrg, PLATFORM_ORG } from "../schema/names.ts";
import { NO_POLICY } from "../schema/policy.ts";
import type { PutOrg } from "../schema/org.ts";
import { openRange } from "../store/cell.ts";
import { createOrg as enterOrg } from "../store/org.ts";

type Put = { caller: Caller; put: PutOrg; host: string; now: number };
type PutAnswer = { created: boolean; grant: ReadGrant; settings: OrgSettings };

/** Creates an org, or changes its settings: members not sent stay as they are. Idempotent. */
export async function putOrg(config: Config, org: string, { caller, put, host, now }: Put): Promise<Result<PutAnswer>> {
  const patch = patchOf(put);
  const changed = await callLedger(config, org, (ledger) => ledger.changeSettings(org, caller, patch));
  if (changed.ok) {
    const scope = "orgs:write";
    const grant = await callLedger(config, org, async (ledger) => await ledger.authorize(org, caller, scope));
    return grant.ok ? ok({ created: false, grant: grant.value, settings: changed.value }) : grant;
  }
  if (changed.refusal.code !== "not_found" || !mayCreate(caller, org)) return changed;
  const settings = { ...NORMAL, name: org, ...patch };
  return createOrg(config, org, { by: nameOf(caller), settings, host, now });
}

const NORMAL: Omit<OrgSettings, "name"> = {
  jurisdiction: "none",
  access_log: "sealed",
  public_log: false,
  cors_origins: [],
  require_reason: false,
  retention: NO_POLICY,
  large_export_rows: LARGE_EXPORT_ROWS,
};

/** What a request names, less the jurisdiction, which never changes. */
function patchOf({ jurisdiction: _, ...put }: PutOrg): SettingsPatch {
  return Object.fromEntries(Object.entries(put).filter(([, value]) => value !== undefined));
}

/** Whether a caller may create or change an org: asked when its request cannot be read. */
export async function mayPutOrg(config: Config, org: string, caller: Caller): Promise<Result<null>> {
  const scope = "orgs:write";
  const found = await callLedger(config, org, async (ledger) => await ledger.authorize(org, caller, scope));
  if (found.ok || (found.refusal.code === "not_found" && mayCreate(caller, org))) return ok(null);
  return found;
}

/** Safe to repeat after any failure: the directory row first, then the range in its cell, then the ledger, which alone makes the org exist. */
async function createOrg(
  config: Config,
  org: string,
  { by, settings, host, now }: { by: string; settings: OrgSettings; host: string; now: number },
): Promise<Result<PutAnswer>> {
  const log = `${config.logName ?? `${host}/v1/orgs`}/${org}`;
  if (Buffer.byteLength(log) > ORIGIN_MAX_BYTES || /[\s+]/.test(log)) {
    const detail = `The log's origin ${log} is longer than ${ORIGIN_MAX_BYTES} bytes or holds a space or +.`;
    return refuse("unprocessable", detail);
  }
  const { name } = settings;
  const place = cellOfCanary(org) ?? cellFor(config, org);
  if (!config.cells.has(place)) return refuse("unprocessable", `There is no ${place}.`);
  const entered = { org, name, jurisdiction: "none", cell: place, created_at: now };
  const row = await enterOrg(config.directory, entered);
  const cell = config.cells.get(row.cell);
  assert(cell !== undefined, "an org's cell is bound");
  const org_number = await openRange(cell, { log, first_index: 0 });
  const placement = { log, first_index: 0, cell: row.cell, org_number };
  const creation = { log, settings, placement, by, now };
  const created = await callLedger(config, org, async (ledger) => await ledger.create(org, creation));
  return created.ok ? ok({ created: true, grant: created.value, settings }) : created;
}

let platformCreated: Promise<void> | null = null;

/** Makes sure that org `platform` exists, once an isolate; a failure is tried again by the next caller. */
export function ensurePlatform(config: Config, { url, now }: { url: string; now: number }): Promise<void> {
  platformCreated ??= createPlatform(config, { host: new URL(url).host, now }).catch((error: unknown) => {
    platformCreated = null;
    throw error;
  });
  return platformCreated;
}

async function createPlatform(config: Config, { host, now }: { host: string; now: number }): Promise<void> {
  const status = await ledgerOf(config, PLATFORM_ORG).status(PLATFORM_ORG);
  if (status.ok) return;
  await createServiceOrg(config, PLATFORM_ORG, { name: "Platform", host, now });
}

/** Makes a canary where there is none, beside org `platform`: until that is there nobody knows the address of a log. */
export async function ensureCanary(config: Config, org: string): Promise<boolean> {
  if ((await callLedger(config, org, async (ledger) => await ledger.status(org))).ok) return true;
  const platform = await callLedger(config, PLATFORM_ORG, async (ledger) => await ledger.status(PLATFORM_ORG));
  if (!platform.ok) return false;
  const { log, earlier } = platform.value;
  const address = earlier[0]?.log ?? log;
  const path = `/v1/orgs/${PLATFORM_ORG}`;
  if (config.logName === null && !address.endsWith(path)) return false;
  const host = address.slice(0, -path.length);
  await createServiceOrg(config, org, { name: "Canary", host, now: Date.now() });
  return true;
}

async function createServiceOrg(
  config: Config,
  org: string,
  { name, host, now }: { name: string; host: string; now: number },
): Promise<void> {
  const caller: Caller = { kind: "trusted", name: "service", scopes: ["orgs:write"], orgs: "all" };
  const put = await putOrg(config, org, { caller, put: { name }, host, now });
  if (!put.ok) throw new Error(`org ${org} could not be created: ${put.refusal.detail}`);
}

/** Orgs are made by the operator: the root key, or a platform key that is not bound to others. */
function mayCreate(caller: Caller, org: string): boolean {
  if (caller.kind !== "trusted" || !caller.scopes.includes("orgs:write")) return false;
  if (isServiceOrg(org)) return caller.orgs === "all" && (org === PLATFORM_ORG || cellOfCanary(org) !== null);
  return typeof caller.orgs === "string" || caller.orgs.includes(org);
}

/** Spreads orgs over the cells; one that is full hands over to the next when it is projected to. */
function cellFor(config: Config, org: string): string {
  const names = [...config.cells.keys()];
  const drawn = createHash("sha256").update(org).digest().readUInt32BE(0) % names.length;
  return names[drawn] as string;
}

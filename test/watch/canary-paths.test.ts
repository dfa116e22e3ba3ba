import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openSealed } from "../../src/chain/open-sealed.ts";
import { TILE_WIDTH } from "../../src/chain/tile.ts";
import type { Reader } from "../../src/query/traced.ts";
import { serviceReader } from "../../src/schema/caller.ts";
import { grantFor } from "../../src/verify/confirm-faults.ts";
import { bindingAsker, directAsker } from "../../src/watch/canary-askers.ts";
import { canaryIdOf, markerOf } from "../../src/watch/canary-event.ts";
import { type Path, PATHS, type Wanted } from "../../src/watch/canary-paths.ts";
import { judgeShown } from "../../src/watch/judge-shown.ts";
import { statusOf } from "../support/check-ledger.ts";
import { call, event } from "../support/client.ts";
import { linesOf } from "../support/owner.ts";
import { actsOf } from "../query/support.ts";
import { A, B, config, findingsOf, minuteAt, nextMinute, round, rounds, untilPlatform } from "./canary-support.ts";
import { growthOf } from "./support.ts";

let last = 0;
beforeEach(async () => {
  for (const level of ["info", "warn", "error"] as const) vi.spyOn(console, level).mockImplementation(() => undefined);
  await untilPlatform();
  if (last === 0) last = await rounds();
}, 60_000);
afterEach(() => void vi.restoreAllMocks());

/** A path and one of the ways it is asked, as findings call it. */
type Way = { name: string; path: Path; byBinding: boolean };
const WAYS: Way[] = PATHS.flatMap((path) => [
  { name: path.name, path, byBinding: false },
  ...(path.bound === true ? [{ name: `binding.${path.name}`, path, byBinding: true }] : []),
]);
const wayOf = (name: string): Way => WAYS.find((way) => way.name === name) as Way;

/** What a canary appended in a minute, as the ledger has it. */
async function sungBy(org: string, minute = last): Promise<Wanted> {
  const id = canaryIdOf(minute);
  const index = (await linesOf(org)).findIndex((line) => openSealed(line).id === id);
  return { log: (await statusOf(org)).log, index, id, minute };
}

/** What is made of a path's answer when it was asked of one canary and is taken for another's. */
async function verdictOn({ path, byBinding }: Way, asked: string, { as = asked, minute = last } = {}): Promise<string> {
  const reader: Reader = { org: asked, caller: serviceReader(asked), network: {}, reason: null };
  const ask = byBinding ? bindingAsker(reader) : directAsker(config, reader);
  const grant = await grantFor(config, as);
  const wanted = { ...(await sungBy(asked, minute)), log: grant.log };
  const shown = await path.read({ config, reader, ask }, wanted);
  return judgeShown(config, { org: as, grant, path, wanted }, shown).kind;
}

async function verdicts(asked: string, as = asked): Promise<Record<string, string>> {
  const kinds: Record<string, string> = {};
  for (const way of WAYS) kinds[way.name] = await verdictOn(way, asked, { as });
  return kinds;
}

const every = (kind: string) => Object.fromEntries(WAYS.map(({ name }) => [name, kind]));

describe("the paths of reading", () => {
  it("are all that there are of entries and of what is made of them", () => {
    const reads = ["list", "filter", "search", "get_id", "get_index", "history", "state", "stats", "actions"];
    const tree = ["proof", "inclusion", "checkpoint", "tile"];
    expect(new Set(PATHS.map(({ name }) => name))).toEqual(new Set([...reads, ...tree]));
  });

  it("show what was appended, asked directly and by binding", async () => {
    expect(await verdicts(A)).toEqual(every("found"));
    expect(await verdicts(B)).toEqual(every("found"));
  });

  it("are misrouted, each of them, when the other canary's log answers", async () => {
    expect(await verdicts(B, A)).toEqual(every("misrouted"));
  });

  it("are asked one a minute at most, those that are not asked every minute", () => {
    const slots = PATHS.filter((path) => path.every > 1).map((path) => path.at);
    expect(new Set(slots).size).toBe(slots.length);
  });

  it("are one read session, asked directly and by binding", async () => {
    const reader: Reader = { org: A, caller: serviceReader(A), network: {}, reason: null };
    const query = { action: "nobody.asks" };
    const from = (await statusOf(A)).size;
    for (const ask of [directAsker(config, reader), bindingAsker(reader)]) expect(await ask.list(query)).toEqual([]);
    const traces = await actsOf(A, "indelible.read", from);
    expect(traces.map(({ note }) => note)).toEqual([{ query: "action=nobody.asks" }]);
  });
});

describe("counts", () => {
  const numberOf = async (org: string) => (await statusOf(org)).placements[0]?.org_number;
  const run = (sql: string, ...values: unknown[]) =>
    env.CELL_0.prepare(sql)
      .bind(...values)
      .run();

  it.each([
    ["stats", 12],
    ["actions", 21],
  ])("of another canary among its own are misrouted: %s", async (name, slot) => {
    const [mine, theirs] = [await numberOf(A), await numberOf(B)];
    await round(minuteAt(slot - 1));
    // As if rows of the one had been counted as the other's.
    const copied = `insert into counter select ?1, day, category, action, target_types, result, count from counter
      where org_number = ?2 and target_types like ?3`;
    await run(copied, mine, theirs, `%${markerOf(config, B)}%`);
    await run(
      "insert into action_seen select ?1, action, version, first_day, last_day from action_seen where org_number = ?2 and action = 'canary.sing'",
      mine,
      theirs,
    );
    const grown = await growthOf(() => round(nextMinute()));
    await run("delete from counter where org_number = ?1 and target_types like ?2", mine, `%${markerOf(config, B)}%`);
    await run("delete from action_seen where org_number = ?1 and version = 100001", mine);
    const ways = [name, `binding.${name}`].map((at) => `audit_findings_total{at="${at}",kind="misrouted"}`);
    expect(ways.map((way) => grown[way] ?? 0).reduce((sum, growth) => sum + growth)).toBe(1);
    const found = await findingsOf((await statusOf(A)).log);
    expect(found[0]).toMatchObject({ kind: "misrouted", severity: "critical", at: expect.stringContaining(name) });
  });

  it.each(["stats", "actions", "binding.stats", "binding.actions"])(
    "that are more than the log holds are misrouted, and fewer are late: %s",
    async (name) => {
      const minute = await rounds(1);
      const mine = await numberOf(A);
      const add = (count: number) =>
        run("update counter set count = count + ?2 where org_number = ?1 and action = 'canary.sing'", mine, count);
      await add(1_000);
      expect(await verdictOn(wayOf(name), A, { minute })).toBe("misrouted");
      await add(-2_000);
      expect(await verdictOn(wayOf(name), A, { minute })).toBe("lacking");
      await add(1_000);
      expect(await verdictOn(wayOf(name), A, { minute })).toBe("found");
    },
  );
});

describe("a full tile and its bundle in R2", () => {
  const objects = async (path: string) => {
    const name = async (org: string) => `tree/${(await statusOf(org)).log}/${path}`;
    const bytesOf = async (org: string) => (await (await env.ARCHIVE.get(await name(org)))?.bytes()) as Uint8Array;
    return { name: await name(A), mine: await bytesOf(A), theirs: await bytesOf(B) };
  };

  it("that are the other canary's are not taken for its own", async () => {
    const events = Array.from({ length: TILE_WIDTH }, (_, n) => event(n));
    for (const org of [A, B])
      expect((await call("POST", `/v1/orgs/${org}/events`, { body: { events } })).status).toBe(201);
    await rounds();
    expect(await verdictOn(wayOf("tile"), A)).toBe("found");
    const [bundle, tile] = [await objects("tile/entries/000"), await objects("tile/0/000")];
    await env.ARCHIVE.put(tile.name, tile.theirs);
    expect(await verdictOn(wayOf("tile"), A)).toBe("lacking");
    await env.ARCHIVE.put(bundle.name, bundle.theirs);
    expect(await verdictOn(wayOf("tile"), A)).toBe("misrouted");
    await env.ARCHIVE.put(tile.name, tile.mine);
    await env.ARCHIVE.put(bundle.name, bundle.mine);
    expect(await verdictOn(wayOf("tile"), A)).toBe("found");
  });
});

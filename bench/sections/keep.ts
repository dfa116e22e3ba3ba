import type { Bench, Table } from "../bench.ts";
import { type Meters, SWEEP_PATH } from "../cost/meters.ts";
import { billOf, storageOf } from "../cost/prices.ts";
import { bodiesOf, DAY_MS, eventTexts } from "../events.ts";
import type { Request } from "../load/job.ts";
import { buildBenchWorker } from "../service/build.ts";
import { withOwnService } from "../service/own.ts";
import { ROOT_KEY } from "../service/start.ts";

/** Halves are whole tiles: at the end of each the ledger has as little staged as at the end of the other. */
const ENTRIES = { full: 102_400, quick: 20_480 };
const BODY_EVENTS = 128;
const CONNECTIONS = 4;
const YEARS = 7;
/** A month leaves D1 when it ended 90 days ago: its entries are there for 90 days and half a month on average. */
const HOT_MONTHS = (90 + 365 / 24) / (365 / 12);

/** Bytes an entry takes in each store, for good. */
type Bytes = { cell: number; ledger: number; segments: number; tree: number };

/** What it costs to keep a million entries for seven years: bytes and operations are counted, prices are list prices. */
export async function keep(bench: Bench): Promise<Table[]> {
  const build = (folder: string) => buildBenchWorker(folder, "cost-worker.ts");
  return withOwnService(bench, { name: "keep", build }, async (own) => {
    const entries = bench.rounds === 1 ? ENTRIES.quick : ENTRIES.full;
    const [org = ""] = await own.client.createOrgs(1);
    // What the first half leaves free is used again by the second: the growth from there on is what stays.
    await fillHalf(own, org, { half: 0, entries });
    const before = await storedBy(own);
    await fillHalf(own, org, { half: 1, entries });
    const after = await storedBy(own);
    const each = (store: keyof Bytes) => (after[store] - before[store]) / (entries / 2);
    const bytes = { cell: each("cell"), ledger: each("ledger"), segments: each("segments"), tree: each("tree") };
    bench.say("keep: cooling");
    const cooling = await cool(own, org);
    return [storageTable(bytes), coolingTable(cooling, entries)];
  });
}

async function fillHalf(
  { client, load, service, say }: Bench,
  org: string,
  { half, entries }: { half: number; entries: number },
): Promise<void> {
  say(`keep: filling, half ${half + 1} of 2`);
  const texts = eventTexts(`keep-${half}`, entries / 2, { endMs: Date.now(), days: 1 });
  const requests = bodiesOf(texts, BODY_EVENTS).map((body): Request => {
    return { method: "POST", path: `/v1/orgs/${org}/events`, key: ROOT_KEY, body };
  });
  const maxRequests = requests.length;
  await load.run({ port: service.port, connections: CONNECTIONS, ms: 600_000, requests, maxRequests });
  await client.until([org], ({ size, projected, archived }) => projected === size && archived === size);
  await client.publish(org);
  // An append more, after which the ledger says how large it is.
  await client.call(
    "POST",
    `/v1/orgs/${org}/events`,
    JSON.parse(eventTexts("keep", 1, { endMs: Date.now() })[0] ?? ""),
  );
}

async function storedBy({ service, client }: Bench): Promise<Bytes> {
  const bucket = await service.bucket("ARCHIVE");
  const sizes = { seg: 0, tree: 0 };
  for (const folder of ["seg", "tree"] as const) {
    for (let cursor: string | undefined; ; ) {
      const listed = await bucket.list({ prefix: `${folder}/`, ...(cursor === undefined ? {} : { cursor }) });
      sizes[folder] += listed.objects.reduce((sum, { size }) => sum + size, 0);
      if (!listed.truncated) break;
      cursor = listed.cursor;
    }
  }
  let cell = 0;
  for (const name of ["CELL_0", "CELL_1"]) {
    const { meta } = await (await service.database(name)).prepare("select 1").all();
    cell += meta.size_after ?? 0;
  }
  return { cell, ledger: (await client.meters()).ledgerBytes, segments: sizes.seg, tree: sizes.tree };
}

/** Lets all of it become cold, as in half a year; answers what that took. The drop of its month is not in it: it writes as many rows for one entry as for all. */
async function cool({ client }: Bench, org: string): Promise<Meters> {
  const before = await client.meters();
  const now = Date.now() + 182 * DAY_MS;
  await client.call("POST", `${SWEEP_PATH}?now=${now}`);
  const isCold = async () => (await client.call("GET", `/v1/orgs/${org}/status`)).projection.cold_before > 0;
  while (!(await isCold())) await new Promise((resolve) => setTimeout(resolve, 100));
  return client.metersSince(before);
}

function storageTable({ cell, ledger, segments, tree }: Bytes): Table {
  const months = YEARS * 12;
  const kept = [
    { name: "ledger (receipts, names of segments)", bytes: ledger, store: "ledger", months },
    { name: "segments", bytes: segments, store: "archive", months },
    { name: "tiles and entry bundles", bytes: tree, store: "archive", months },
  ] as const;
  const rest = kept.reduce((sum, { store, bytes }) => sum + storageOf(store, bytes, months), 0);
  const row = (name: string, bytes: number, time: number, dollars: number) => [
    name,
    bytes.toFixed(0),
    time.toFixed(1),
    dollars.toFixed(2),
  ];
  const hot = storageOf("cell", cell, HOT_MONTHS);
  const always = storageOf("cell", cell, months);
  return {
    title: `Keeping a million entries for ${YEARS} years, in $ at list prices`,
    head: ["", "bytes an entry", "months", "$"],
    rows: [
      row("D1, entry and search index, while hot", cell, HOT_MONTHS, hot),
      ...kept.map(({ name, bytes, store }) => row(name, bytes, months, storageOf(store, bytes, months))),
      row("all", cell + ledger + segments + tree, months, hot + rest),
      row("all, had D1 kept every month", cell + ledger + segments + tree, months, always + rest),
    ],
    notes: ["Beyond what a plan includes; before the bill of appending (`cost`) and of reading."],
  };
}

function coolingTable(meters: Meters, entries: number): Table {
  const { archive, rows, ledger, all } = billOf(meters, { requests: 0, events: entries });
  const each = (count: number) => ((count * 1_000_000) / entries).toFixed(0);
  return {
    title: "Letting a million entries leave D1",
    head: ["", "a million entries", "$"],
    rows: [
      ["R2, class A", each(meters.classA), ""],
      ["R2, class B", each(meters.classB), archive.toFixed(4)],
      ["rows written, D1 and ledger", each(meters.cellRows + meters.ledgerRows), rows.toFixed(4)],
      ["alarms of the ledger", each(meters.alarms), ledger.toFixed(4)],
      ["all", "", all.toFixed(4)],
    ],
    notes: [
      "The entry that says so, its segment and checkpoint are in it; steps of the job, a request each for 8 segments, are not.",
    ],
  };
}

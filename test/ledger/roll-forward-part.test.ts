import { createHash } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { append, batchOf } from "../support/append.ts";
import { checkLedger, untilProjected } from "../support/check-ledger.ts";
import { readLedger } from "../support/check/read-stores.ts";
import { createOrg, event } from "../support/client.ts";
import { restoreFaults } from "../support/faults.ts";
import { lostOrg, placementOf, restored } from "../support/lost-org.ts";
import { rewindTo, snapshotOf } from "../support/rewind.ts";
import { setBack } from "../support/set-back.ts";

afterEach(restoreFaults);

describe("a rewound ledger that has only a part back", () => {
  it("seals the rest of a batch of which only the first part came back, once, when it is sent again", async () => {
    const org = await createOrg("p2");
    await untilProjected(org);
    const snapshot = await snapshotOf(org);
    const batch = batchOf([event(1, { id: "a-1" }), event(2), event(3, { id: "a-3" }), event(4)], { batch: "half" });
    await append(org, batch);
    await untilProjected(org);
    const { cell, org_number } = await placementOf(org);
    await rewindTo(org, snapshot);
    await setBack(cell, { org_number, to: 3 });
    const { receipts } = await append(org, batch);
    console.log(JSON.stringify(receipts));
    expect((await append(org, batch)).receipts.map(({ index, entry_hash }) => [index, entry_hash])).toEqual(
      receipts.map(({ index, entry_hash }) => [index, entry_hash]),
    );
    const { entries } = await checkLedger(org, { archived: true });
    expect(receipts.map(({ entry_hash }) => entry_hash.length)).toEqual([43, 43, 43, 43]);
    expect(entries.filter(({ action }) => action === "document.share")).toHaveLength(4);
  });

  it("keeps its own sections of entries that R2 has with others", async () => {
    const { org, snapshot } = await lostOrg({ archived: false });
    const [segment] = (await readLedger(org)).segments;
    const object = await env.ARCHIVE.get(segment?.name ?? "");
    const lines = gunzipSync(await new Response(object?.body).arrayBuffer())
      .toString()
      .trimEnd()
      .split("\n");
    const record = JSON.parse(lines[1] ?? "");
    record.sections.metadata.text = '{"n":666}';
    const text = [lines[0], JSON.stringify(record), ...lines.slice(2), ""].join("\n");
    const name = segment?.name.replace(/[0-9a-f]{64}/, createHash("sha256").update(text).digest("hex")) ?? "";
    await env.ARCHIVE.put(name, gzipSync(text), { customMetadata: object?.customMetadata ?? {} });
    await env.ARCHIVE.delete(segment?.name ?? "");
    await rewindTo(org, snapshot);
    await append(org);
    await env.ARCHIVE.delete(name);
    const { entries } = await checkLedger(org, { archived: true });
    expect(entries[1]?.sections["metadata"]?.text).toBe('{"n":1}');
    expect(restored(entries[9])).toMatchObject({ from_size: 3, to_size: 9 });
  });
});

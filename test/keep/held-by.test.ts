import { describe, expect, it } from "vitest";
import { parseRecord } from "../../src/chain/open.ts";
import type { EntryRecord } from "../../src/chain/record.ts";
import { heldBy } from "../../src/keep/held-by.ts";
import { readFilter } from "../../src/keep/read-filter.ts";
import type { NewHold, StandingHold } from "../../src/schema/hold.ts";
import { append, batchOf } from "../support/append.ts";
import { createOrg, event } from "../support/client.ts";
import { linesOf } from "../support/owner.ts";

/** A hold that stands, as its ledger tells of it. */
function hold(id: string, wanted: Partial<NewHold>): StandingHold {
  const read = readFilter(wanted as NewHold);
  if (!read.ok) throw new Error(read.refusal.detail);
  const { log = null, after_index = null, before_index = null } = wanted;
  return { id, query: read.value.text, log, after_index, before_index, reason: "", by: "root", at: "" };
}

const jane = event(1, {
  actor: { type: "user", id: "u_1", name: "Jane Roe", email: "jane@example.com" },
  targets: [{ type: "document", id: "d_9", name: "Q4 plan" }],
  context: { ip: "192.0.2.1" },
  category: "login",
  occurred_at: "2026-03-01T12:00:00Z",
});

/** The record of that event. */
async function recordOf(): Promise<EntryRecord> {
  const org = await createOrg("held");
  await append(org, batchOf([jane]));
  const record = parseRecord((await linesOf(org))[1] as string);
  if (record === null) throw new Error("a sealed line is a record");
  return record;
}

describe("whether an entry is held", () => {
  it("is what the hold's filter says of the entry as it is stored, by each hold alone", async () => {
    const record = await recordOf();
    const place = { log: 1, index: 1 };
    const of = (...holds: StandingHold[]) => heldBy({ version: 1, standing: holds }).holdOf(place, record);
    const covers = (wanted: Partial<NewHold>) => of(hold("h", wanted)) === "h";
    expect(of()).toBe(null);
    for (const wanted of [
      {},
      { filter: { actor: "u_1" } },
      { filter: { actor: ["u_2", "u_1"] } },
      { filter: { target: "d_9", target_type: "document" } },
      { filter: { action: "document.*" } },
      { filter: { ip: "192.0.2.1" } },
      { filter: { q: '"jane roe"' } },
      { filter: { q: "actor:u_1 -result:denied" } },
      { filter: { "-actor": "u_2" } },
      { from: "2026-03-01T12:00:00Z", to: "2026-03-01T13:00:00+01:00" },
      { after_index: 0, before_index: 2 },
      { log: 1 },
    ]) {
      expect(covers(wanted), JSON.stringify(wanted)).toBe(true);
    }
    for (const wanted of [
      { filter: { actor: "u_2" } },
      { filter: { actor: "u_1", category: "general" } },
      { filter: { "-actor": "u_1" } },
      { filter: { q: "janet" } },
      { to: "2026-03-01T11:59:59Z" },
      { after_index: 1 },
      { before_index: 1 },
      { log: 2 },
    ]) {
      expect(covers(wanted), JSON.stringify(wanted)).toBe(false);
    }
    expect(of(hold("no", { log: 2 }), hold("first", { filter: { actor: "u_1" } }), hold("second", {}))).toBe("first");
  });

  it("is so of what cannot be read, by all that may cover it; what is gone holds nothing", async () => {
    const record = await recordOf();
    const asked = { version: 1, standing: [hold("h", { filter: { actor: "u_1" } })] };
    const broken = { ...record, sections: { ...record.sections, actor: { salt: "", text: "?" } } };
    expect(heldBy(asked).holdOf({ log: 1, index: 1 }, broken)).toBe("h");
    const { actor: _, ...sections } = record.sections;
    const erased = { leaf: record.leaf, sections, absent: [{ section: "actor", cause: "erased" as const, by: 2 }] };
    expect(heldBy(asked).holdOf({ log: 1, index: 1 }, erased)).toBe(null);
  });
});

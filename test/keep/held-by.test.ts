import { describe, expect, it } from "vitest";
import type { EntryRecord } from "../../src/chain/record.ts";
import { redactLine } from "../../src/chain/redact.ts";
import { heldBy } from "../../src/keep/held-by.ts";
import { readSentFilter } from "../../src/query/sent-filter.ts";
import type { NewHold, StandingHold } from "../../src/schema/hold.ts";
import { append, batchOf } from "../support/append.ts";
import { createOrg, event } from "../support/client.ts";
import { linesOf } from "../support/owner.ts";

/** A hold that stands, as its ledger tells of it. */
function hold(wanted: Partial<NewHold>): StandingHold {
  const read = readSentFilter(wanted as NewHold);
  if (!read.ok) throw new Error(read.refusal.detail);
  const { log = null, after_index = null, before_index = null } = wanted;
  return { id: "h", query: read.value.text, log, after_index, before_index, reason: "", by: "root", at: "" };
}

const jane = event(1, {
  actor: { type: "user", id: "u_1", name: "Jane Roe", email: "jane@example.com" },
  targets: [{ type: "document", id: "d_9", name: "Q4 plan" }],
  context: { ip: "192.0.2.1" },
  category: "login",
  occurred_at: "2026-03-01T12:00:00Z",
});

/** The line of that event. */
async function sealed(): Promise<string> {
  const org = await createOrg("held");
  await append(org, batchOf([jane]));
  return (await linesOf(org))[1] as string;
}

describe("whether an entry is held", () => {
  it("that is still to come, is said of holds that reach past the end of the log", () => {
    const coming = (wanted: Partial<NewHold>) => heldBy({ version: 1, standing: [hold(wanted)] }).coming(10);
    expect([coming({}), coming({ before_index: 11 }), coming({ before_index: 10 })]).toEqual([true, true, false]);
  });

  it("is what the hold's filter says of the entry as it is stored, by each hold alone", async () => {
    const line = await sealed();
    const held = (...standing: StandingHold[]) => heldBy({ version: 1, standing }).covers({ log: 1, index: 1, line });
    const covers = (wanted: Partial<NewHold>) => held(hold(wanted));
    expect(held()).toBe(false);
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
    expect(held(hold({ log: 2 }), hold({ filter: { actor: "u_1" } }))).toBe(true);
    expect(held(hold({ log: 2 }), hold({ filter: { actor: "u_2" } }))).toBe(false);
  });

  it("is so of what cannot be read, by all that may cover it; what is gone holds nothing", async () => {
    const line = await sealed();
    const record = JSON.parse(line) as EntryRecord;
    const { covers } = heldBy({ version: 1, standing: [hold({ filter: { actor: "u_1" } })] });
    const held = (changed: unknown) => covers({ log: 1, index: 1, line: JSON.stringify(changed) });
    expect(held({ ...record, sections: { ...record.sections, actor: { salt: "", text: "?" } } })).toBe(true);
    expect(held({ more: 1, ...record })).toBe(true);
    expect(covers({ log: 1, index: 1, line: redactLine(line, ["actor"], { cause: "erased", by: 2 }) })).toBe(false);
  });
});

import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { putSegment, readSegment } from "../../src/archive/segment.ts";
import { chunkFrom, type ErasureProgress, progressIn, withBlind } from "../../src/keep/erasure-progress.ts";
import { searchAnew, searchStep } from "../../src/keep/search-subject.ts";
import { ABSENCE_LIST_MAX_ENTRIES, ERASURE_NAME_MAX_CHARACTERS } from "../../src/limits.ts";
import type { Sought } from "../../src/schema/erasure.ts";
import { append, batchOf } from "../support/append.ts";
import { readLedger } from "../support/check/read-stores.ts";
import { statusOf } from "../support/check-ledger.ts";
import { call, createOrg, event } from "../support/client.ts";
import { strand } from "../support/strand.ts";
import { archived, person } from "./erasure-support.ts";
import { config } from "./support.ts";

const LONG = "x".repeat(ERASURE_NAME_MAX_CHARACTERS + 1);

/** An org with an entry of somebody with a long name, and with another name; where its search begins. */
async function searched() {
  const org = await createOrg("search");
  const { type, id, name } = person();
  await append(org, batchOf([event(1, { actor: { type, id, name: LONG } }), event(2, { actor: { type, id, name } })]));
  await archived(org);
  const { log, size } = await statusOf(org);
  const sought: Sought = { subject: { type, id }, sections: [] };
  const progress = progressIn([{ number: 1, log, size }], { names: [], read_sessions: 0 });
  return { org, name, sought, progress };
}

describe("a search for a subject", () => {
  it("takes no name of an entry that its list has no room for", async () => {
    const { org, name, sought, progress } = await searched();
    const chunk = { ...chunkFrom(0), entries: ABSENCE_LIST_MAX_ENTRIES };
    const full = await searchStep(config, org, { sought, progress: { ...progress, chunk } });
    expect(full).toMatchObject({ phase: "seal", names: [], found: false, chunk: { names_left: 0 } });
    const next = { ...full, phase: "search", chunk: chunkFrom(full.at.index) } as const;
    const found = await searchStep(config, org, { sought, progress: next });
    expect(found).toMatchObject({ phase: "seal", names: [name], found: true, chunk: { names_left: 1, entries: 2 } });
  });

  it("counts a name once of an entry that an earlier log has twice", async () => {
    const { org, name, sought, progress } = await searched();
    const { segments } = await readLedger(org);
    const { log } = await strand(org);
    expect((await call("POST", `/v1/orgs/${org}/continue`, { body: { reason: "an entry is gone" } })).status).toBe(201);
    for (const segment of segments) {
      const lines = await readSegment(env.ARCHIVE, segment);
      const { first } = segment;
      for (const [at, line] of lines.entries())
        await putSegment(env.ARCHIVE, { log, first: first + at, lines: [line], headMac: null });
    }
    let at: ErasureProgress = progress;
    while (at.phase === "search" && at.at.log === 1) at = await searchStep(config, org, { sought, progress: at });
    expect(at).toMatchObject({ names: [name], chunk: { names_left: 1 } });
  });

  it("that begins a list anew makes no run of what it has passed already", () => {
    const runs = [10, 11, 12, 5_000].map((index) => ({ log: 2, first: index, last: index }));
    const read = [{ log: 1, first: 7, last: 9_000 }, ...runs].reduce<typeof runs>(
      (known, run) => withBlind(known, run, 1),
      [],
    );
    const progress = { ...progressIn([], { names: [], read_sessions: 0 }), at: { log: 2, index: 6_000 } };
    const blind = { expired: read, unreadable: read };
    const anew = searchAnew({ ...progress, phase: "seal", chunk: chunkFrom(11), blind });
    const before = [
      { log: 1, first: 7, last: 9_000 },
      { log: 2, first: 10, last: 10 },
    ];
    expect(anew).toMatchObject({ phase: "search", at: { log: 2, index: 11 } });
    expect(anew.blind).toEqual({ expired: before, unreadable: before });
    expect(runs.slice(1).reduce((known, run) => withBlind(known, run, 1), anew.blind.expired)).toEqual(read);
  });
});

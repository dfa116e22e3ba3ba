import { describe, expect, it } from "vitest";
import { append, batchOf } from "../support/append.ts";
import { checkLedger } from "../support/check-ledger.ts";
import { createOrg, event } from "../support/client.ts";
import { type Forged, linesOf, rewriteLog } from "../support/owner.ts";
import { audit, type Auditor, auditorOf, copyOf, verified } from "../support/auditor.ts";
import { blamed, mapSource } from "../verifier/support.ts";

/** What somebody who owns every store and the key can do to a log, and what an old checkpoint says of it. */
const ENTRIES = 300;
const AT = 120;

/** A log of 300 entries, and somebody outside who kept its checkpoints of 100, of 121 and of all of them. */
async function watched(): Promise<{ org: string; kept: Auditor[]; receipt: string }> {
  const org = await createOrg("rewritten");
  const kept: Auditor[] = [];
  let sent = 1;
  for (const size of [100, AT + 1, ENTRIES]) {
    await append(org, batchOf(Array.from({ length: size - sent }, (_, n) => event(sent + n, { reason: "because" }))));
    sent = size;
    kept.push(await auditorOf(org));
  }
  const { hash } = (await checkLedger(org)).entries[AT] as { hash: string };
  return { org, kept, receipt: hash };
}

const reworded = (entry: Forged): Forged => ({
  ...entry,
  sections: entry.sections.map((section) => ({ ...section, text: section.text.replace("because", "by mistake") })),
});

const REWRITINGS: Record<string, (entries: Forged[]) => Forged[]> = {
  "one word of an old event": (entries) => entries.with(AT, reworded(entries[AT] as Forged)),
  "an entry put in with an old date": (entries) => entries.toSpliced(AT, 0, reworded(entries[AT] as Forged)),
  "an entry taken out of the middle": (entries) => entries.toSpliced(AT, 1),
  "an entry taken out, and another at the end": (entries) => [...entries.toSpliced(AT, 1), entries[3] as Forged],
  "two entries that changed places": (entries) =>
    entries.with(AT, entries[AT + 1] as Forged).with(AT + 1, entries[AT] as Forged),
};

describe("a log that its owner rewrote in the ledger, D1 and R2, and signed", () => {
  it.each(Object.entries(REWRITINGS))("(%s) is whole in itself, and not the log of the checkpoint", async (_, edit) => {
    const { org, kept, receipt } = await watched();
    await rewriteLog(org, edit);
    const [before, , whole] = kept as [Auditor, Auditor, Auditor];
    // Nothing of what the service holds is amiss: whoever kept nothing is told that all is well.
    const report = await verified(org);
    expect(report).toMatchObject({ ok: true, breaks: [] });
    expect(await audit(whole, { records: await linesOf(org) })).toMatchObject({ ok: true, sections_unseen: 0 });
    // What was kept of the time before says nothing; what was kept since tells, at the size it has or as the log grows.
    expect(await audit(before, { older: [before.kept] })).toMatchObject({ ok: true, older: [{ grew: true }] });
    for (const { kept: older } of kept.slice(1)) {
      await append(org, batchOf([event(1)]));
      expect(blamed(await audit(whole, { older: [older] }))).toEqual(["diverged"]);
    }
    // And so does a receipt.
    expect((await verified(org, `?to=${AT + 1}&expect=${receipt}`)).ok).toBe(false);
  });

  it("by cutting its newest end, is shorter than the checkpoint says; and another when it has grown again", async () => {
    const { org, kept } = await watched();
    const [, , whole] = kept as [Auditor, Auditor, Auditor];
    await rewriteLog(org, (entries) => entries.slice(0, AT));
    const cut = await audit(whole, { older: [whole.kept] });
    expect(blamed(cut)).toEqual([`truncated ${cut.size} to ${ENTRIES - 1}`]);
    expect(await audit(whole)).toMatchObject({ ok: true });
    await append(org, batchOf(Array.from({ length: ENTRIES }, (_, n) => event(n))));
    expect(blamed(await audit(whole, { older: [whole.kept] }))).toEqual(["diverged"]);
  });
});

describe("two views of a log", () => {
  it("hold each by itself, and are found out by their two readers, whoever asks the other", async () => {
    const { org, kept } = await watched();
    const one = kept[2] as Auditor;
    const theirs = await copyOf(org);
    const source = mapSource(theirs.files);
    await rewriteLog(org, REWRITINGS["one word of an old event"] as (entries: Forged[]) => Forged[]);
    const other = await auditorOf(org);
    expect(other.keys).toEqual(one.keys);
    expect(await audit(one, { source, note: theirs.note })).toMatchObject({ ok: true });
    expect(await audit(other)).toMatchObject({ ok: true });
    expect(blamed(await audit(other, { older: [one.kept] }))).toEqual(["diverged"]);
    expect(blamed(await audit(one, { source, note: theirs.note, older: [other.kept] }))).toEqual(["diverged"]);
    // The other view has grown: what the first reader has is shorter than what was signed.
    await append(org, batchOf([event(1)]));
    const { kept: larger } = await auditorOf(org);
    const compared = await audit(one, { source, note: theirs.note, older: [larger] });
    expect(blamed(compared)).toEqual([`truncated ${ENTRIES} to ${larger.size - 1}`]);
  });
});

import { afterEach, describe, expect, it } from "vitest";
import { deliver, messageOf } from "../ingest/deliver.ts";
import { archived, asked, person, standing } from "../keep/erasure-support.ts";
import { actsOf } from "../query/support.ts";
import { append, batchOf } from "../support/append.ts";
import { checkLedger, untilProjected } from "../support/check-ledger.ts";
import { createOrg, event } from "../support/client.ts";
import { restoreFaults } from "../support/faults.ts";
import { finishJob } from "../support/jobs.ts";

afterEach(restoreFaults);

describe("a name under which the service seals something once", () => {
  it("is not taken by a message of the queue that calls its batch so", async () => {
    const org = await createOrg("named");
    const jane = person();
    await append(org, batchOf([event(1, { actor: jane })]));
    await archived(org);
    const { id } = await asked(org, { subject: { type: jane.type, id: jane.id } });
    const name = `indelible.erasure.ended  ${id}`;
    const [fate] = (await deliver([messageOf(org, [event(2)], { batch: name })])).values();
    expect(fate).toBe("acked");
    await finishJob(org, "erasure", id);
    await untilProjected(org);
    const ended = await actsOf(org, "indelible.erasure.ended");
    expect(ended.map(({ leaf }) => leaf.index)).toEqual([(await standing(org, id)).certificate?.ended_index]);
    await checkLedger(org, { archived: true });
  });
});

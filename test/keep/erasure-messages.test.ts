import { describe, expect, it } from "vitest";
import { storeDeadLetter } from "../../src/ingest/dead-letters.ts";
import { messageOf } from "../ingest/deliver.ts";
import { append, batchOf } from "../support/append.ts";
import { createOrg, event } from "../support/client.ts";
import { placesOf } from "../support/everywhere.ts";
import { archived, erased, person } from "./erasure-support.ts";
import { config } from "./support.ts";

describe("an erasure", () => {
  it("takes messages that are no events, in which every text may say whom they are about", async () => {
    const org = await createOrg("no-events");
    // What somebody calls himself takes nothing with it that is not said of him.
    const jane = { ...person(), name: "action" };
    const { type, id, email } = jane;
    await append(org, batchOf([event(1, { actor: jane })]));
    await archived(org);
    const robot = { type: "robot", id: "u_other" };
    let nested: unknown = id;
    for (let depth = 0; depth < 5_000; depth++) nested = [nested];
    const about = [
      [event(2, { actor: { id, email } })],
      [event(3, { actor: id })],
      [{ user: email }],
      [event(7, { actor: robot, user: id })],
      [event(8, { actor: robot, note: `by ${id}` })],
      [{ [id]: true }],
      [event(4, { actor: robot, targets: { type, id } })],
      [event(5, { actor: null, metadata: nested })],
    ];
    // Whole, and in it she is neither actor nor target; or of somebody else.
    const others = [
      [event(6, { actor: robot, metadata: { asked_by: id } })],
      [event(7, { actor: "u_other" })],
      [{ action: "a.b", said: "an action" }],
    ];
    const refusal = { code: "unprocessable", detail: "no" } as const;
    for (const events of [...about, ...others]) {
      const { id: message, text } = messageOf(org, events);
      await storeDeadLetter(config, { org, refusal, state: "dead", attempts: 1, id: `dl_${message}`, text });
    }
    const { certificate } = await erased(org, { subject: { type, id } });
    expect(certificate.elsewhere.dead_letters).toBe(about.length);
    expect(await placesOf(org, [email])).toEqual([]);
    expect((await placesOf(org, [id])).filter((place) => place.includes("dead"))).toHaveLength(1);
    expect((await placesOf(org, ["an action"])).filter((place) => place.includes("dead"))).toHaveLength(1);
  });
});

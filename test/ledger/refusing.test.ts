import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { append, batchOf, refusalOf } from "../support/append.ts";
import { archiveDue, later, untilProjected } from "../support/check-ledger.ts";
import { readLedger } from "../support/check/read-stores.ts";
import { call, createOrg, event } from "../support/client.ts";
import { restoreFaults } from "../support/faults.ts";
import { placementOf } from "../support/lost-org.ts";
import { rewindTo, snapshotOf } from "../support/rewind.ts";
import { setBack } from "../support/set-back.ts";
import { strand } from "../support/strand.ts";

afterEach(restoreFaults);

describe("a ledger that refuses appends", () => {
  it("is not woken again at once by what is due and may not be done", async () => {
    const org = await createOrg("p4");
    await untilProjected(org);
    await strand(org);
    await refusalOf(org);
    const stub = env.ORG_LEDGER.getByName(org);
    await later(120_000, async () => {
      await runDurableObjectAlarm(stub);
      const at = await runInDurableObject(stub, (_, { storage }) => storage.getAlarm());
      expect((at ?? 0) - Date.now()).toBeGreaterThan(1_000);
    });
  });

  it("gives no entries to a key that may have been revoked in the part that is lost", async () => {
    const org = await createOrg("p8");
    await call("PUT", `/v1/orgs/${org}`, { body: { access_log: "queued" } });
    const key = (await call("POST", `/v1/orgs/${org}/keys`, { body: { name: "k", scopes: ["events:read"] } })).json;
    await untilProjected(org);
    await archiveDue(org);
    const snapshot = await snapshotOf(org);
    await call("DELETE", `/v1/orgs/${org}/keys/${key.id}`);
    await append(org, batchOf([event(1)]));
    await archiveDue(org);
    const { segments } = await readLedger(org);
    await env.ARCHIVE.delete(segments.at(-1)?.name ?? "");
    const { cell, org_number } = await placementOf(org);
    await setBack(cell, { org_number, to: 3 });
    await cell.prepare("update cursor set next = 5 where org_number = ?1").bind(org_number).run();
    await rewindTo(org, snapshot);
    expect(await refusalOf(org)).not.toBe(null);
    expect((await call("GET", `/v1/orgs/${org}/events`, { key: key.key })).status).toBe(503);
  });
});

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { checkLedger, later, untilProjected, wake } from "../support/check-ledger.ts";
import { call, createOrg } from "../support/client.ts";
import { evict } from "../support/faults.ts";
import { rewindTo, snapshotOf } from "../support/rewind.ts";
import { viewerToken } from "../http/support.ts";
import { actsOf, saysOf } from "../query/support.ts";

/** Reads for a reason, and answers the index of the entry that opened the session. */
async function read(org: string, key: string, reason: string): Promise<number> {
  const headers = { "audit-reason": reason };
  const answer = await call("GET", `/v1/orgs/${org}/events?limit=1`, { key, headers });
  expect(answer.status, answer.text).toBe(200);
  return Number(answer.headers.get("audit-read-index"));
}

describe("a session of a viewer", () => {
  it("that was in the lost part of a rewound ledger goes on as the same, of the same person, for the same reason", async () => {
    const org = await createOrg("rewound-viewer");
    const { token, id } = await viewerToken(org);
    const snapshot = await snapshotOf(org);
    const opened = await read(org, token, "case 1");
    await untilProjected(org);
    await rewindTo(org, snapshot);
    expect(await read(org, token, "case 1")).toBe(opened);
    expect(await read(org, token, "case 2")).toBeGreaterThan(opened);
    await later(16 * 60_000, () => wake(org));
    const closed = (await actsOf(org, "indelible.read.closed")).find(
      (entry) => saysOf(entry)["opened_index"] === opened,
    );
    expect(closed?.actor).toEqual({ type: "user", id: "u_viewer" });
    expect(saysOf(closed)).toMatchObject({ token: id, answers: 2 });
    await checkLedger(org);
  });

  it("is kept by a ledger made before there were viewers", async () => {
    const org = await createOrg("old-ledger");
    await runInDurableObject(env.ORG_LEDGER.getByName(org), (_, { storage }) => {
      storage.sql.exec("alter table read_session drop column viewer");
    });
    await evict(org);
    const { token } = await viewerToken(org);
    const opened = await read(org, token, "why");
    await evict(org);
    expect(await read(org, token, "why")).toBe(opened);
  });
});

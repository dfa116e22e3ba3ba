import { describe, expect, it } from "vitest";
import { orgKey } from "../http/support.ts";
import { entriesOf } from "../query/support.ts";
import { filled, rowAt, verified, write } from "../support/tamper.ts";
import { close, listStatus, reads, reopen, WHY } from "./reads-support.ts";

const ACCEPT = { accept_breaks: true };

describe("a key's wish to open reads in spite of breaks", () => {
  it("falls when more is found broken, and when they are closed anew", async () => {
    const { org, cell } = await filled();
    const { key } = await orgKey(org, ["reads:write"]);
    await close(org);
    const spoil = async (index: number) => {
      const { record } = await rowAt(cell, index);
      await write(cell, index, record.replace("because", "becausE"));
      await verified(org);
    };
    await spoil(5);
    expect((await reopen(org, ACCEPT)).status).toBe(202);
    await spoil(6);
    expect((await reopen(org, ACCEPT, key)).status).toBe(202);
    await close(org, { reason: `${WHY}, again` });
    expect((await reads(org)).json).toMatchObject({ pending: null, verified: [] });
  });

  it("falls when as many others are found broken in the same range", async () => {
    const { org, cell } = await filled();
    const { key } = await orgKey(org, ["reads:write"]);
    await close(org);
    const spoil = async (index: number) => {
      const { record } = await rowAt(cell, index);
      await write(cell, index, record.replace("because", "becausE"));
      return () => write(cell, index, record);
    };
    const mend = await spoil(5);
    await verified(org);
    const [seen] = (await reads(org)).json.verified;
    expect((await reopen(org, ACCEPT)).status).toBe(202);
    await mend();
    await spoil(6);
    await verified(org, `?from=${seen.to}`);
    const { hash } = (await entriesOf(org))[seen.to - 1] as { hash: string };
    expect(await verified(org, `?to=${seen.to}&expect=${hash}`)).toMatchObject({ ok: false, on_record: true });
    const [found] = (await reads(org)).json.verified;
    expect(found).toMatchObject({ from: seen.from, to: seen.to, breaks: seen.breaks });
    expect(found.breaks_sha256).not.toBe(seen.breaks_sha256);
    const again = await reopen(org, ACCEPT, key);
    expect([again.status, again.json.enabled], again.text).toEqual([202, false]);
    expect(await listStatus(org)).toBe(503);
    expect((await reopen(org, ACCEPT)).json).toEqual({ enabled: true });
  });
});

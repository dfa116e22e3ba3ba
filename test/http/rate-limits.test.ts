import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  HEAVY_READ_WEIGHT as HEAVY,
  READS_PER_KEY_PER_SECOND as PER_KEY,
  READS_PER_TOKEN_PER_SECOND as PER_TOKEN,
} from "../../src/limits.ts";
import { untilProjected } from "../support/check-ledger.ts";
import { call, createOrg } from "../support/client.ts";
import { orgKey, problemOf, viewerToken } from "./support.ts";

let org = "";
let key = "";
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  org = await createOrg("limits");
  ({ key } = await orgKey(org, ["events:read"]));
});
afterEach(() => {
  vi.useRealTimers();
});

const read = (path = "events?limit=1", as = key) => call("GET", `/v1/orgs/${org}/${path}`, { key: as });
const saysOf = ({ headers }: { headers: Headers }) => [headers.get("ratelimit-policy"), headers.get("ratelimit")];

describe("RateLimit", () => {
  it("says what is left of the key's share, with each answer that takes of it, errors as well", async () => {
    const policy = `"key";q=${PER_KEY};w=1`;
    const paths = ["events?limit=1", "events/0", "events/none", "events?ip=1.2.3.4", "events/0/proof", "verify"];
    for (const [n, path] of paths.entries()) {
      expect(saysOf(await read(path)), path).toEqual([policy, `"key";r=${PER_KEY - 1 - n};t=1`]);
    }
    expect(saysOf(await call("GET", `/v1/orgs/${org}`, { key }))).toEqual([policy, `"key";r=${PER_KEY - 7};t=1`]);
    vi.setSystemTime(Date.now() + 1_000);
    expect(saysOf(await read())).toEqual([policy, `"key";r=${PER_KEY - 1};t=1`]);
  });

  it("comes with a minted token as well, and where none is given", async () => {
    const mint = (body: object) => call("POST", `/v1/orgs/${org}/viewer-tokens`, { key, body });
    const wanted = { actor: { type: "user", id: "u_1" }, scopes: ["events:read"] };
    const answers = [
      await mint(wanted),
      await mint({ ...wanted, scopes: ["events:read", "personal:read"] }),
      await mint({ ...wanted, scopes: [] }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([201, 403, 400]);
    for (const [n, answer] of answers.entries()) {
      expect(saysOf(answer)).toEqual([`"key";q=${PER_KEY};w=1`, `"key";r=${PER_KEY - 1 - n};t=1`]);
    }
  });

  it("says nothing where nothing is taken", async () => {
    const { headers } = await call("POST", `/v1/orgs/${org}/events`, {
      body: { action: "a.b", actor: { type: "u", id: "1" } },
    });
    expect(headers.get("ratelimit")).toBeNull();
    expect((await call("GET", "/healthz")).headers.get("ratelimit")).toBeNull();
  });

  it("is zero with the 429, which says when to come back: then there is some", async () => {
    for (let n = 0; n < PER_KEY; n++) await read("events?limit=1");
    const refused = await read();
    problemOf(refused, "rate_limited");
    expect(saysOf(refused)).toEqual([`"key";q=${PER_KEY};w=1`, '"key";r=0;t=1']);
    const wait = Number(refused.headers.get("retry-after"));
    vi.setSystemTime(Date.now() + wait * 1_000);
    expect((await read()).status).toBe(200);
  });

  it("says both shares of a token: its own, and that of all its key's", async () => {
    const { token } = await viewerToken(org, { key });
    const { token: other } = await viewerToken(org, { key });
    await read("events/0", other);
    const policy = `"token";q=${PER_TOKEN};w=1, "tokens";q=200;w=1`;
    expect(saysOf(await read("events/0", token))).toEqual([
      policy,
      `"token";r=${PER_TOKEN - 1};t=1, "tokens";r=198;t=1`,
    ]);
  });
});

describe("a read that opens thousands of entries", () => {
  const HISTORY = "targets/document/d_1/history?limit=1";
  const left = ({ headers }: { headers: Headers }) => /r=(\d+)/.exec(headers.get("ratelimit") ?? "")?.[1];

  it("counts as several: statistics by actor and the first page of a history, no others", async () => {
    const event = { action: "a.b", actor: { type: "u", id: "1" }, targets: [{ type: "document", id: "d_1" }] };
    for (const id of ["one", "two"]) {
      const sent = await call("POST", `/v1/orgs/${org}/events`, { body: { ...event, id } });
      expect(sent.status, sent.text).toBe(201);
    }
    await untilProjected(org);
    let share = PER_KEY;
    const takes = async (path: string, weight: number) => {
      const answer = await read(path);
      expect(answer.status, answer.text).toBe(200);
      expect(left(answer), path).toBe(String((share -= weight)));
      return answer.json;
    };
    await takes("stats?group_by=actor", HEAVY);
    await takes("stats?group_by=action", 1);
    await takes("events?limit=1", 1);
    const { next_cursor } = await takes(HISTORY, HEAVY);
    await takes(`${HISTORY}&cursor=${next_cursor}`, 1);
  });

  it("is refused when less is left, says so, and leaves what is left to others", async () => {
    const { token } = await viewerToken(org, { key });
    for (let n = 0; n < PER_TOKEN - HEAVY; n++) await read("events/0", token);
    expect((await read("stats?group_by=actor", token)).status).toBe(200);
    vi.setSystemTime(Date.now() + ((HEAVY - 1) * 1_000) / PER_TOKEN);
    const refused = await read(HISTORY, token);
    expect(problemOf(refused, "rate_limited").detail).toContain(`counts as ${HEAVY}`);
    expect([left(refused), refused.headers.get("retry-after")]).toEqual([String(HEAVY - 1), "1"]);
    expect((await read("events/0", token)).status).toBe(200);
    vi.setSystemTime(Date.now() + 1_000);
    expect((await read(HISTORY, token)).status).toBe(200);
  });
});

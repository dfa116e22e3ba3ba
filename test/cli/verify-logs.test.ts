import { expect, it } from "vitest";
import { predecessorText } from "../../src/chain/continuation.ts";
import { makeLog, sha256 } from "../chain/support.ts";
import { plainEvents, publish } from "../verifier/support.ts";
import { logServer } from "./support/log-server.ts";
import { workplace } from "./support/run-cli.ts";
import { filesOf, servedLogs, without } from "./support/served-logs.ts";

const END = (code: number) => ({ ok: true, value: code });

it("verifies every log of an org, each under its own key and from the checkpoint of the one before", async () => {
  const { verify, origin, logs } = await servedLogs();
  const { outcome, out } = await verify();
  expect(outcome, out).toEqual(END(0));
  for (const [n, entries] of [300, 7, 20].entries()) {
    expect(out).toContain(`✓ ${n === 0 ? origin : `${origin}/${n + 1}`}: ${entries} entries as signed`);
    expect(out).toContain(logs[n]?.vkey);
  }
  expect(out).toMatch(new RegExp(`after it +${origin}/2 continues this log: no entry is added here any more`));
  expect(out.replaceAll(/\s+/g, " ")).toContain(
    `continues ${origin}/2: the first entry names its last checkpoint, of 7 entries`,
  );
  expect(out).toContain(`✓ ${origin}: 3 logs, nothing broken`);
  const again = await verify();
  expect(again.outcome).toEqual(END(0));
  expect(again.out.match(/remembered from an earlier run/g)).toHaveLength(3);
});

it("says nothing of several logs where there is one", async () => {
  const { verify, server } = await servedLogs([3]);
  const { outcome, out } = await verify();
  expect(outcome).toEqual(END(0));
  for (const word of ["logs", "continues", "not verified"]) expect(out).not.toContain(word);
  expect(server.requests.map(({ path }) => path)).toContain("2/checkpoint");
  expect(JSON.parse((await verify("--json")).out)).toMatchObject({ ok: true, size: 3, later: [] });
});

it("writes one JSON document: the first log's report, with those of later logs in it", async () => {
  const { verify, origin, serve } = await servedLogs();
  const whole = JSON.parse((await verify("--json")).out);
  expect(whole).toMatchObject({ ok: true, origin, size: 300, breaks: [], key: { how: "first_use" } });
  expect(whole.later).toMatchObject([
    { ok: true, origin: `${origin}/2`, size: 7 },
    { ok: true, origin: `${origin}/3`, size: 20 },
  ]);
  expect(Object.keys(whole.later[0])).toEqual(Object.keys(whole).filter((name) => name !== "later"));
  serve(without(/^3\/tile\/entries/));
  const broken = await verify("--json");
  expect(broken.outcome).toEqual(END(1));
  const report = JSON.parse(broken.out);
  expect(report).toMatchObject({ ok: false, breaks: [], later: [{ ok: true }, { ok: false }] });
});

it("ends as the worst of them does, and names those that are broken or were not checked", async () => {
  const { verify, origin, serve, server } = await servedLogs();
  server.trouble = (request, response) =>
    request.url?.includes("/2/tile/") === true && (response.writeHead(403).end(), true);
  const open = await verify();
  expect(open.outcome).toEqual(END(2));
  expect(open.out).toContain(`• ${origin}: 3 logs, not checked to the end: ${origin}/2`);
  serve(without(/^tile\/entries\/000$/));
  const both = await verify();
  expect(both.outcome).toEqual(END(1));
  expect(both.out).toContain(`✗ ${origin}: 3 logs, broken: ${origin}; not checked to the end: ${origin}/2`);
});

it("finds a log that does not continue the one before as it is served now", async () => {
  const { verify, origin, logs, serve } = await servedLogs([300, 7]);
  const rewritten = publish(makeLog(plainEvents(300), { log: origin, seed: "rewritten" }));
  serve((files) => {
    for (const [path, bytes] of rewritten.files) files.set(path, bytes);
  });
  const { outcome, out } = await verify();
  expect(outcome).toEqual(END(1));
  expect(out).toMatch(/entry 0 +link_broken/);
  const said = `The first leaf does not name the checkpoint of ${origin} at size 300: that is not what this log continues.`;
  expect(out.replaceAll(/\s+/g, " ")).toContain(said);
  expect(out).toContain(`✗ ${origin}: 2 logs, broken: ${origin}/2`);
  expect(logs).toHaveLength(2);
});

it("could not check a log whose tree was lost when it was continued", async () => {
  const { verify, origin, serve } = await servedLogs();
  serve(without(/^tile\//));
  for (const _ of [1, 2]) {
    const { outcome, out } = await verify();
    expect(outcome).toEqual(END(2));
    expect(out).toContain(`• ${origin}: could not be checked to the end`);
    expect(out.replaceAll(/\s+/g, " ")).toContain(
      "tile/0/001.p/44 is not there. Another log continues this one; the top of its tree may be lost",
    );
    expect(out).toContain("nothing was remembered of this log");
    expect(out).toContain(`✓ ${origin}/2: 7 entries`);
  }
  serve(without(/^3\/tile\//));
  expect((await verify()).outcome).toEqual(END(1));
});

it("goes on past a log that never had a checkpoint", async () => {
  const server = await logServer();
  const { origin } = server;
  const predecessor = predecessorText(sha256, { origin, note: null });
  const key = publish(makeLog([], { log: origin })).files.get("log-key") as Uint8Array;
  const second = publish(makeLog(plainEvents(5), { log: `${origin}/2`, predecessor }));
  server.files = filesOf([{ files: new Map([["log-key", key]]) }, second]);
  const { run } = await workplace();
  const { outcome, out } = await run("verify", [server.url]);
  expect(outcome).toEqual(END(2));
  expect(out).toMatch(/has no checkpoint; nothing signed says what its\s+entries were/);
  expect(out).toContain(`✓ ${origin}/2: 5 entries`);
  server.files = new Map([["log-key", key]]);
  expect((await run("verify", [server.url])).outcome).toMatchObject({
    failure: { what: `${server.url} has no checkpoint`, remedy: expect.stringContaining("a minute after") },
  });
});

it("says that the newest log has no checkpoint yet", async () => {
  const { verify, origin, serve } = await servedLogs([300, 7]);
  serve(without(/^2\/(checkpoint|tile)/));
  const { outcome, out } = await verify();
  expect(outcome).toEqual(END(2));
  expect(out).toContain(`✓ ${origin}: 300 entries`);
  expect(out).toMatch(/not checked +\S+\/2 has no checkpoint; the first comes a minute/);
});

it("takes no answer for no log only when it is a 404", async () => {
  const { verify, origin, server } = await servedLogs([3]);
  server.trouble = (request, response) =>
    request.url?.includes("/2/") === true && (response.writeHead(403).end(), true);
  const { outcome, out } = await verify();
  expect(outcome).toEqual(END(2));
  expect(out).toMatch(/not checked +whether there is such a log: it answered 403/);
  expect(out).toContain(`• ${origin}: 2 logs, not checked to the end: ${origin}/2`);
});

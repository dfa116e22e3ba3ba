import { writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { signer } from "../chain/note/support.ts";
import { makeLog } from "../chain/support.ts";
import { noteOf, plainEvents, publish, type Published } from "../verifier/support.ts";
import { writeLog } from "./support/log-server.ts";
import { filesOf, logsOf, servedLogs, without } from "./support/served-logs.ts";

const END = (code: number) => ({ ok: true, value: code });

it("misses a log that was there before", async () => {
  const { verify, origin, logs, serve, path } = await servedLogs();
  writeFileSync(path("third"), noteOf(logs[2] as Published));
  await verify();
  serve(without(/^3\//));
  const unsigned = await verify("--since", "third", "--state", "elsewhere");
  expect(unsigned.outcome).toEqual(END(2));
  expect(unsigned.out).toMatch(/there is no such log, and third is not signed by a key known for it/);
  const third = await verify("--since", "third", "--state", "elsewhere", "--key", (logs[2] as Published).vkey);
  expect(third.outcome).toEqual(END(1));
  expect(third.out).toContain("third says that this log had 20 entries; now there is no such log.");
  serve(without(/^[23]\//));
  const { outcome, out } = await verify();
  expect(outcome).toEqual(END(1));
  expect(out).toMatch(/the log +truncated/);
  const said = "The checkpoint remembered says that this log had 7 entries; now there is no such log.";
  expect(out.replaceAll(/\s+/g, " ")).toContain(said);
  expect(out).toMatch(/log-\S+\.checkpoint\n/);
  expect(out).toContain(`✗ ${origin}: 2 logs, broken: ${origin}/2`);
});

it("holds the log to --since that it is of", async () => {
  const { verify, run, server, logs, path, origin } = await servedLogs();
  const [first, second] = logs as [Published, Published];
  writeFileSync(path("old"), noteOf(publish(second.sealed, { size: 4 })));
  const grown = await verify("--since", "old");
  expect(grown.outcome).toEqual(END(0));
  expect(grown.out.match(/old \(4 entries\): the log only grew/g)).toHaveLength(1);
  const view = publish(makeLog(plainEvents(4), { log: second.log, seed: "other" }));
  writeFileSync(path("other"), noteOf(view));
  const forked = await verify("--since", "other");
  expect(forked.outcome).toEqual(END(1));
  expect(forked.out).toContain(`broken: ${origin}/2`);
  writeFileSync(path("first"), noteOf(first));
  expect((await run("verify", [`${server.url}/2`, "--since", "first"])).outcome).toMatchObject({
    failure: { what: `first is of the log ${origin}, not ${origin}/2`, remedy: "name the address of that log" },
  });
});

it("takes keys of several logs of one org", async () => {
  const { verify, logs } = await servedLogs([300, 7]);
  const [first, second] = logs as [Published, Published];
  const { outcome, out } = await verify("--key", first.vkey, "--key", second.vkey);
  expect(outcome).toEqual(END(0));
  expect(out.match(/given with --key/g)).toHaveLength(2);
  const one = await verify("--key", first.vkey, "--state", "elsewhere");
  expect(one.out).toMatch(/given with --key[^]*taken on trust/);
  const wrong = publish(second.sealed, { by: signer(9) });
  const refused = await verify("--key", first.vkey, "--key", wrong.vkey);
  expect(refused.outcome).toEqual(END(1));
  expect(refused.out).toContain("not signed by the key given with --key");
  expect((await verify("--key", first.vkey, "--key", publish(makeLog([])).vkey)).outcome).toMatchObject({
    failure: { what: "the keys given are of several orgs" },
  });
});

it("takes logs for those of their keys at another address", async () => {
  const { run, server } = await servedLogs([3]);
  const logs = logsOf("audit.example.com/v1/orgs/acme", [30, 7]);
  server.files = filesOf(logs);
  const keys = logs.toReversed().flatMap(({ vkey }) => ["--key", vkey]);
  expect((await run("verify", [server.url, ...keys])).outcome).toEqual(END(0));
  expect((await run("verify", [server.url])).outcome).toMatchObject({ ok: false });
});

it("begins at the log that is named, which is held to the one before", async () => {
  const { run, server, origin, serve } = await servedLogs();
  const verify = (number: number) => run("verify", [`${server.url}/${number}`]);
  const from2 = await verify(2);
  expect(from2.outcome).toEqual(END(0));
  expect(from2.out).toContain(`before it    earlier logs were not looked at: verify ${origin} for all of them`);
  expect(from2.out).toContain(`continues    ${origin}: the first entry names`);
  expect(from2.out).toContain(`✓ ${origin}/2 and after: 2 logs, nothing broken`);
  const from3 = await verify(3);
  expect(from3.out).toContain(`continues    ${origin}/2: the first entry`);
  expect((await verify(4)).outcome).toMatchObject({ ok: false });
  serve(without(/^(checkpoint|log-key)$/));
  const alone = await verify(2);
  expect(alone.outcome).toEqual(END(2));
  expect(alone.out).toMatch(/entry 0: what it continues: the last checkpoint of the log\s+before is not known/);
});

it("finds the logs of a copy in its numbered folders, with their records", async () => {
  const { run, path, logs, origin } = await servedLogs();
  const [first, second] = logs as [Published, Published];
  const body = ({ lines }: Published) => `${lines.join("\n")}\n`;
  writeLog(path("copy"), first, { "a.ndjson": body(first) });
  writeLog(path("copy/2"), second, { "b.ndjson": body(second) });
  const { outcome, out } = await run("verify", ["copy", "--complete", "--key", first.vkey]);
  expect(outcome, out).toEqual(END(0));
  expect(out).toContain(`✓ ${origin}: all 300 entries verified`);
  expect(out).toContain(`✓ ${origin}/2: all 7 entries verified`);
  const later = await run("verify", ["copy/2"]);
  expect(later.outcome).toEqual(END(0));
  expect(later.out).toContain(`continues    ${origin}: the first entry names`);
  // A copy need not have all that was seen before.
  writeLog(path("part"), first);
  expect((await run("verify", ["part"])).outcome).toEqual(END(0));
  writeLog(path("second"), second);
  const apart = await run("verify", ["second"]);
  expect(apart.outcome).toEqual(END(2));
  writeFileSync(path("last"), noteOf(first));
  expect((await run("verify", ["second", "--continues", "last"])).outcome).toEqual(END(0));
});

it("reads the last checkpoint of a log that is continued while it is looked at", async () => {
  const { server, serve, verify, origin, logs } = await servedLogs([300, 7]);
  const older = publish((logs[0] as Published).sealed, { size: 200 });
  let asked = 0;
  server.trouble = (request, response) => {
    if (request.url !== "/v1/orgs/acme/checkpoint" || asked++ > 0) return false;
    response.writeHead(200).end(noteOf(older));
    return true;
  };
  serve(() => {});
  const { outcome, out } = await verify();
  expect(outcome).toEqual(END(0));
  expect(out).toContain(`✓ ${origin}: 300 entries`);
});

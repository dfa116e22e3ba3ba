import { globSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { signCheckpoint } from "../../src/chain/note/sign-note.ts";
import { signer } from "../chain/note/support.ts";
import { makeLog, sha256 } from "../chain/support.ts";
import { noteOf, plainEvents, publish, textFile, withLeaves, leafOf } from "../verifier/support.ts";
import { place } from "./support/log-place.ts";

const END = (code: number) => ({ ok: true, value: code });

it("verifies a log by its address, takes its key on trust and remembers it", async () => {
  const { verify, now, server } = await place();
  const first = await verify();
  expect(first.outcome).toEqual(END(0));
  expect(first.out).toContain(`✓ ${server.origin}: 600 entries as signed, contents not seen`);
  expect(first.out).toContain("taken on trust");
  expect(first.out).toContain(now.vkey);
  expect(first.out).toContain("this checkpoint is remembered");
  const second = await verify();
  expect(second.outcome).toEqual(END(0));
  expect(second.out).toContain("remembered from an earlier run");
  expect(second.out).toMatch(/memory +600 entries, seen on .*: the log only grew since/);
});

it("passes over keys of a type it does not know", async () => {
  const { verify, server, now } = await place(3);
  const other = `${server.origin}+01020304+${Buffer.of(0x06, 1, 2, 3).toString("base64")}`;
  server.files = new Map([...now.files, ["log-key", textFile(`${other}\n${now.vkey}\n`)]]);
  expect((await verify()).outcome).toEqual(END(0));
});

it("takes the org beside the address of a service", async () => {
  const { run, server } = await place(3);
  const service = `http://${server.host}`;
  expect((await run("verify", [service, "--org", "acme"])).outcome).toEqual(END(0));
  expect((await run("verify", [`${service}/v1/orgs`, "--org", "acme"])).outcome).toEqual(END(0));
  expect((await run("verify", [`${server.url}/`, "--org", "acme"])).outcome).toEqual(END(0));
  for (const args of [[service], [server.url, "--org", "initech"], [service, "--org", "a/b"], [`${server.url}?x=1`]]) {
    expect((await run("verify", args)).outcome).toMatchObject({ ok: false });
  }
});

it("tells whether the log only grew since a checkpoint that was kept", async () => {
  const { verify, path, cut, server } = await place();
  writeFileSync(path("old.checkpoint"), noteOf(cut(300)));
  const grown = await verify("--since", "old.checkpoint", "--json");
  expect(grown.outcome).toEqual(END(0));
  expect(JSON.parse(grown.out)).toMatchObject({ ok: true, older: [{ name: "old.checkpoint", size: 300, grew: true }] });
  writeFileSync(path("wrong.checkpoint"), "hello\n");
  const refused = await verify("--since", "wrong.checkpoint");
  expect(refused.outcome).toMatchObject({ ok: false, failure: { what: "wrong.checkpoint is no checkpoint" } });
  writeFileSync(path("other.checkpoint"), noteOf(publish(makeLog(plainEvents(3)))));
  expect((await verify("--since", "other.checkpoint")).outcome).toMatchObject({ ok: false });
  expect((await verify("--since", "none.checkpoint")).outcome).toMatchObject({ ok: false });
  server.files = cut(200).files;
  expect((await verify("--since", "old.checkpoint", "--state", "elsewhere")).out).toMatch(/entries 200–299 +truncated/);
});

it("holds a log to the key given, and to the one remembered", async () => {
  const { verify, server, now } = await place();
  const log = makeLog(plainEvents(600), { log: server.origin });
  const other = publish(log, { by: signer(9) });
  expect((await verify("--key", now.vkey)).outcome).toEqual(END(0));
  const wrong = await verify("--key", other.vkey);
  expect(wrong.outcome).toEqual(END(1));
  expect(wrong.out).toMatch(/bad_signature\n.*not signed by the key given with --key/);
  server.files = other.files;
  const taken = await verify();
  expect(taken.outcome).toEqual(END(1));
  expect(taken.out).toContain("not signed by the key remembered for it");
  const told = await verify("--key", other.vkey);
  expect(told.outcome).toEqual(END(0));
  expect(told.out).toContain("another one was remembered until now");
  expect((await verify()).outcome).toEqual(END(0));
});

it("refuses a checkpoint whose signature is not of its text, or that the log's own key did not sign", async () => {
  const { verify, server, now } = await place();
  const files = new Map(now.files);
  files.set("checkpoint", textFile(noteOf(now).replace("\n600\n", "\n599\n")));
  server.files = files;
  const changed = await verify();
  expect(changed.outcome).toEqual(END(1));
  expect(changed.out).toContain("bad_signature");
  const checkpoint = { origin: server.origin, size: 600, root: now.root };
  files.set("checkpoint", textFile(signCheckpoint(sha256, { checkpoint, signers: [signer(9)] })));
  expect((await verify()).out).toContain("not signed by the key the log serves");
});

it("does not take another log for the one at this address", async () => {
  const { verify, server } = await place();
  server.files = publish(makeLog(plainEvents(3), { log: "evil.example/v1/orgs/acme" })).files;
  const { outcome } = await verify();
  expect(outcome).toMatchObject({
    failure: { what: expect.stringContaining("calls itself evil.example/v1/orgs/acme") },
  });
  const { vkey } = publish(makeLog(plainEvents(3), { log: "evil.example/v1/orgs/acme" }));
  expect((await verify("--key", vkey)).outcome).toEqual(END(0));
});

it("sends an API key only to the service it is for", async () => {
  const { run, server } = await place(3);
  server.apiKey = "ind_secret";
  const foreign = await run("verify", [server.url], {
    env: { INDELIBLE_KEY: "ind_secret", INDELIBLE_URL: "https://mine.example" },
  });
  expect(foreign.outcome).toMatchObject({
    failure: { remedy: expect.stringContaining("INDELIBLE_KEY was not sent there") },
  });
  expect(server.requests.every(({ authorization }) => authorization === undefined)).toBe(true);
  const env = { INDELIBLE_KEY: "ind_secret", INDELIBLE_URL: `http://${server.host}/` };
  expect((await run("verify", [server.url], { env })).outcome).toEqual(END(0));
  expect((await run("verify", [server.url, "--api-key", "ind_secret"])).outcome).toEqual(END(0));
  expect((await run("verify", [server.url, "--api-key", "ind_wrong"])).outcome).toMatchObject({
    failure: { remedy: "use a key with the scope events:read" },
  });
  const broken = await run("verify", [server.url, "--api-key", "ind_sec\nret"]);
  expect(broken.outcome).toMatchObject({ failure: { what: "the API key holds characters no key has" } });
  expect((await run("verify", [server.url, "--key", "ind_secret"])).outcome).toMatchObject({
    failure: { what: "that is an API key, not the key of a log" },
  });
});

it("says what is wrong with what is served instead of a log", async () => {
  const { verify, server, now } = await place(3);
  const cases: [Map<string, Uint8Array>, RegExp][] = [
    [new Map(), /has no checkpoint/],
    [new Map([["checkpoint", textFile("<html>")]]), /is no checkpoint/],
    [new Map([...now.files, ["checkpoint", textFile(`${noteOf(now)}more`)]]), /cannot be read/],
    [new Map([...now.files].filter(([path]) => path !== "log-key")), /no key is known/],
    [new Map([...now.files, ["log-key", textFile("junk\n")]]), /no key is known/],
  ];
  for (const [files, what] of cases) {
    server.files = files;
    expect((await verify()).outcome).toMatchObject({ ok: false, failure: { what: expect.stringMatching(what) } });
  }
  server.trouble = (_, response) => (response.writeHead(302, { location: "https://evil.example/" }).end(), true);
  expect((await verify()).outcome).toMatchObject({
    failure: { what: expect.stringContaining("which is not followed") },
  });
});

it("could not check a log whose tiles do not come, and remembers nothing of it", async () => {
  const { verify, server, now } = await place();
  server.trouble = (request, response) =>
    request.url?.includes("tile/") === true && (response.writeHead(403).end(), true);
  const { outcome, out } = await verify();
  expect(outcome).toEqual(END(2));
  expect(out).toContain("could not be checked to the end");
  server.trouble = () => false;
  expect((await verify()).out).toContain("the first time this log is seen here");
  const gone = new Map(now.files);
  gone.delete("tile/entries/001");
  server.files = gone;
  const missing = await verify();
  expect(missing.outcome).toEqual(END(1));
  expect(missing.out).toMatch(/entries 256–511 +missing/);
});

it("wants every section seen with --complete", async () => {
  const { verify } = await place(3);
  const { outcome, out } = await verify("--complete");
  expect(outcome).toEqual(END(2));
  expect(out).toContain("and --complete asked for them");
  expect(JSON.parse((await verify("--complete", "--json")).out).ok).toBe(false);
});

it("never passes over a memory that it cannot read", async () => {
  const { verify, directory } = await place(3);
  const { out } = await verify("--json");
  expect(JSON.parse(out)).toMatchObject({ ok: true, key: { how: "first_use" } });
  const [memory = ""] = globSync(`${directory}/state/indelible/*.json`);
  writeFileSync(memory, "{}");
  expect((await verify()).outcome).toMatchObject({
    ok: false,
    failure: { what: expect.stringContaining("is damaged") },
  });
});

it("verifies though it cannot remember", async () => {
  const { verify, path } = await place(3);
  writeFileSync(path("file"), "");
  const { outcome, out } = await verify("--state", "file/below");
  expect(outcome).toMatchObject({ ok: true, value: 0 });
  expect(out).toContain("could not be remembered");
});

it("prints nothing that moves the cursor, whatever a log says", async () => {
  const { verify, server, now } = await place(3);
  server.files = withLeaves(now, (index) =>
    index === 1 ? leafOf(now, 1).replace('"log":"127', '"log":"\\u001b[2J\u202e127') : leafOf(now, index),
  );
  const { out } = await verify();
  for (const hidden of ["\u001b", "\u202e"]) expect(out).not.toContain(hidden);
  expect(out).toContain("leaf_changed");
});

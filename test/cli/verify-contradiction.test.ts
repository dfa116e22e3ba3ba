import { readFileSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { signer } from "../chain/note/support.ts";
import { makeLog } from "../chain/support.ts";
import { noteOf, plainEvents, publish, textFile } from "../verifier/support.ts";
import { place } from "./support/log-place.ts";

const END = (code: number) => ({ ok: true, value: code });

it("refuses a rewind by itself, keeps both checkpoints and does not forget the larger one", async () => {
  const { verify, server, cut, now } = await place();
  await verify();
  server.files = cut(300).files;
  for (const _ of [1, 2]) {
    const { outcome, out } = await verify();
    expect(outcome).toEqual(END(1));
    expect(out).toMatch(/entries 300–599 +truncated/);
    expect(out).toContain("Do not rely on this log");
    const [older = "", newer = ""] = out.match(/\S+\.checkpoint/g) ?? [];
    expect(readFileSync(older, "utf8")).toBe(noteOf(now));
    expect(readFileSync(newer, "utf8")).toBe(noteOf(cut(300)));
  }
});

it("finds a rewritten log by what it remembers, at the same size and at a larger one", async () => {
  for (const entries of [600, 900]) {
    const { verify, server } = await place();
    await verify();
    server.files = publish(makeLog(plainEvents(entries), { log: server.origin, seed: "rewritten" })).files;
    const { outcome, out } = await verify();
    expect(outcome).toEqual(END(1));
    expect(out).toMatch(/the log +diverged/);
    expect(out).toContain("the log contradicts it");
  }
});

it("shows two views when two people compare their checkpoints", async () => {
  const { verify, server, path, now } = await place();
  const other = publish(makeLog(plainEvents(600), { log: server.origin, seed: "other view" }));
  writeFileSync(path("theirs.checkpoint"), noteOf(other));
  const { outcome, out } = await verify("--since", "theirs.checkpoint");
  expect(outcome).toEqual(END(1));
  expect(out).toContain("theirs.checkpoint is of the same size, but of another tree: there are two histories.");
  expect(out).toContain("both are signed");
  const files = out.match(/\S+\/log-\S+\.checkpoint/g)?.map((file) => readFileSync(file, "utf8"));
  expect(files).toEqual([noteOf(other), noteOf(now)]);
});

it("blames no log by a checkpoint that its key did not sign", async () => {
  const { verify, server, path, cut } = await place();
  const forged = makeLog(plainEvents(600), { log: server.origin, seed: "forged" });
  writeFileSync(path("theirs.checkpoint"), noteOf(publish(forged, { by: signer(9) })));
  const { outcome, out } = await verify("--since", "theirs.checkpoint");
  expect(outcome).toEqual(END(1));
  const said = out.replaceAll(/\s+/g, " ");
  expect(said).toContain("theirs.checkpoint is not signed by this key, so it proves nothing against the log");
  expect(out).not.toContain("both are signed");
  const text = noteOf(cut(300));
  writeFileSync(path("bare.checkpoint"), text.slice(0, text.indexOf("\n\n") + 1));
  const bare = await verify("--since", "bare.checkpoint");
  expect(bare.outcome).toEqual(END(0));
  expect(bare.out).toMatch(/the log only grew; it is not\s+signed by this key/);
  expect(JSON.parse((await verify("--since", "bare.checkpoint", "--json")).out).since).toEqual({
    name: "bare.checkpoint",
    signed: false,
  });
});

it("does not let what is served later take the place of what was kept as evidence", async () => {
  const { verify, server, cut, now } = await place();
  await verify();
  const kept = [noteOf(now), noteOf(cut(300))];
  server.files = cut(300).files;
  const { evidence } = JSON.parse((await verify("--json")).out);
  const junk = new Map(server.files);
  junk.set("checkpoint", textFile(noteOf(now).replace("\n600\n", "\n599\n")));
  server.files = junk;
  expect((await verify()).outcome).toEqual(END(1));
  expect(evidence.map((file: string) => readFileSync(file, "utf8"))).toEqual(kept);
});

import { expect, it } from "vitest";
import { REPORT_LINE_MAX_CHARACTERS } from "../../src/cli/limits.ts";
import { workplace } from "./support/run-cli.ts";

const report = (more: Record<string, unknown> = {}) => ({
  ok: true,
  checked: 10,
  size: 10,
  breaks: [],
  unvouched: [],
  absent: {},
  pending: 0,
  continue_from: null,
  continue_expect: null,
  ...more,
});
const progress = (checked: number, total: number) => ({ progress: { checked, total, breaks: 0 } });
const VERIFY = ["--org", "acme"];

it("says that a whole log is whole", async () => {
  const { server, run } = await workplace();
  server.verifyAnswers = [{ lines: [progress(5, 10), report()] }];
  const { outcome, out } = await run("verify", VERIFY);
  expect(outcome).toEqual({ ok: true, value: 0 });
  expect(out).toContain("all 10 entries verified, no break");
});

it("goes on where each part says, and sums the parts", async () => {
  const { server, run } = await workplace();
  const broken = { kind: "content_changed", index: 3, section: "metadata", detail: "does not open its commitment" };
  const expected = "x".repeat(43);
  const answers = [
    {
      lines: [
        progress(4, 10),
        report({ checked: 6, absent: { erased: 1 }, pending: 2, continue_from: 4, continue_expect: expected }),
      ],
    },
    {
      lines: [
        report({ ok: false, checked: 4, breaks: [broken], unvouched: [{ from: 0, to: 2 }], absent: { erased: 2 } }),
      ],
    },
  ] as { lines: unknown[]; seen?: string }[];
  server.verifyAnswers = [...answers];
  const { outcome, out } = await run("verify", [...VERIFY, "--json"]);
  expect(outcome).toEqual({ ok: true, value: 1 });
  expect(answers.map((answer) => answer.seen)).toEqual([
    "/v1/orgs/acme/verify",
    `/v1/orgs/acme/verify?to=4&expect=${expected}`,
  ]);
  expect(JSON.parse(out)).toEqual({
    ok: false,
    checked: 10,
    size: 10,
    breaks: [broken],
    unvouched: [{ from: 0, to: 2 }],
    absent: { erased: 3 },
    could_not_check: [],
    stopped_at: null,
    pending: 2,
    later: [],
  });
});

it("checks every log of an org: the newest says which it is", async () => {
  const { server, run } = await workplace();
  const log = "audit.example.com/v1/orgs/acme";
  const of = (number: number, more: Record<string, unknown> = {}) => ({
    lines: [report({ log: number === 1 ? log : `${log}/${number}`, ...more })],
  });
  const answers = [
    of(3, { checked: 4, size: 7, continue_from: 3, continue_expect: "x".repeat(43) }),
    of(3, { checked: 3, size: 7 }),
    of(2),
    of(1, { size: 20, checked: 20 }),
  ] as { lines: unknown[]; seen?: string }[];
  server.verifyAnswers = [...answers];
  const { outcome, out } = await run("verify", VERIFY);
  expect(outcome).toEqual({ ok: true, value: 0 });
  const paths = ["verify", `3/verify?to=3&expect=${"x".repeat(43)}`, "2/verify", "1/verify"];
  expect(answers.map(({ seen }) => seen)).toEqual(paths.map((path) => `/v1/orgs/acme/${path}`));
  expect(out).toMatch(
    /✓ acme: all 20 entries verified, no break\n\n✓ acme\/2: all 10 [^]*✓ acme\/3: all 7 [^]*✓ acme: 3 logs, nothing broken\n/,
  );
  server.verifyAnswers = [...answers];
  const json = JSON.parse((await run("verify", [...VERIFY, "--json"])).out);
  expect(json).toMatchObject({
    ok: true,
    log,
    size: 20,
    later: [{ log: `${log}/2` }, { log: `${log}/3`, checked: 7 }],
  });
});

it("ends as the worst log of an org does, and gives up nothing for one it cannot check", async () => {
  const { server, run } = await workplace();
  const second = report({ log: "audit.example.com/v1/orgs/acme/2" });
  const breaks = [{ kind: "missing", index: 7 }];
  server.verifyAnswers = [{ lines: [second] }, { lines: ["hello"] }];
  const unread = await run("verify", VERIFY);
  expect(unread.outcome).toEqual({ ok: true, value: 2 });
  expect(unread.out).toMatch(/not checked +0 +the service answered with something that is no report/);
  expect(unread.out).toContain("• acme: 2 logs, not checked to the end: acme\n");
  server.verifyAnswers = [{ lines: [{ ...second, ok: false, breaks }] }, { lines: ["hello"] }];
  const broken = await run("verify", VERIFY);
  expect(broken.outcome).toEqual({ ok: true, value: 1 });
  expect(broken.out).toContain("✗ acme: 2 logs, broken: acme/2; not checked to the end: acme\n");
  server.verifyAnswers = [{ lines: [second] }, { lines: [report({ ok: false, breaks })] }];
  expect(JSON.parse((await run("verify", [...VERIFY, "--json"])).out)).toMatchObject({
    ok: false,
    later: [{ ok: true }],
  });
});

it("names each break and what is not vouched for", async () => {
  const { server, run } = await workplace();
  const breaks = [{ kind: "leaf_changed", index: 7, found_at: 8, detail: "its successor names another hash" }];
  server.verifyAnswers = [{ lines: [report({ ok: false, breaks, unvouched: [{ from: 0, to: 6 }] })] }];
  const { out } = await run("verify", VERIFY);
  expect(out).toMatch(/acme: 1 break in 10 entries/);
  expect(out).toMatch(/entry\s+7\s+leaf_changed\s+found at 8 · its successor/);
  expect(out).toMatch(/unvouched\s+0–6/);
});

it("never says that all is verified while something is withheld", async () => {
  const { server, run } = await workplace();
  server.verifyAnswers = [{ lines: [report({ absent: { withheld: 4 } })] }];
  const { out } = await run("verify", VERIFY);
  expect(out).toMatch(/withheld\s+4\s+sections this key may not see: not all is verified/);
  expect(out).not.toContain("all 10");
});

it("waits while another check is running", async () => {
  const { server, run } = await workplace();
  server.verifyAnswers = [{ status: 503, lines: [] }, { lines: [report()] }];
  expect((await run("verify", VERIFY)).outcome).toEqual({ ok: true, value: 0 });
});

it("says that it could not check when the answer breaks off, is no report, or goes in circles", async () => {
  const { server, run } = await workplace();
  const stopped = { error: { code: "internal", detail: "Verification stopped." } };
  const cases: [{ lines: unknown[] }[], RegExp][] = [
    [[{ lines: [progress(5, 10)] }], /broke off after 5 entries/],
    [[{ lines: ["hello"] }], /no report/],
    [[{ lines: [report({ continue_from: 4 })] }, { lines: [report({ continue_from: 4 })] }], /does not get on/],
    [[{ lines: [progress(5, 10), stopped] }], /^Verification stopped$/],
    [[], /there is no org acme/],
  ];
  for (const [answers, what] of cases) {
    server.verifyAnswers = answers;
    expect((await run("verify", VERIFY)).outcome).toMatchObject({
      ok: false,
      failure: { what: expect.stringMatching(what) },
    });
  }
  expect((await run("verify", [...VERIFY, "--url", "http://127.0.0.1:59999"])).outcome).toMatchObject({
    failure: { what: "nothing listens at http://127.0.0.1:59999" },
  });
});

it("does not call a log whole of which something could not be checked", async () => {
  const { server, run } = await workplace();
  // The service itself says of such a log that it is not ok.
  for (const ok of [true, false]) {
    server.verifyAnswers = [{ lines: [report({ ok, could_not_check: [{ index: 4, why: "leaf version 2" }] })] }];
    const { outcome, out } = await run("verify", VERIFY);
    expect(outcome).toEqual({ ok: true, value: 2 });
    expect(out).toMatch(/not checked\s+4\s+leaf version 2/);
    expect(out).toContain("• acme: 10 entries checked, no break found");
  }
});

it("prints what the service says as text, and takes no line without end", async () => {
  const { server, run } = await workplace();
  const hostile = "\u001b[2J\u202e\n";
  const breaks = [{ kind: `k${hostile}`, index: 0, section: `s${hostile}`, detail: `d${hostile}` }];
  const unchecked = [{ index: 1, why: `w${hostile}` }];
  server.verifyAnswers = [
    { lines: [report({ ok: false, breaks, could_not_check: unchecked, absent: { [hostile]: 1 } })] },
  ];
  const { out } = await run("verify", VERIFY);
  for (const hidden of ["\u001b", "\u202e"]) expect(out).not.toContain(hidden);
  for (const name of ["k", "s", "d", "w", ""]) expect(out).toContain(`${name}\\u{1b}[2J\\u{202e}\\u{a}`);
  server.verifyAnswers = [{ lines: [report({ pad: "x".repeat(2 * REPORT_LINE_MAX_CHARACTERS) })] }];
  expect((await run("verify", VERIFY)).outcome).toMatchObject({
    failure: { what: "the service answered with something that is no report" },
  });
});

it("sends why it checks with each part, and refuses what no header can carry", async () => {
  const { server, run } = await workplace();
  const answers = [
    { lines: [report({ checked: 6, continue_from: 4, continue_expect: "x".repeat(43) })] },
    { lines: [report({ checked: 4 })] },
  ] as { lines: unknown[]; reason?: unknown }[];
  server.verifyAnswers = [...answers];
  expect((await run("verify", [...VERIFY, "--reason", "yearly audit"])).outcome).toEqual({ ok: true, value: 0 });
  expect(answers.map(({ reason }) => reason)).toEqual(["yearly audit", "yearly audit"]);
  for (const args of [
    [...VERIFY, "--reason", "größer"],
    ["somewhere", "--reason", "x"],
  ]) {
    const { outcome } = await run("verify", args);
    expect(outcome).toMatchObject({ ok: false, failure: { what: expect.stringContaining("--reason") } });
  }
});

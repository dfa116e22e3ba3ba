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
  server.verifyAnswers = [{ lines: [report({ could_not_check: [{ index: 4, why: "leaf version 2" }] })] }];
  const { outcome, out } = await run("verify", VERIFY);
  expect(outcome).toEqual({ ok: true, value: 2 });
  expect(out).toMatch(/not checked\s+4\s+leaf version 2/);
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

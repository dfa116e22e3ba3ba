import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CSV_HEAD, csvEntry } from "../../src/export/csv.ts";
import { openRow } from "../../src/query/row.ts";
import { HOSTILE } from "../query/random-log.ts";
import { append, batchOf } from "../support/append.ts";
import { untilProjected } from "../support/check-ledger.ts";
import { call, createOrg, event } from "../support/client.ts";
import { readLedger } from "../support/check/read-stores.ts";
import { tableOf } from "./read-csv.ts";
import { fileOf, made } from "./support.ts";

const NAUGHTY = [
  ...HOSTILE,
  ...[
    "=1+1",
    "+1",
    "-1",
    "@sum",
    "\tx",
    "\rx",
    "\nx",
    "'",
    "''",
    "'=1",
    '"',
    '""',
    ",",
    "a,b",
    "a\r\nb",
    'a"b,"c',
    "\r\n",
  ],
  ...[
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://evil","x")',
    "\ufeff",
    "\ufeff=1",
    "｀",
    "＝1",
    "=",
    "-",
    "'-",
    "\u2028",
    "😀",
  ],
  ...["a\ud800b", "\udfff", "=\ud83d", "\ude00\ud83d", "json:", 'json:"x"', "'json:", " json:"],
];

describe("a CSV export", () => {
  it("reads back every naughty string in every place, character for character", async () => {
    const org = await createOrg("csv");
    const party = (text: string) => ({ type: "t", id: text, name: text, email: text, metadata: { [text]: text } });
    const events = NAUGHTY.map((text, n) =>
      event(n, {
        actor: party(text),
        on_behalf_of: party(text),
        targets: [party(text), party("plain")],
        reason: text,
        outcome: { result: "failure", error_code: "e", error_message: text },
        context: { user_agent: text },
        changes: { before: text, after: { [text]: [text] }, fields: [text] },
        metadata: { text, n },
      }),
    );
    await append(org, batchOf(events));
    const table = tableOf(await fileOf(await made(org, { format: "csv", reason: "x", filter: { source: "client" } })));
    expect(table).toHaveLength(NAUGHTY.length);
    for (const [n, text] of NAUGHTY.entries()) {
      const row = table[n] ?? {};
      const free = JSON.stringify({ [text]: text });
      for (const who of ["actor", "on_behalf_of"]) {
        expect([row[`${who}_id`], row[`${who}_name`], row[`${who}_email`]]).toEqual([text, text, text]);
        expect(row[`${who}_metadata`]).toBe(free);
      }
      expect(JSON.parse(row["targets"] ?? "")).toEqual([party(text), party("plain")]);
      expect([row["reason"], row["error_message"]]).toEqual([text, text]);
      expect(JSON.parse(row["context"] ?? "")).toEqual({ user_agent: text });
      expect(row["changes_before"]).toBe(JSON.stringify(text));
      expect(JSON.parse(row["changes_after"] ?? "")).toEqual({ [text]: [text] });
      expect(JSON.parse(row["changes_fields"] ?? "")).toEqual([text]);
      expect(JSON.parse(row["metadata"] ?? "")).toEqual({ text, n });
      expect(row["result"]).toBe("failure");
    }
  });

  it("reads back any text", async () => {
    const org = await createOrg("csv");
    await append(org, batchOf([event(1, { reason: "here" })]));
    await untilProjected(org);
    const { staged, org: held } = await readLedger(org);
    const lines = staged.flatMap((row) => row.lines.split("\n"));
    const index = lines.findIndex((line) => line.includes("here"));
    const row = openRow({ index, line: lines[index] ?? "" }, { log: held.log, personal: true, quarantine: null });
    if (row.kind !== "entry") throw new Error("no entry");
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.string(), (reason, error_message) => {
        const [read] = tableOf(CSV_HEAD + csvEntry({ ...row.entry, note: { reason, error_message } }));
        expect([read?.["reason"], read?.["error_message"]]).toEqual([reason, error_message]);
      }),
    );
  });

  it("leaves empty what is withheld, and says so", async () => {
    const org = await createOrg("csv");
    await append(org, batchOf([event(1, { reason: "secret", context: { ip: "192.0.2.1" } })]));
    const only = { format: "csv", reason: "x", filter: { source: "client" }, sections: ["event", "actor"] };
    const [row] = tableOf(await fileOf(await made(org, only)));
    expect(row).toMatchObject({ reason: "", context: "", metadata: "", actor_id: "u_1", action: "document.share" });
    const absent = JSON.parse(row?.["absent"] ?? "[]").map(({ section, cause }: any) => `${section} ${cause}`);
    expect(absent).toEqual(["context withheld", "metadata withheld", "note withheld"]);
    expect((await call("GET", `/v1/orgs/${org}/exports`)).json.data).toHaveLength(1);
  });
});

import { describe, expect, it } from "vitest";
import { thingState } from "../../src/query/thing-state.ts";
import { entry, THING } from "./thing-entry.ts";

/** Entries of these changes, oldest first, and the state as text. */
function rebuilt(...said: (string | null | [changes: string | null, more: object])[]) {
  const texts = said.map((one, n) => (Array.isArray(one) ? entry(n, ...one) : entry(n, one)));
  const { members, because, ...rest } = thingState(texts, THING);
  const text = members === null ? null : `{${members.map((member) => `${member.nameText}:${member.text}`).join(",")}}`;
  return { ...rest, text, because: because.map(({ reason, first }) => `${reason}@${first?.index ?? "-"}`) };
}

const proven = (text: string | null) => ({ complete: true, exists: text !== null, text, because: [] });

describe("a thing", () => {
  it("is what its creation gave and each change left, member by member, as it was sent", () => {
    expect(
      rebuilt(
        '{"before":null,"after":{"n": 9007199254740993,"p":1.10,"q":{"x":1, "x":2},"gone":true}}',
        '{"before":{"p":1.10},"after":{"p":1.20}}',
        '{"before":{"gone":true},"after":{}}',
        '{"before":{},"after":{"\\u006eew":[1.0]}}',
      ),
    ).toEqual(proven('{"n":9007199254740993,"p":1.20,"q":{"x":1, "x":2},"\\u006eew":[1.0]}'));
  });

  it("is the same from whole snapshots as from parts", () => {
    expect(rebuilt('{"before":null,"after":{"a":1}}', '{"before":{"a":1},"after":{"a":1,"b":2}}')).toEqual(
      proven('{"a":1,"b":2}'),
    );
    expect(rebuilt('{"before":null,"after":{}}', '{"before":{ },"after":{"b":2}}')).toEqual(proven('{"b":2}'));
  });

  it("keeps a member that was sent twice as it was sent, and compares both", () => {
    expect(rebuilt('{"before":null,"after":{"a":1,"a":2}}')).toEqual(proven('{"a":1,"a":2}'));
    expect(rebuilt('{"before":null,"after":{"a":1,"a":2}}', '{"before":{"a":1,"a":2},"after":{"a":3}}')).toEqual(
      proven('{"a":3}'),
    );
    const differ = ['{"before":null,"after":{"a":1,"a":2}}', '{"before":{"a":2},"after":{"a":3}}'];
    expect(rebuilt(...differ).because).toEqual(["contradicts@1"]);
    expect(rebuilt('{"before":null,"after":{"a":1}}', '{"before":{"a":1,"a":2},"after":{}}').because).toEqual([
      "contradicts@1",
    ]);
  });

  it("is gone after an entry that says so, and may come to be again", () => {
    expect(rebuilt('{"before":null,"after":{"a":1}}', '{"before":{"a":1},"after":null}')).toEqual(proven(null));
    expect(
      rebuilt('{"before":null,"after":{"a":1}}', '{"before":{"a":1},"after":null}', '{"before":null,"after":{"b":2}}'),
    ).toEqual(proven('{"b":2}'));
  });

  it("takes white space between tokens for nothing, and fields that are given by before and after", () => {
    expect(
      rebuilt(
        '{"before":null,"after":{"a":[1, {"b" : 2}]}}',
        '{"before":{"a":[1,{"b":2}]},"after":{"a":0},"fields":["a","a.1.b","/a/0"]}',
      ),
    ).toEqual(proven('{"a":0}'));
  });

  it("is not changed by what was denied, nor by entries that only name it beside another", () => {
    const second = { targets: [{ type: "folder", id: "f" }, THING] };
    expect(
      rebuilt(
        '{"before":null,"after":{"a":1}}',
        ['{"before":{"a":1},"after":{"a":2}}', { result: "denied" }],
        [null, { result: "denied", absent: ["changes"] }],
        ['{"before":{"a":7},"after":{"a":8}}', { ...second, result: "denied" }],
        [null, second],
        [null, { targets: [{ type: "doc", id: "d_2" }, THING] }],
        [null, { targets: [{ type: "page", id: "d_1" }, THING] }],
        [null, { result: "failure" }],
      ),
    ).toEqual(proven('{"a":1}'));
  });
});

describe("a state is not proven when", () => {
  const CREATE = '{"before":null,"after":{"a":1,"b":2}}';
  const UPDATE = '{"before":{"a":1},"after":{"a":2}}';
  const SECOND = { targets: [{ type: "doc", id: "x" }, THING] };
  it.each<[string, Parameters<typeof rebuilt>, string[], string | null]>([
    ["there is no entry", [], ["no_beginning@-"], null],
    ["only others are changed", [[CREATE, SECOND]], ["other_target@0", "no_beginning@-"], null],
    ["no entry gives the whole thing", [UPDATE], ["no_beginning@0"], '{"a":2}'],
    ["it is deleted and never came to be", ['{"before":{"a":1},"after":null}'], ["no_beginning@0"], null],
    ["an entry says nothing of changes", [CREATE, null, UPDATE], ["no_changes@1"], '{"a":2,"b":2}'],
    ["changes are withheld", [CREATE, [null, { absent: ["changes"] }]], ["absent@1"], '{"a":1,"b":2}'],
    [
      "changes of the creation are erased",
      [[null, { absent: ["changes"] }], UPDATE],
      ["absent@0", "no_beginning@1"],
      '{"a":2}',
    ],
    ["before differs", [CREATE, '{"before":{"a":9},"after":{"a":2}}'], ["contradicts@1"], '{"a":2,"b":2}'],
    [
      "before is another spelling",
      ['{"before":null,"after":{"a":1.0}}', '{"before":{"a":1.00},"after":{"a":2}}'],
      ["contradicts@1"],
      '{"a":2}',
    ],
    [
      "before has a member that was not there",
      [CREATE, '{"before":{"c":0},"after":{"c":1}}'],
      ["contradicts@1"],
      '{"a":1,"b":2,"c":1}',
    ],
    [
      "a member comes to be that was there",
      [CREATE, '{"before":{},"after":{"a":2}}'],
      ["contradicts@1"],
      '{"a":2,"b":2}',
    ],
    [
      "it changes after it was deleted",
      [CREATE, '{"before":{"a":1},"after":null}', UPDATE],
      ["contradicts@2"],
      '{"a":2}',
    ],
    [
      "it changes from nothing after it was deleted",
      [CREATE, '{"before":{"a":1},"after":null}', '{"before":{},"after":{"c":1}}'],
      ["contradicts@2"],
      '{"c":1}',
    ],
    [
      "it is deleted twice",
      [CREATE, '{"before":{"a":1},"after":null}', '{"before":{"a":1},"after":null}'],
      ["contradicts@2"],
      null,
    ],
    ["an after stands alone while it is there", [CREATE, '{"after":{"a":2}}'], ["no_before@1"], '{"a":2,"b":2}'],
    ["its first entry does not say that nothing was before", ['{"after":{"a":1}}'], ["no_before@0"], '{"a":1}'],
    [
      "a part of it is set first",
      ['{"after":{"enabled":false},"fields":["enabled"]}', '{"before":{"enabled":false},"after":{"enabled":true}}'],
      ["no_before@0"],
      '{"enabled":true}',
    ],
    [
      "a part of it is set first, from null",
      ['{"before":null,"after":{"a":1},"fields":["a"]}'],
      ["no_before@0"],
      '{"a":1}',
    ],
    [
      "it comes to be again and no entry says from nothing",
      [CREATE, '{"before":{"a":1},"after":null}', '{"after":{"b":2}}'],
      ["no_before@2"],
      '{"b":2}',
    ],
    ["it comes to be while it is there", [CREATE, '{"before":null,"after":{"c":1}}'], ["contradicts@1"], '{"c":1}'],
    ["its end does not say that nothing came after", [CREATE, '{"before":{"a":1}}'], ["no_after@1"], null],
    [
      "a part of it is said to be gone",
      [CREATE, '{"before":{"a":1},"after":null,"fields":["a"]}'],
      ["no_after@1"],
      '{"b":2}',
    ],
    ["another was changed with it", [CREATE, [UPDATE, SECOND]], ["other_target@1"], '{"a":1,"b":2}'],
    [
      "another was changed with it, and how is withheld",
      [CREATE, [null, { ...SECOND, absent: ["changes"] }]],
      ["other_target@1"],
      '{"a":1,"b":2}',
    ],
    [
      "a change of another with it failed",
      [CREATE, [UPDATE, { ...SECOND, result: "failure" }]],
      ["failed@1"],
      '{"a":1,"b":2}',
    ],
    ["only fields are named", [CREATE, '{"fields":["a"]}'], ["no_values@1"], '{"b":2}'],
    [
      "a field is named without its value",
      [CREATE, '{"before":{"b":2},"after":{"b":3},"fields":["a","b"]}'],
      ["no_values@1"],
      '{"b":3}',
    ],
    ["changes are empty", [CREATE, "{}"], ["no_values@1"], '{"a":1,"b":2}'],
    ["it is no object", ['{"before":null,"after":"text"}'], ["not_members@0", "no_beginning@-"], null],
    ["it becomes a list", [CREATE, '{"before":{"a":1},"after":[1]}'], ["not_members@1"], '{"a":1,"b":2}'],
    ["a change failed", [CREATE, [UPDATE, { result: "failure" }]], ["failed@1"], '{"a":1,"b":2}'],
    [
      "a failed change is withheld",
      [CREATE, [null, { result: "failure", absent: ["changes"] }]],
      ["failed@1"],
      '{"a":1,"b":2}',
    ],
    ["an entry names no target", [CREATE, [UPDATE, { targets: undefined }]], [], '{"a":2,"b":2}'],
    ["an entry's targets are hidden", [CREATE, [null, { targets: null }]], ["unreadable@1"], '{"a":1,"b":2}'],
  ])("%s", (name, said, because, text) => {
    const state = rebuilt(...said);
    // `undefined` targets stand for the thing itself: a positive among the negatives.
    expect(state.complete).toBe(name === "an entry names no target");
    expect([state.because, state.text]).toEqual([because, text]);
  });

  it.each(["too_long", "restricted", "quarantine", "continued"] as const)("the history as a whole is %s", (reason) => {
    const state = thingState([entry(0, CREATE)], THING, [reason]);
    expect(state).toMatchObject({ complete: false, because: [{ reason, count: 1, first: null }] });
  });

  it("several reasons hold: each is counted, with the first entry that gave it", () => {
    const texts = [CREATE, null, '{"after":{"a":2}}', null].map((changes, n) => entry(n, changes));
    expect(thingState(texts, THING).because).toEqual([
      { reason: "no_changes", count: 2, first: { log: "log.test/1", index: 1 } },
      { reason: "no_before", count: 1, first: { log: "log.test/1", index: 2 } },
    ]);
  });
});

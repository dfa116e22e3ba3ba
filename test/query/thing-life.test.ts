import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { thingState } from "../../src/query/thing-state.ts";
import { entry, THING } from "./thing-entry.ts";

describe("a random life", () => {
  const value = fc.jsonValue().map((json) => JSON.stringify(json));
  const snapshot = fc.dictionary(fc.constantFrom("a", "b", "__proto__", "c d", "é"), value, { noNullPrototype: false });
  const textOf = (members: Record<string, string>) =>
    `{${Object.entries(members)
      .map(([name, text]) => `${JSON.stringify(name)}: ${text}`)
      .join(", ")}}`;

  it("is proven when told in full, and not when an entry is left out whose changes a later one speaks of", () => {
    fc.assert(
      fc.property(fc.array(snapshot, { minLength: 2, maxLength: 8 }), fc.nat(), (life, which) => {
        const texts = life.map((after, n) => {
          const before = n === 0 ? "null" : textOf(life[n - 1] as Record<string, string>);
          return entry(n, `{"before":${before},"after":${textOf(after)}}`);
        });
        const state = thingState(texts, THING);
        expect([state.complete, state.because]).toEqual([true, []]);
        const last = life.at(-1) as Record<string, string>;
        const found = (state.members ?? []).map(({ name, text }) => [name, text] as const);
        expect(new Map(found)).toEqual(new Map(Object.entries(last)));
        expect(found).toHaveLength(Object.keys(last).length);
        const gap = which % (life.length - 1);
        const kept = texts.filter((_, n) => n !== gap);
        // What the entry after the gap says was before shows it, where it speaks of what the missing one changed.
        const [left = {}, missed = {}, right = {}] = [life[gap - 1], life[gap], life[gap + 1]];
        const shows = Object.entries(missed).some(([name, text]) => !Object.hasOwn(left, name) || left[name] !== text);
        const sprung = Object.keys(right).some((name) => Object.hasOwn(left, name) && !Object.hasOwn(missed, name));
        if (gap === 0 || shows || sprung) expect(thingState(kept, THING).complete).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});

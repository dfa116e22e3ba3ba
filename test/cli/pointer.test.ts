import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { epochTime } from "../../src/cli/import/epoch-time.ts";
import { parsePointer, valueAt } from "../../src/cli/import/pointer.ts";
import { sourceAt } from "../../src/cli/import/source-at.ts";

describe("reading by pointer", () => {
  it("finds the source of what the parser finds, in any record", () => {
    const names = fc.constantFrom("a", "b", "a/b", "~", 'q"\\', "ü", "__proto__", "0");
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.string(),
        fc.constant(null),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(names, tie("value"), { maxKeys: 4 }),
      ),
    }));
    const steps = fc.array(fc.oneof(names, fc.constantFrom("0", "1", "2")), { maxLength: 3 });
    fc.assert(
      fc.property(value, steps, fc.constantFrom(0, 1), (root, path, space) => {
        const text = ` ${JSON.stringify(root, null, space)}\n`;
        const found = valueAt(JSON.parse(text), path);
        const source = sourceAt(text, path);
        if (found === undefined) expect(source).toBeUndefined();
        else expect(JSON.parse(source as string)).toEqual(found);
      }),
      { numRuns: 500 },
    );
  });

  it("takes the last of repeated members, and names with escapes", () => {
    expect(sourceAt('{"a":1,"a":2.0}', ["a"])).toBe("2.0");
    expect(sourceAt('{"\\u0061":{"b":[0,"}"]}}', ["a", "b", "1"])).toBe('"}"');
  });

  it("knows a pointer from other text", () => {
    expect(parsePointer("")).toEqual([]);
    expect(parsePointer("/a~1b/~0/")).toEqual(["a/b", "~", ""]);
    expect(parsePointer("a")).toBeNull();
    expect(parsePointer("/~2")).toBeNull();
  });
});

it("tells seconds from milliseconds and refuses what is finer", () => {
  expect(epochTime("1674844088")).toEqual({ ok: true, text: "2023-01-27T18:28:08Z" });
  expect(epochTime("1674844088.5")).toEqual({ ok: true, text: "2023-01-27T18:28:08.5Z" });
  expect(epochTime("1674844088129")).toEqual({ ok: true, text: "2023-01-27T18:28:08.129Z" });
  expect(epochTime("1.674844088E9")).toEqual({ ok: true, text: "2023-01-27T18:28:08Z" });
  for (const bad of ["1674844088129781", "-5", "noon", "NaN", "1e400"]) expect(epochTime(bad).ok).toBe(false);
});

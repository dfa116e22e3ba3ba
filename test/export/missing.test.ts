import { describe, expect, it } from "vitest";
import { firstMissing, missingByOrigin, NONE_MISSING, withMissing } from "../../src/export/missing.ts";
import { EXPORT_MISSING_MAX_RUNS } from "../../src/limits.ts";

describe("what an export is missing", () => {
  it("is named in runs that do not touch, each of one log", () => {
    const runs = [
      { log: 1, first: 0, last: 3 },
      { log: 1, first: 4, last: 4 },
      { log: 1, first: 6, last: 6 },
      { log: 2, first: 7, last: 9 },
    ];
    const missing = runs.reduce(withMissing, NONE_MISSING);
    expect(missing).toEqual({ entries: 9, runs: [{ log: 1, first: 0, last: 4 }, ...runs.slice(2)], more: false });
    const log = { checkpoint: null, size: 10, first: null, last: null, rows: 0 };
    const origins = [
      { ...log, number: 1, log: "a" },
      { ...log, number: 2, log: "a/2" },
    ];
    expect(missingByOrigin(missing, origins).runs.map((run) => run.log)).toEqual(["a", "a", "a/2"]);
    expect(firstMissing(missing, 3)).toEqual(missing);
    expect(firstMissing(missing, 2)).toEqual({ entries: 9, runs: missing.runs.slice(0, 2), more: true });
  });

  it("is counted to the last entry when it is too much to be named", () => {
    let missing = NONE_MISSING;
    const add = (first: number, last = first) => (missing = withMissing(missing, { log: 1, first, last }));
    for (let n = 0; n < EXPORT_MISSING_MAX_RUNS; n++) add(2 * n);
    expect(missing).toMatchObject({ entries: EXPORT_MISSING_MAX_RUNS, more: false });
    const last = missing.runs.at(-1)?.last ?? 0;
    // What touches the last run is still named.
    add(last + 1, last + 2);
    expect(missing).toMatchObject({ entries: EXPORT_MISSING_MAX_RUNS + 2, more: false });
    add(last + 5);
    add(last + 6);
    expect(missing).toMatchObject({ entries: EXPORT_MISSING_MAX_RUNS + 4, more: true });
    expect(missing.runs).toHaveLength(EXPORT_MISSING_MAX_RUNS);
    expect(missing.runs.at(-1)).toEqual({ log: 1, first: last, last: last + 2 });
  });
});

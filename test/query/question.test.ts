import { expect, it } from "vitest";
import { QUESTION_MAX_VALUES } from "../../src/limits.ts";
import { parseListQuery } from "../../src/query/query.ts";

/** So many actors, actions and words, in all. */
function asked({ actors, excluded, words }: { actors: number; excluded: number; words: number }) {
  const params = new URLSearchParams();
  for (let n = 0; n < actors; n++) params.append("actor", `u_${n}`);
  for (let n = 0; n < excluded; n++) params.append("-action", `a.b${n}`);
  if (words > 0) params.set("q", `"${Array.from({ length: words }, (_, n) => `w${n}`).join(" ")}"`);
  return parseListQuery(params);
}

it("takes as many values and words as a statement reads in time, wherever they stand, and no more", () => {
  const most = { actors: 15, excluded: 15, words: QUESTION_MAX_VALUES - 30 };
  expect(asked(most).ok).toBe(true);
  for (const more of [{ actors: 16 }, { excluded: 16 }, { words: most.words + 1 }]) {
    expect(asked({ ...most, ...more })).toMatchObject({
      ok: false,
      refusal: { code: "invalid_request", errors: [{ pointer: "", message: expect.stringContaining("at most 40") }] },
    });
  }
});

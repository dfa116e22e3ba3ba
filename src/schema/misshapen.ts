import type * as z from "zod";
import { type MemberError, refuse } from "../errors.ts";

/** How a value that is not of its shape is refused: every bad member is named by its RFC 6901 pointer. */
export function misshapen(error: z.ZodError, whole: string) {
  const errors = error.issues.flatMap((issue): MemberError[] => {
    const at = pointerOf(issue.path);
    if (issue.code !== "unrecognized_keys") return [{ pointer: at, message: issue.message }];
    return issue.keys.map((name) => ({ pointer: at + pointerOf([name]), message: "is not a member of this" }));
  });
  const [first] = errors;
  return refuse("invalid_request", `${first?.pointer === "" ? whole : first?.pointer}: ${first?.message}.`, { errors });
}

function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

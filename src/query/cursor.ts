import * as z from "zod";
import { ok, refuse, type Result } from "../errors.ts";

/** Where a walk stands. Opaque to clients, versioned, and of no use in another org or for another question. */
const cursorSchema = z.strictObject({
  v: z.literal(1),
  org: z.string(),
  /** `printOf` the question. */
  question: z.string(),
  /** The number of the log it stands in. */
  log: z.int().min(1).default(1),
  /** The next index in the order asked for comes after this one. */
  reached: z.int().min(0),
  /** The entry that opened the read session of this walk. */
  read: z.int().min(0).nullable(),
});
export type Cursor = z.infer<typeof cursorSchema>;

export function encodeCursor(cursor: Cursor): string {
  return Buffer.from(JSON.stringify(cursor)).toString("base64url");
}

export function decodeCursor(text: string, { org, question }: { org: string; question: string }): Result<Cursor> {
  const errors = [{ pointer: "/cursor", message: "is not a cursor of this list: begin again without it" }];
  const refused = refuse("invalid_request", "The cursor is not one of this list. Begin again without it.", { errors });
  if (!/^[A-Za-z0-9_-]{1,1000}$/.test(text)) return refused;
  try {
    const cursor = cursorSchema.parse(JSON.parse(Buffer.from(text, "base64url").toString("utf8")));
    return cursor.org === org && cursor.question === question ? ok(cursor) : refused;
  } catch {
    return refused;
  }
}

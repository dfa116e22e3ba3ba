import { readFileSync } from "node:fs";

/** A CloudTrail record. */
export const trail = (n: number, more: Record<string, unknown> = {}) => ({
  eventVersion: "1.08",
  eventSource: "s3.amazonaws.com",
  eventName: "PutObject",
  eventTime: "2026-11-21T17:59:58Z",
  eventID: `e-${n}`,
  userIdentity: { type: "IAMUser", arn: "arn:aws:iam::1:user/jane", userName: "jane" },
  readOnly: false,
  ...more,
});
export const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => JSON.stringify(trail(from + n))).join("\n") + "\n";

export type Reject = { file: string; number: number; line: number; offset: number; reason: string; record: string };

/** The lines of a rejects file. */
export function rejectsOf(path: string): Reject[] {
  const lines = readFileSync(path, "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line) as Reject);
}

/** Options every import of these records has. */
export const CLOUDTRAIL = ["--org", "acme", "--preset", "cloudtrail"];

import { timingSafeEqual } from "node:crypto";

/** Compares in constant time for texts of one length; the length is not a secret. */
export function equal(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

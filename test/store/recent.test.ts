import { describe, expect, it } from "vitest";
import { Recent } from "../../src/store/recent.ts";

describe("values used of late", () => {
  it("are known, and never more of them than there is room for", () => {
    const recent = new Recent<number>(10);
    for (let n = 0; n < 100; n++) {
      recent.set(String(n), n);
      expect(recent.size).toBeLessThanOrEqual(10);
      expect(recent.get(String(n))).toBe(n);
    }
  });

  it("stay as long as they are asked for", () => {
    const recent = new Recent<number>(10);
    recent.set("kept", 1);
    for (let n = 0; n < 100; n++) {
      recent.set(String(n), n);
      if (n % 3 === 0) expect(recent.get("kept")).toBe(1);
    }
    expect(recent.get("0")).toBeUndefined();
  });
});

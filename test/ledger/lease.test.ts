import { describe, expect, it } from "vitest";
import { LEASE_CLAIM_MS, VERIFY_LEASE_MS } from "../../src/limits.ts";
import { Lease } from "../../src/ledger/lease.ts";

function leaseAt() {
  const clock = { now: 1_000_000 };
  return { clock, lease: new Lease(() => clock.now) };
}

describe("the lease of an org", () => {
  it("is of one at a time, and free again when its holder lets go or is silent", () => {
    const { clock, lease } = leaseAt();
    expect(lease.ask("one", "take").ok).toBe(true);
    expect(lease.ask("two", "take")).toMatchObject({ refusal: { code: "rate_limited", retry_after_s: 30 } });
    lease.ask("two", "release");
    expect(lease.ask("two", "take").ok).toBe(false);
    lease.ask("one", "release");
    expect(lease.ask("two", "take").ok).toBe(true);
    clock.now += VERIFY_LEASE_MS;
    expect(lease.ask("three", "take").ok).toBe(true);
    expect(lease.ask("two", "renew").ok).toBe(false);
    expect(lease.ask("three", "renew").ok).toBe(true);
  });

  it("is a removal's as soon as it runs out, though others ask all the time and its holder goes on", () => {
    const { clock, lease } = leaseAt();
    expect(lease.ask("slow", "take").ok).toBe(true);
    let waited = 0;
    for (let n = 0; !lease.ask(`step ${n}`, "claim").ok; n++) {
      for (const holder of ["slow", `loop ${n}`]) expect(lease.ask(holder, "take").ok).toBe(false);
      clock.now += 2_000;
      waited += 2_000;
      expect(waited).toBeLessThanOrEqual(VERIFY_LEASE_MS);
    }
    expect(lease.ask("loop", "take").ok).toBe(false);
  });

  it("does not wait for a removal that asks no more, and a repair under way finishes", () => {
    const { clock, lease } = leaseAt();
    expect(lease.ask("repair", "take").ok).toBe(true);
    expect(lease.ask("step", "claim").ok).toBe(false);
    expect(lease.ask("repair", "renew").ok).toBe(true);
    lease.ask("repair", "release");
    expect(lease.ask("other", "take")).toMatchObject({ refusal: { retry_after_s: LEASE_CLAIM_MS / 1_000 } });
    clock.now += LEASE_CLAIM_MS;
    expect(lease.ask("other", "take").ok).toBe(true);
  });
});

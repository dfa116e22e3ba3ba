import { expect, it } from "vitest";
import { originOfLog, placeInOrg } from "../../src/chain/continuation.ts";
import { ORG_MAX_LOGS } from "../../src/limits.ts";
import { orgSchema } from "../../src/schema/names.ts";

it("tells each log of an org by its origin", () => {
  for (let number = 1; number <= ORG_MAX_LOGS; number++) {
    const origin = originOfLog("audit.example.com/v1/orgs/acme", number);
    expect(placeInOrg(origin)).toEqual({ first: "audit.example.com/v1/orgs/acme", number });
    expect(orgSchema.safeParse(String(number)).success).toBe(false);
  }
});

it("takes no org for the log of another", () => {
  for (const end of ["100", "222", "0ab", "2x", "0", "1", "02", "-2", ""]) {
    const origin = `audit.example.com/v1/orgs/${end}`;
    expect(placeInOrg(origin)).toEqual({ first: origin, number: 1 });
  }
});

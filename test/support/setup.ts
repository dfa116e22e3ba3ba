import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, beforeEach, vi } from "vitest";
import { hear } from "./hear.ts";

const { directory, cell } = env.TEST_MIGRATIONS;
await applyD1Migrations(env.DIRECTORY, directory);
await applyD1Migrations(env.CELL_0, cell);
await applyD1Migrations(env.CELL_1, cell);

beforeEach(hear);

// The files after this one in the same workerd have the time it is, however this one ends.
afterAll(() => {
  vi.useRealTimers();
});

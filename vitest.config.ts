import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** Secrets of the tests alone. */
const SECRETS = {
  ROOT_KEY: "ind_root_test-test-test-test-test-test-test-test",
  KEY_PEPPER: "pepper-of-the-tests-pepper-of-the-tests-0000",
  INDEX_KEY: "index-key-of-the-tests-index-key-of-the-tests",
  LOG_SIGNING_KEY: "c2lnbmluZy1rZXktb2YtdGhlLXRlc3RzLS0tLS0tLS0=",
};

/**
 * Three workerds beside one another, each with bindings and storage of its own. Tests wait for alarms, disks and bounds
 * of time more than they compute: on two cores three take half as long as one, and no core idles.
 */
const maxWorkers = 3;

/** Entries of the journey of keeping; KEEPING_ENTRIES=100000 takes it through a log of an org's usual size. */
const KEEPING_ENTRIES = process.env["KEEPING_ENTRIES"] ?? "2400";

const WHOLE_CELLS = [
  "test/keep/{tiers,tiers-faults,tiers-readers,sweep-cells}.test.ts",
  "test/store/cold-slots.test.ts",
  "test/journeys/keeping.test.ts",
];

type Migrations = Record<"directory" | "cell", Awaited<ReturnType<typeof readD1Migrations>>>;
type Files = { name: string; include: string[]; exclude?: string[]; isolate: boolean };

/** A project whose files run in workerd with the bindings of wrangler.toml. */
function atTheEdge(migrations: Migrations, files: Files) {
  return {
    plugins: [
      cloudflareTest({
        wrangler: { configPath: "./wrangler.toml" },
        miniflare: {
          compatibilityFlags: ["service_binding_extra_handlers"],
          // A test that wants them asks for them: each has an eye on its own orgs alone.
          bindings: { ...SECRETS, PLACE_CHECKS: "off", KEEPING_ENTRIES, TEST_MIGRATIONS: migrations },
        },
      }),
    ],
    test: {
      ...files,
      setupFiles: ["./test/support/setup.ts"],
      // The setup keeps what is said: an object that sends it to Vitest as its last act keeps a file from ever ending.
      disableConsoleIntercept: true,
      maxWorkers,
      testTimeout: 60_000,
      // What follows by itself is asked for often, and given up late: on a busy machine a second is little.
      expect: { poll: { interval: 20, timeout: 20_000 } },
      deps: {
        optimizer: {
          ssr: {
            enabled: true,
            include: [
              "zod",
              "hono",
              "hono/route",
              "drizzle-orm",
              "drizzle-orm/d1",
              "drizzle-orm/sqlite-core",
              "fast-check",
            ],
          },
        },
      },
    },
  };
}

export default defineConfig(async () => {
  const migrations = {
    directory: await readD1Migrations("migrations/directory"),
    cell: await readD1Migrations("migrations/cell"),
  };
  return {
    test: {
      // What the service logs is telemetry; of a test that passes nobody needs it.
      silent: "passed-only" as const,
      projects: [
        // Code that knows no platform, and commands, in Node.
        {
          test: {
            name: "node",
            include: ["test/{chain,cli,docs,verifier}/**/*.test.ts"],
            maxWorkers,
            testTimeout: 60_000,
          },
        },
        // Everything that runs at the edge, in workerd with real bindings: many files, one after another, for each makes its own orgs.
        atTheEdge(migrations, {
          name: "workers",
          include: [
            "test/{archive,auth,ingest,ledger,store,query,verify,policy,http,rpc,watch,jobs,export,keep,journeys}/**/*.test.ts",
          ],
          exclude: WHOLE_CELLS,
          isolate: false,
        }),
        // Files that look at all that lies in a cell: nobody else's orgs may.
        atTheEdge(migrations, { name: "cells", include: WHOLE_CELLS, isolate: true }),
        // Several Workers, as they are deployed: what is built, bound and called from outside.
        {
          test: {
            name: "deployed",
            include: ["test/deployed/**/*.test.ts"],
            maxWorkers,
            testTimeout: 120_000,
            hookTimeout: 120_000,
          },
        },
      ],
    },
  };
});

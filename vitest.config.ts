import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** Secrets of the tests alone. */
const SECRETS = {
  ROOT_KEY: "ind_root_test-test-test-test-test-test-test-test",
  KEY_PEPPER: "pepper-of-the-tests-pepper-of-the-tests-0000",
  INDEX_KEY: "index-key-of-the-tests-index-key-of-the-tests",
  LOG_SIGNING_KEY: "c2lnbmluZy1rZXktb2YtdGhlLXRlc3RzLS0tLS0tLS0=",
};

export default defineConfig(async () => {
  const directory = await readD1Migrations("migrations/directory");
  const cell = await readD1Migrations("migrations/cell");
  return {
    test: {
      // What the service logs is telemetry; of a test that passes nobody needs it.
      silent: "passed-only" as const,
      projects: [
        // Code that knows no platform, and commands, in Node.
        { test: { name: "node", include: ["test/{chain,cli,docs,verifier}/**/*.test.ts"], testTimeout: 60_000 } },
        // Everything that runs at the edge, in workerd with real bindings.
        {
          plugins: [
            cloudflareTest({
              wrangler: { configPath: "./wrangler.toml" },
              miniflare: {
                compatibilityFlags: ["service_binding_extra_handlers"],
                // A test that wants them asks for them: each has an eye on its own orgs alone.
                bindings: { ...SECRETS, PLACE_CHECKS: "off", TEST_MIGRATIONS: { directory, cell } },
              },
            }),
          ],
          test: {
            name: "workers",
            include: [
              "test/{archive,auth,ingest,ledger,store,query,verify,policy,http,rpc,watch,jobs,export,keep,journeys}/**/*.test.ts",
            ],
            setupFiles: ["./test/support/setup.ts"],
            // One workerd for all files: each test makes its own org.
            isolate: false,
            testTimeout: 60_000,
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
        },
        // Several Workers, as they are deployed: what is built, bound and called from outside.
        {
          test: {
            name: "deployed",
            include: ["test/deployed/**/*.test.ts"],
            testTimeout: 120_000,
            hookTimeout: 120_000,
          },
        },
      ],
    },
  };
});

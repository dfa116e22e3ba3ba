import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTestHarness } from "wrangler";

process.env["CLOUDFLARE_CF_FETCH_ENABLED"] = "false";
process.env["WRANGLER_REGISTRY_PATH"] = mkdtempSync(join(tmpdir(), "indelible-registry-"));

export const ROOT_KEY = "ind_root_test-test-test-test-test-test-test-test";
export const SIGNING_KEY = Buffer.alloc(32, 7);

type Bindings = { CELL_0: D1Database; CELL_1: D1Database; ARCHIVE: R2Bucket };

/** The service as it is deployed, built and called from outside; a file of tests has one of its own. */
export class Deployed {
  readonly server: ReturnType<typeof createTestHarness>;
  url = new URL("http://127.0.0.1");

  /** `callers`: configurations of other Workers, the first of which answers requests. */
  constructor({ callers = [], vars = {} }: { callers?: string[]; vars?: Record<string, string> } = {}) {
    const secrets = { ROOT_KEY, KEY_PEPPER: "p".repeat(40), INDEX_KEY: "i".repeat(40) };
    const all = { ...secrets, LOG_SIGNING_KEY: SIGNING_KEY.toString("base64"), ...vars };
    const service = { configPath: "./wrangler.toml", vars: all };
    this.server = createTestHarness({ workers: [...callers.map((configPath) => ({ configPath })), service] });
  }

  async start(): Promise<void> {
    ({ url: this.url } = await this.server.listen());
    for (const cell of ["DIRECTORY", "CELL_0", "CELL_1"]) await this.audit().applyD1Migrations(cell as never);
  }

  async stop(): Promise<void> {
    await this.server.close();
  }

  audit() {
    return this.server.getWorker<Bindings>("indelible");
  }

  /** A request to the service, as a client's. */
  async call(method: string, path: string, body?: unknown): Promise<{ status: number; text: string }> {
    const headers = { authorization: `Bearer ${ROOT_KEY}`, "content-type": "application/json" };
    const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
    const response = await this.audit().fetch(path, init);
    return { status: response.status, text: await response.text() };
  }
}

declare namespace Cloudflare {
  interface Env {
    TEST_MIGRATIONS: Record<"directory" | "cell", import("cloudflare:test").D1Migration[]>;
    KEEPING_ENTRIES: string;
  }
}

import { createRequire } from "node:module";

/** What the benchmark uses of Miniflare. */
export type Miniflare = {
  ready: Promise<URL>;
  unsafeGetDirectURL(worker: string): Promise<URL>;
  getInspectorURL(): Promise<URL>;
  getD1Database(binding: string, worker: string): Promise<D1Database>;
  getR2Bucket(binding: string, worker: string): Promise<R2Bucket>;
  dispose(): Promise<void>;
};

type Module = {
  Miniflare: new (options: object) => Miniflare;
  convertV4MiniflareOptions: (options: { workers: object[] }) => object;
};

/** The very Miniflare, and by it the very workerd, of the wrangler that is installed. */
export function loadMiniflare(): Module {
  const wrangler = createRequire(import.meta.url).resolve("wrangler");
  return createRequire(wrangler)("miniflare") as Module;
}

/** The workerd of that Miniflare. */
export function workerdPath(): string {
  const wrangler = createRequire(import.meta.url).resolve("wrangler");
  const miniflare = createRequire(wrangler).resolve("miniflare");
  return (createRequire(miniflare)("workerd") as { default: string }).default;
}

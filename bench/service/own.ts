import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Bench } from "../bench.ts";
import { Client } from "./client.ts";
import { startService } from "./start.ts";

/** Measures with a service apart from that of the other sections, of the Worker `build` makes in its folder; it ends with `use`. */
export async function withOwnService<T>(
  bench: Bench,
  { name, build }: { name: string; build: (folder: string) => string },
  use: (own: Bench) => Promise<T>,
): Promise<T> {
  const folder = join(bench.folder, name);
  mkdirSync(folder);
  const service = await startService(build(folder), { folder });
  try {
    return await use({ ...bench, service, client: new Client(service.port) });
  } finally {
    await service.stop();
  }
}

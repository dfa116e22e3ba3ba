import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Bench } from "../bench.ts";

/** Copies an org's segments from the archive into a folder, as an auditor would be given them; answers the files' names. */
export async function copySegments(
  { service }: Bench,
  { org, folder }: { org: string; folder: string },
): Promise<string[]> {
  const bucket = await service.bucket("ARCHIVE");
  const prefix = `seg/127.0.0.1:${service.port}/v1/orgs/${org}/`;
  const names: string[] = [];
  let cursor: string | undefined;
  do {
    const listed = await bucket.list({ prefix, ...(cursor === undefined ? {} : { cursor }) });
    for (const { key } of listed.objects) {
      const object = await bucket.get(key);
      if (object === null) throw new Error(`${key} was listed and is not there`);
      const name = key.slice(prefix.length);
      writeFileSync(join(folder, name), Buffer.from(await object.arrayBuffer()));
      names.push(name);
    }
    cursor = listed.truncated ? listed.cursor : undefined;
  } while (cursor !== undefined);
  return names;
}

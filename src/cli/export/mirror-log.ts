import { createHash } from "node:crypto";
import { mkdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { placeInOrg } from "../../chain/continuation.ts";
import type { ExportedLog } from "../../chain/export-manifest.ts";
import { bundlePath, newTiles, tilePath, tileAt } from "../../chain/tile.ts";
import { ABSENCE_LIST_MAX_BYTES, BUNDLE_MAX_BYTES, NOTE_MAX_BYTES } from "../../limits.ts";
import { MIRROR_AT_ONCE } from "../limits.ts";
import { failed, type Outcome } from "../outcome.ts";
import type { Mirroring } from "./mirror.ts";
import type { Service } from "./service.ts";
import { putFile } from "./state.ts";

/** Copies the tree of a log as it is under the checkpoint of the export, then that checkpoint and the log's key. */
export async function mirrorTree(
  service: Service,
  { log: { log, size, checkpoint }, folder, seen }: { log: ExportedLog; folder: string; seen: Mirroring },
): Promise<Outcome<null>> {
  const { number } = placeInOrg(log);
  await mkdir(folder, { recursive: true });
  const paths = checkpoint === null ? [] : [...pathsOf(size)];
  seen.files = 0;
  seen.filesOf = paths.length;
  for (let at = 0; at < paths.length; at += MIRROR_AT_ONCE) {
    const some = paths.slice(at, at + MIRROR_AT_ONCE);
    const done = await Promise.all(
      some.map((path) => mirrorFile(service, { number, path, folder, maxBytes: BUNDLE_MAX_BYTES })),
    );
    const bad = done.find(({ ok }) => !ok);
    if (bad !== undefined) return bad;
    seen.files = at + some.length;
  }
  const key = await mirrorFile(service, { number, path: "log-key", folder, maxBytes: NOTE_MAX_BYTES });
  if (!key.ok) return key;
  if (checkpoint !== null) await putFile(join(folder, "checkpoint"), checkpoint);
  return { ok: true, value: null };
}

/** Copies a list of what is gone; its name is the hash of its bytes. */
export async function mirrorList(
  service: Service,
  { number, list, folder }: { number: number; list: string; folder: string },
): Promise<Outcome<null>> {
  const path = `absences/${list}`;
  const isRight = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex") === list;
  return mirrorFile(service, { number, path, folder, maxBytes: ABSENCE_LIST_MAX_BYTES, isRight });
}

/** Every tile and entry bundle of a tree. */
function* pathsOf(size: number): Generator<string> {
  for (const tile of newTiles({ from: 0, to: size })) yield tilePath(tile);
  for (let index = 0; ; index++) {
    const tile = tileAt({ level: 0, index, size });
    if (tile === null) return;
    yield bundlePath(tile);
  }
}

type File = {
  number: number;
  path: string;
  folder: string;
  maxBytes: number;
  isRight?: (bytes: Uint8Array) => boolean;
};

/** Copies one file, unless it is there already: files never change. */
async function mirrorFile(service: Service, { number, path, folder, maxBytes, isRight }: File): Promise<Outcome<null>> {
  const place = join(folder, path);
  if ((await stat(place).catch(() => null)) !== null) return { ok: true, value: null };
  const { url, org } = service.connection;
  const address = `${url}/v1/orgs/${org}/${number === 1 ? "" : `${number}/`}${path}`;
  const read = await service.ask({ url: address, bearer: true, maxBytes });
  if (!read.ok) return read;
  const { status, bytes } = read.value;
  if (status >= 300) return failed(`${address} is not there`, "tell whoever runs the service: the log lacks a file");
  if (isRight?.(bytes) === false)
    return failed(`${address} is not what its name says`, "tell whoever runs the service");
  await mkdir(dirname(place), { recursive: true });
  await putFile(place, bytes);
  return { ok: true, value: null };
}

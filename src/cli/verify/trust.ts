import { placeInOrg } from "../../chain/continuation.ts";
import { formatVkey, type NoteKey } from "../../chain/note/note-key.ts";
import type { LogSource } from "../../verifier/source.ts";
import { readKey } from "../../verifier/index.ts";
import { failed, type Outcome } from "../outcome.ts";
import { printable } from "../terminal/printable.ts";
import { recall, type Remembered } from "./memory.ts";

/**
 * The keys a log is held to, and why these: given by the user, remembered from an earlier run, or, the first time,
 * taken from the log itself. `memory` is what is remembered of it; `replaced`, that another key was until now.
 */
export type Trust = {
  origin: string;
  keys: NoteKey[];
  how: "given" | "remembered" | "first_use";
  memory: (Remembered & { path: string }) | null;
  replaced: boolean;
};

export const LOG_KEY_MAX_BYTES = 65_536;

/** Reads keys as given: at least one line each, those of witnesses among them. */
export function keysOf(given: readonly string[]): Outcome<NoteKey[]> {
  const keys: NoteKey[] = [];
  for (const vkey of given.flatMap((text) => text.split(/\s+/)).filter((text) => text !== "")) {
    if (vkey.startsWith("ind_")) {
      const remedy = "--key takes the log's public key here; give an API key as --api-key, or as INDELIBLE_KEY";
      return failed("that is an API key, not the key of a log", remedy);
    }
    const read = readKey(vkey);
    const why = read.ok ? "" : read.why.replace(/\.$/, "");
    if (!read.ok) return failed(`${printable(vkey)} is no key of a log: ${why}`, "copy it again, whole: NAME+ID+KEY");
    keys.push(read.key);
  }
  return { ok: true, value: keys };
}

/** The logs that the keys given are for; none when all of them are witnesses'. They must be of one org. */
export function originsOf(keys: readonly NoteKey[]): Outcome<string[]> {
  const names = new Set(keys.filter(({ type }) => type === "ed25519").map(({ name }) => name));
  if (new Set([...names].map((name) => placeInOrg(name).first)).size > 1)
    return failed("the keys given are of several orgs", "give those of one org's logs, and of their witnesses");
  return { ok: true, value: [...names] };
}

/** Decides whom to believe about the log `origin`. `source` is asked for its key only when nobody else names one. */
export async function trustFor(
  origin: string,
  { keys, folder, source }: { keys: readonly NoteKey[]; folder: string; source: LogSource | null },
): Promise<Outcome<Trust>> {
  const given = keys.filter(({ type, name }) => type !== "ed25519" || name === origin);
  const recalled = await recall(folder, origin);
  if (!recalled.ok) return recalled;
  const memory = recalled.value;
  const remembered = keysOf(memory?.keys ?? []);
  if (!remembered.ok) return remembered;
  const known = new Set(remembered.value.map(formatVkey));
  if (given.some(({ type }) => type === "ed25519")) {
    const replaced = memory !== null && !given.some((key) => known.has(formatVkey(key)));
    return { ok: true, value: { origin, keys: [...given], how: "given", memory, replaced } };
  }
  if (memory !== null) {
    return {
      ok: true,
      value: { origin, keys: [...given, ...remembered.value], how: "remembered", memory, replaced: false },
    };
  }
  const served = source === null ? null : await servedKeys(source, origin);
  if (served === null || served.length === 0) {
    const shown = printable(origin);
    const remedy = `add --key 'VKEY'; whoever runs the log can name it, and serves it at https://${shown}/log-key`;
    return failed(`no key is known for the log ${shown}`, remedy);
  }
  return { ok: true, value: { origin, keys: [...given, ...served], how: "first_use", memory, replaced: false } };
}

async function servedKeys(source: LogSource, origin: string): Promise<NoteKey[] | null> {
  const read = await source.read("log-key", { maxBytes: LOG_KEY_MAX_BYTES });
  if (read.kind !== "bytes") return null;
  // A log may have keys of a type we do not know, beside those we do.
  const lines = new TextDecoder().decode(read.bytes).split("\n").map(readKey);
  const keys = lines.flatMap((line) => (line.ok ? [line.key] : []));
  return keys.filter(({ name, type }) => name === origin && type === "ed25519");
}

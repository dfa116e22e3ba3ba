import { resolve } from "node:path";
import { parseArgs } from "node:util";

export const SECTIONS = [
  "ceiling",
  "ladder",
  "append",
  "stages",
  "queue",
  "list",
  "search",
  "verify",
  "export",
  "tree",
  "cost",
  "keep",
  "memory",
  "beside",
  "peer",
] as const;
export type SectionName = (typeof SECTIONS)[number];

export type Flags = {
  only: readonly SectionName[];
  quick: boolean;
  rounds: number;
  entries: number;
  profile: boolean;
  keep: string | null;
};

const HELP = `npm run bench -- [--only ${SECTIONS.join(",")}] [--entries 1000000] [--quick] [--rounds 5] [--profile] [--keep FOLDER]`;

/** Reads the command line; throws with how it should have been. */
export function readFlags(args: string[]): Flags {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: "string" },
      entries: { type: "string" },
      quick: { type: "boolean", default: false },
      rounds: { type: "string" },
      profile: { type: "boolean", default: false },
      keep: { type: "string" },
    },
  });
  const only = values.only?.split(",") ?? [...SECTIONS];
  const unknown = only.find((name) => !(SECTIONS as readonly string[]).includes(name));
  if (unknown !== undefined) throw new Error(`${unknown} is no section\n${HELP}`);
  const entries = Number(values.entries ?? (values.quick ? 20_000 : 1_000_000));
  if (!Number.isSafeInteger(entries) || entries < 1_000) throw new Error(`--entries must be at least 1000\n${HELP}`);
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
  if (!Number.isSafeInteger(rounds) || rounds < 1) throw new Error(`--rounds must be at least 1\n${HELP}`);
  const { quick, profile, keep = null } = values;
  return { only: only as SectionName[], quick, rounds, entries, profile, keep: keep === null ? null : resolve(keep) };
}

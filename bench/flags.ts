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
  "memory",
  "beside",
  "peer",
] as const;
export type SectionName = (typeof SECTIONS)[number];

export type Flags = { only: readonly SectionName[]; quick: boolean; entries: number; profile: boolean };

const HELP = `npm run bench -- [--only ${SECTIONS.join(",")}] [--entries 1000000] [--quick] [--profile]`;

/** Reads the command line; throws with how it should have been. */
export function readFlags(args: string[]): Flags {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: "string" },
      entries: { type: "string" },
      quick: { type: "boolean", default: false },
      profile: { type: "boolean", default: false },
    },
  });
  const only = values.only?.split(",") ?? [...SECTIONS];
  const unknown = only.find((name) => !(SECTIONS as readonly string[]).includes(name));
  if (unknown !== undefined) throw new Error(`${unknown} is no section\n${HELP}`);
  const entries = Number(values.entries ?? (values.quick ? 20_000 : 1_000_000));
  if (!Number.isSafeInteger(entries) || entries < 1_000) throw new Error(`--entries must be at least 1000\n${HELP}`);
  return { only: only as SectionName[], quick: values.quick, entries, profile: values.profile };
}

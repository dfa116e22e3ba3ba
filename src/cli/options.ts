import { parseArgs, type ParseArgsConfig } from "node:util";
import { orgSchema } from "../schema/names.ts";
import { readDevVars } from "./dev-vars.ts";
import { failed, type Outcome } from "./outcome.ts";

/** The service, the org and the key a command works with. */
export type Connection = { url: string; org: string; key: string };

/** What a command sees of its surroundings; a test hands in its own. */
export type Surroundings = { env: Record<string, string | undefined>; directory: string };

export const COMMON_OPTIONS = {
  url: { type: "string" },
  key: { type: "string" },
  org: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

export const COMMON_HELP = `  --url URL      where the service answers  (INDELIBLE_URL, else http://localhost:8787)
  --key KEY      your API key  (INDELIBLE_KEY, else ROOT_KEY from .dev.vars)
  -h, --help     this text
`;

type Options = NonNullable<ParseArgsConfig["options"]>;

/** What a command was told: each option's value, and what stands beside them. */
export type Told<O extends Options> = ReturnType<
  typeof parseArgs<{ args: string[]; options: O; strict: true; allowPositionals: true }>
>;

/** Reads a command's options; one it does not know is named. */
export function readOptions<const O extends Options>(args: string[], options: O): Outcome<Told<O>> {
  try {
    return { ok: true, value: parseArgs({ args, options, strict: true, allowPositionals: true }) };
  } catch (error) {
    // Node says what is wrong in its first sentence, and what it would do in the next.
    return failed(error instanceof Error ? (error.message.split(". ")[0] ?? "") : "wrong options", "see --help");
  }
}

/** Checks the common options and fills in their defaults. */
export function connectionOf(
  given: { url?: string | undefined; key?: string | undefined; org?: string | undefined },
  { env, directory }: Surroundings,
): Outcome<Connection> {
  if (given.org === undefined) return failed("no org was named", "add --org NAME");
  if (!orgSchema.safeParse(given.org).success) {
    return failed(`${JSON.stringify(given.org)} is not an org`, "an org is 3 to 64 characters of A-Z a-z 0-9 _ -");
  }
  const url = given.url ?? present(env["INDELIBLE_URL"]) ?? `http://localhost:${present(env["PORT"]) ?? "8787"}`;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    return failed(`${JSON.stringify(url)} is not an http or https address`, "give it as --url http://localhost:8787");
  }
  const key = given.key ?? present(env["INDELIBLE_KEY"]) ?? present(readDevVars(directory)["ROOT_KEY"]);
  if (key === undefined) {
    return failed("there is no API key", "add --key, set INDELIBLE_KEY, or run where npm start wrote .dev.vars");
  }
  const fault = apiKeyFault(key);
  return fault ?? { ok: true, value: { url: url.replace(/\/+$/, ""), org: given.org, key } };
}

/** A key is sent as a header: anything outside printable ASCII would only fail later, less clearly, and be shown. */
export function apiKeyFault(key: string): ReturnType<typeof failed> | null {
  return /^[\x21-\x7e]+$/.test(key) ? null : failed("the API key holds characters no key has", "copy it again, whole");
}

function present(text: string | undefined): string | undefined {
  return text === undefined || text === "" ? undefined : text;
}

import { env } from "cloudflare:workers";
import { openEntry, type OpenedEntry, parseRecord } from "../../src/chain/open.ts";
import { sha256 } from "../../src/sha256.ts";
import { type Answer, call } from "../support/client.ts";

/** An org's entries from `from` on, straight from its ledger: looking leaves no trace. */
export async function entriesOf(org: string, from = 0): Promise<OpenedEntry[]> {
  const entries: OpenedEntry[] = [];
  for (;;) {
    const found = await env.ORG_LEDGER.getByName(org).linesFrom(org, from + entries.length, 1_000);
    if (!found.ok || found.value === null) return entries;
    for (const line of found.value.lines) {
      const record = parseRecord(line);
      const opened = record === null ? null : openEntry(sha256, record);
      if (opened?.ok !== true) throw new Error(`not a record: ${line}`);
      entries.push(opened.entry);
    }
  }
}

/** Those of an action. */
export async function actsOf(org: string, action: string, from = 0): Promise<OpenedEntry[]> {
  return (await entriesOf(org, from)).filter(({ event }) => event?.action === action);
}

/** What a service entry says in its metadata. */
export function saysOf(entry: OpenedEntry | undefined): Record<string, any> {
  return JSON.parse(entry?.metadata ?? "{}");
}

/** Counts entries without a trace. */
export async function sizeOf(org: string): Promise<number> {
  const status = await env.ORG_LEDGER.getByName(org).status(org);
  return status.ok ? status.value.size : 0;
}

type Params = Record<string, string | number | string[]>;

export function list(org: string, params: Params = {}, key?: string): Promise<Answer> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    for (const one of Array.isArray(value) ? value : [value]) query.append(name, String(one));
  }
  return call("GET", `/v1/orgs/${org}/events?${query.toString()}`, key === undefined ? {} : { key });
}

/** Follows cursors to the end; `between` is called after each page. */
export async function walk(
  org: string,
  params: Params,
  { keys = [], between = async () => {} }: { keys?: readonly string[]; between?: () => Promise<unknown> } = {},
): Promise<{ entries: any[]; pages: number }> {
  const entries: any[] = [];
  let cursor: string | null = null;
  for (let pages = 1; ; pages++) {
    const page = await list(org, cursor === null ? params : { ...params, cursor }, keys[pages % keys.length]);
    if (page.status !== 200) throw new Error(`page ${pages}: ${page.status} ${page.text}`);
    entries.push(...page.json.data);
    cursor = page.json.next_cursor;
    if (cursor === null) return { entries, pages };
    await between();
  }
}

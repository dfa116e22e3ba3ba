import { createHash } from "node:crypto";
import { keepUntil, NO_POLICY, type RetentionPolicy } from "../../../src/schema/policy.ts";
import type { Category } from "../../../src/schema/names.ts";

/** An entry whose every commitment, leaf and link was recomputed here, without the service's own code. */
export type CheckedEntry = {
  index: number;
  line: string;
  hash: string;
  sequencedAt: string;
  source: "client" | "service";
  action: string;
  id: string | null;
  batch: string | null;
  delivery: string | null;
  received_at: string;
  position: number | null;
  sections: Record<string, { salt: string; text: string }>;
  /** Names of sections that were erased or expired. */
  gone: string[];
};

export function must(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Error(`checkLedger: ${what}`);
}

const sha256 = (...parts: (string | Uint8Array)[]) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("base64url");
};

const genesisOf = (log: string, predecessor: string) => sha256(`indelible/genesis/v1\0${log}\0${predecessor}`);

/** Members in the order of UTF-16 code units, at every level. */
function canonical(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(",")}}`;
}

/** Checks one record line at the place where it has to be. */
function checkEntry(
  line: string,
  {
    log,
    index,
    prev,
    notBefore,
    policy,
  }: { log: string; index: number; prev: string; notBefore: string; policy: RetentionPolicy },
): CheckedEntry {
  const at = `entry ${index}`;
  type Gone = { section: string; cause: string; by: number };
  const record = JSON.parse(line) as { leaf: string; sections: CheckedEntry["sections"]; absent?: Gone[] };
  const members = record.absent === undefined ? "leaf,sections" : "leaf,sections,absent";
  must(JSON.stringify(record) === line && Object.keys(record).join() === members, `${at}: another line`);
  const leaf = JSON.parse(record.leaf) as Record<string, any>;
  must(canonical(leaf) === record.leaf, `${at}: the leaf is not canonical`);
  must(leaf["index"] === index, `${at}: the leaf says index ${leaf["index"]}`);
  must(leaf["log"] === log, `${at}: the leaf says log ${leaf["log"]}`);
  must(leaf["prev"] === prev, `${at}: prev is not the entry hash before`);
  must(leaf["v"] === 1, `${at}: version`);
  must(leaf["sequenced_at"] >= notBefore, `${at}: sequenced_at goes back`);
  const gone = record.absent ?? [];
  must(
    gone.every(({ cause, by }) => (cause === "erased" || cause === "expired") && by > index),
    `${at}: an absence without cause`,
  );
  const named = [...Object.keys(record.sections), ...gone.map(({ section }) => section)];
  must(named.sort().join() === Object.keys(leaf["sections"]).join(), `${at}: other sections`);
  for (const [name, { salt, text }] of Object.entries(record.sections)) {
    const bytes = Buffer.from(salt, "base64url");
    must(bytes.length === 16 && bytes.toString("base64url") === salt, `${at}: the salt of ${name}`);
    const commitment = sha256(`indelible/section/v1\0${name}\0`, bytes, text);
    must(commitment === leaf["sections"][name], `${at}: ${name} does not open its commitment`);
  }
  const forever = leaf["keep_until"] === "forever";
  const unsaid = { category: leaf["category"], batch: null, delivery: null };
  const event = JSON.parse(record.sections["event"]?.text ?? JSON.stringify(unsaid)) as Record<string, any>;
  const note = JSON.parse(record.sections["note"]?.text ?? "{}") as { id?: string };
  must(leaf["category"] === (event["category"] ?? "general"), `${at}: leaf and event differ on category`);
  const decided = leaf["category"] as Category;
  const { source, sequenced_at, keep_until } = leaf;
  const kept = { sequencedAt: Date.parse(sequenced_at), decided, sent: event["category_sent"] ?? null, source, policy };
  const lasts = /^indelible\.(erasure\.begun|retention\.run|export\..*)$/.test(event["action"] ?? "");
  const ours = String(event["action"]).startsWith("indelible.");
  if ("event" in record.sections) {
    must(lasts ? forever : keep_until === keepUntil(kept), `${at}: keep_until`);
    must(leaf["source"] === (ours ? "service" : "client"), `${at}: source ${leaf["source"]} of ${event["action"]}`);
    must(ours || (event["batch"] && event["delivery"]), `${at}: a client's entry names its batch and delivery`);
  }
  return {
    index,
    line,
    hash: sha256(Uint8Array.of(0), record.leaf),
    sequencedAt: leaf["sequenced_at"],
    source: leaf["source"],
    action: event["action"],
    id: note.id ?? event["id"] ?? null,
    batch: event["batch"] ?? null,
    delivery: event["delivery"] ?? null,
    received_at: event["received_at"],
    position: event["position"] ?? null,
    sections: record.sections,
    gone: gone.map(({ section }) => section),
  };
}

/**
 * Checks a whole log from index 0 on; the hash of the last entry is what the ledger's head must be. `predecessor` is the
 * text of the last checkpoint of the log it continues.
 */
export function checkChain(lines: readonly string[], log: string, predecessor = ""): CheckedEntry[] {
  const entries: CheckedEntry[] = [];
  const salts = new Set<string>();
  const prevs = new Set<string>();
  let [prev, notBefore, policy] = [genesisOf(log, predecessor), "", NO_POLICY];
  for (const [index, line] of lines.entries()) {
    const entry = checkEntry(line, { log, index, prev, notBefore, policy });
    policy = policyAfter(entry) ?? policy;
    must(!prevs.has(prev), `entry ${index}: a fork`);
    prevs.add(prev);
    for (const { salt } of Object.values(entry.sections)) {
      must(!salts.has(salt), `entry ${index}: a salt used before`);
      salts.add(salt);
    }
    entries.push(entry);
    [prev, notBefore] = [entry.hash, entry.sequencedAt];
  }
  return entries;
}

/** The org's policy from this entry on; null when it says nothing of it. */
function policyAfter({
  action,
  sections,
}: {
  action: string | undefined;
  sections: CheckedEntry["sections"];
}): RetentionPolicy | null {
  if (action?.startsWith("indelible.org.") !== true) return null;
  const { settings } = JSON.parse(sections["metadata"]?.text ?? "{}") as { settings?: { retention?: RetentionPolicy } };
  return settings?.retention ?? null;
}

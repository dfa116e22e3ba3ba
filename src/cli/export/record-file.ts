import { placeInOrg } from "../../chain/continuation.ts";
import { parseLeaf } from "../../chain/leaf.ts";
import { parseRecord } from "../../chain/parse-record.ts";
import { causeOf } from "../../chain/verify-causes.ts";
import { readEventSection } from "../../chain/section-shape.ts";

/** Record lines of one log, the lists that the causes among them commit to, and how many sections they hold back. */
export type LogRecords = { number: number; lines: string[]; lists: string[]; withheld: number };

const PROOF = ',"proof":[';
const CAUSE_PATTERN = /indelible\.(erasure\.begun|retention\.run)/;

/** The record lines in a part of an export, by log, in their order: its lines without their proofs. */
export function recordsIn(part: Uint8Array): LogRecords[] | null {
  const logs: LogRecords[] = [];
  for (const text of new TextDecoder().decode(part).split("\n")) {
    if (text === "") continue;
    const line = withoutProof(text);
    const record = parseRecord(line);
    const parsed = record === null ? null : parseLeaf(record.leaf);
    if (record === null || parsed?.kind !== "leaf") return null;
    const { leaf } = parsed;
    const { number } = placeInOrg(leaf.log);
    let log = logs.find((one) => one.number === number);
    if (log === undefined) logs.push((log = { number, lines: [], lists: [], withheld: 0 }));
    log.lines.push(line);
    log.withheld += record.absent?.filter(({ cause }) => cause === "withheld").length ?? 0;
    if (leaf.source !== "service" || !CAUSE_PATTERN.test(text)) continue;
    const action = readEventSection(record.sections["event"]?.text ?? "")?.action ?? null;
    const { list } = causeOf(leaf, { action, metadata: record.sections["metadata"]?.text ?? null });
    if (typeof list !== "string") log.lists.push(list.sha256);
  }
  return logs;
}

/** A proof stands at the end of its line; within a text its quotes are escaped. */
function withoutProof(text: string): string {
  const at = text.lastIndexOf(PROOF);
  return at < 0 ? text : `${text.slice(0, at)}}`;
}

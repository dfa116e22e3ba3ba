import { openEntry, type OpenedEntry, parseRecord } from "../../src/chain/open.ts";
import type { EntryRecord } from "../../src/chain/record.ts";
import { edited, HASH, sealEvent, sha256 } from "./support.ts";

export const FREE =
  '{"n":9007199254740993,"x":1.10,"z":-0,"big":1e400,"a":1,"a":2,"10":0,"2":0,"__proto__":{},"s":"\\u0041\\ud800\\u0000"}';
const sections = [
  { name: "note", text: '{"id":"inv-1","reason":"why","error_message":"no"}' },
  { name: "actor", text: '{"id":"u_1"}' },
  { name: "actor/detail", text: `{"name":"Jane","email":"jane@example.com","metadata": ${FREE} }` },
  { name: "target/0", text: '{"id":"d_1"}' },
  { name: "target/0/detail", text: `{"metadata":${FREE}}` },
  { name: "context", text: '{"ip":"192.0.2.1","user_agent":"x"}' },
  { name: "changes", text: `{"before":${FREE},"after":null,"fields":["a"]}` },
  { name: "metadata", text: FREE },
];
export const full = sealEvent({ sections }, { index: 7, prev: HASH });
export const bare = sealEvent(
  {
    sections: [
      { name: "actor", text: '{"id":"u_1"}' },
      { name: "target/0", text: '{"id":"d_1"}' },
    ],
  },
  { index: 7, prev: HASH },
);

export function parsed(line: string): EntryRecord {
  const record = parseRecord(line);
  if (record === null) throw new Error("not a record");
  return record;
}

export function opened(record: EntryRecord): OpenedEntry {
  const result = openEntry(sha256, record);
  if (!result.ok) throw new Error(result.why);
  return result.entry;
}

export function dropped(line: string, ...names: string[]): EntryRecord {
  return parsed(
    edited({ index: 7, line }, (record) => {
      for (const name of names) delete record.sections[name];
    }).line,
  );
}

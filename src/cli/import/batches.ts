import { IMPORT_BATCH_MAX_BYTES, IMPORT_BATCH_MAX_EVENTS } from "../limits.ts";
import { eventOf, type Mapping, type Refused } from "./mapping.ts";
import { openSource } from "./open-source.ts";
import type { InputFile } from "./input-file.ts";
import type { SourceRecord } from "./source-record.ts";
import { RecordSplitter } from "./split-records.ts";

/** One record on its way: its event as JSON text, or why it has none. `text` is the record, for the rejects. */
export type Item = { file: InputFile; record: Omit<SourceRecord, "bytes">; text: string; event: string | Refused };

/** Items in the order of their files; at most as many events and bytes as one request carries. */
export type Batch = { items: Item[]; eventBytes: number };

/** Records that are refused here cost no request, but the batch they ride in must end somewhere. */
const ITEMS_MAX = 4 * IMPORT_BATCH_MAX_EVENTS;
const REJECTED_BYTES_MAX = 4 * IMPORT_BATCH_MAX_BYTES;

/** Reads the files one after the other, from where each was left, and cuts what they hold into batches. */
export async function* cutBatches(files: readonly InputFile[], mapping: Mapping): AsyncGenerator<Batch> {
  let batch = emptyBatch();
  let events = 0;
  let rejectedBytes = 0;
  for (const file of files) {
    for await (const item of itemsOf(file, mapping)) {
      const bytes = typeof item.event === "string" ? Buffer.byteLength(item.event) + 1 : 0;
      const full = events === IMPORT_BATCH_MAX_EVENTS || batch.eventBytes + bytes > IMPORT_BATCH_MAX_BYTES;
      if (full || batch.items.length === ITEMS_MAX || rejectedBytes > REJECTED_BYTES_MAX) {
        yield batch;
        batch = emptyBatch();
        events = 0;
        rejectedBytes = 0;
      }
      batch.items.push(item);
      batch.eventBytes += bytes;
      if (bytes > 0) events++;
      else rejectedBytes += item.text.length;
    }
  }
  if (batch.items.length > 0) yield batch;
}

function emptyBatch(): Batch {
  return { items: [], eventBytes: 0 };
}

async function* itemsOf(file: InputFile, mapping: Mapping): AsyncGenerator<Item> {
  const splitter = new RecordSplitter({ listPath: mapping.listPath });
  const source = openSource(file.stream === null ? { path: file.path } : { stream: file.stream });
  const itemOf = ({ bytes, ...place }: SourceRecord): Item => {
    file.recordsRead = place.number;
    const { text, event } = eventOf(mapping, { ...place, bytes });
    return { file, record: place, text, event };
  };
  try {
    for await (const chunk of source.chunks) {
      file.bytesRead = source.bytesRead();
      for (const record of splitter.push(chunk)) if (record.number > file.done.records) yield itemOf(record);
    }
    for (const record of splitter.end()) if (record.number > file.done.records) yield itemOf(record);
    file.bytesRead = source.bytesRead();
  } catch (error) {
    // What was read is sent all the same: the fault of the file is reported when everything is settled.
    file.fault = error instanceof Error ? error.message : String(error);
    for (const record of splitter.end()) if (record.number > file.done.records) yield itemOf(record);
  }
}

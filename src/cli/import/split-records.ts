import { IMPORT_RECORD_MAX_BYTES } from "../limits.ts";
import { BACKSLASH, COMMA, isSpace, LIST, LIST_END, NEWLINE, OBJECT, QUOTE } from "./brackets.ts";
import { DocumentTail } from "./document-tail.ts";
import { HeldBytes } from "./held-bytes.ts";
import { linesIn, nextRecordLine, type SourceRecord } from "./source-record.ts";
import { ValueScan } from "./value-scan.ts";

/** A record that spans lines and does not close is tried again from its next line this often before it is given up. */
const RESCANS_MAX = 100;

const NOTHING = new Uint8Array(0);

/** between: outside any record; value: inside an object or list; scalar: inside anything else; lost: after a fault; tail: behind the list. */
type State = "between" | "value" | "scalar" | "lost" | "tail";

/**
 * Finds the records of a stream of JSON by scanning bytes, in memory bounded by one record: JSON Lines, JSON values one
 * after the other, top-level lists, and documents that hold a list under the member names of `listPath`, of any length.
 * It checks only what it needs to find the ends; whether a record is JSON is for the parser to say.
 */
export class RecordSplitter {
  readonly #found: SourceRecord[] = [];
  readonly #maxBytes: number;
  readonly #held: HeldBytes;
  readonly #scan: ValueScan;
  #state: State = "between";
  #records = 0;
  #line = 1;
  /** Offset in the stream of the first byte of the buffer being scanned. */
  #base = 0;
  /** The line on which the list was opened that we are in; 0 outside a list. */
  #listLine = 0;
  /** What stands behind the list, of a document that is more than a list. */
  #tail = new DocumentTail(0);
  #inString = false;
  #escaped = false;

  /** Where in the buffer the bytes of the record begin that are not held yet. */
  #from = 0;
  #startLine = 0;
  #startOffset = 0;
  #fault = "";
  #rescans = 0;
  /** In the state lost: what comes now is not the beginning of a line. */
  #insideLine = false;
  #again: Uint8Array | null = null;

  constructor({
    listPath,
    recordMaxBytes = IMPORT_RECORD_MAX_BYTES,
  }: { listPath: readonly string[]; recordMaxBytes?: number }) {
    this.#maxBytes = recordMaxBytes;
    this.#held = new HeldBytes(recordMaxBytes);
    this.#scan = new ValueScan(listPath);
  }

  /** Takes the next bytes and returns the records that ended in them. */
  push(chunk: Uint8Array): SourceRecord[] {
    this.#read(chunk);
    this.#readAgain();
    return this.#found.splice(0);
  }

  #readAgain(): void {
    while (this.#again !== null) {
      const rest = this.#again;
      this.#again = null;
      this.#read(rest);
    }
  }

  /** Says that the stream has ended; returns what was left open as faults. */
  end(): SourceRecord[] {
    while (this.#state === "value") {
      this.#lose(NOTHING, 0, "the file ends inside this record");
      this.#readAgain();
    }
    if (this.#state === "scalar") this.#finish(NOTHING, 0);
    if (this.#state === "lost") this.#emit(this.#held.bytes());
    else if (this.#state === "tail" || this.#listLine > 0) {
      this.#begin(0, "lost");
      this.#fault = "the file ends inside the list of records";
      this.#emit(NOTHING);
    }
    return this.#found.splice(0);
  }

  #read(buffer: Uint8Array): void {
    let at = 0;
    while (at < buffer.length && this.#again === null) {
      switch (this.#state) {
        case "between":
          at = this.#between(buffer, at);
          break;
        case "value":
          at = this.#value(buffer, at);
          break;
        case "scalar":
          at = this.#scalar(buffer, at);
          break;
        case "lost":
          at = this.#lost(buffer, at);
          break;
        case "tail":
          at = this.#passTail(buffer, at);
          break;
      }
    }
    if (this.#again !== null) return;
    if (this.#state !== "between" && this.#state !== "tail") this.#hold(buffer, buffer.length);
    this.#from = 0;
    this.#base += buffer.length;
  }

  #between(buffer: Uint8Array, start: number): number {
    for (let at = start; at < buffer.length; at++) {
      const byte = buffer[at] as number;
      if (byte === NEWLINE) this.#line++;
      else if (isSpace(byte) || byte === COMMA) continue;
      else if (byte === LIST_END && this.#listLine > 0) {
        this.#listLine = 0;
        this.#state = this.#tail.ended ? "between" : "tail";
        return at + 1;
      } else if (byte === LIST && this.#listLine === 0) {
        this.#listLine = this.#line;
        this.#tail = new DocumentTail(0);
      } else {
        this.#begin(at, byte === OBJECT || byte === LIST ? "value" : "scalar");
        return at;
      }
    }
    return buffer.length;
  }

  #begin(at: number, state: State): void {
    this.#state = state;
    this.#held.clear();
    this.#from = at;
    this.#startLine = this.#line;
    this.#startOffset = this.#base + at;
    this.#scan.begin({ watched: this.#listLine === 0 });
    this.#inString = false;
    this.#escaped = false;
  }

  #value(buffer: Uint8Array, start: number): number {
    const at = this.#scan.pass(buffer, start);
    this.#line = this.#startLine + this.#scan.lines;
    switch (this.#scan.verdict) {
      case "open":
        return at;
      case "closed":
        return this.#finish(buffer, at);
      case "list":
        // What was held of the document until here is dropped: its records begin.
        this.#listLine = this.#line;
        this.#tail = new DocumentTail(this.#scan.depth);
        this.#held.clear();
        this.#state = "between";
        return at;
      case "broken":
        return this.#lose(buffer, at, this.#scan.fault);
    }
  }

  /** A number, a word, or rubbish: to the end of the line, or inside a list to the next comma or bracket. */
  #scalar(buffer: Uint8Array, start: number): number {
    const inList = this.#listLine > 0;
    for (let at = start; at < buffer.length; at++) {
      const byte = buffer[at] as number;
      if (byte === NEWLINE) return this.#finish(buffer, at);
      if (!inList) continue;
      if (this.#escaped) this.#escaped = false;
      else if (byte === QUOTE) this.#inString = !this.#inString;
      else if (byte === BACKSLASH) this.#escaped = this.#inString;
      else if (!this.#inString && (byte === COMMA || byte === LIST_END)) return this.#finish(buffer, at);
    }
    return buffer.length;
  }

  #finish(buffer: Uint8Array, end: number): number {
    this.#hold(buffer, end);
    this.#rescans = 0;
    if (this.#held.tooLong) this.#fault = `the record is longer than ${this.#maxBytes} bytes`;
    this.#emit(this.#held.bytes());
    return end;
  }

  /** The record is broken: lines of it that look like the start of another record are scanned again. */
  #lose(buffer: Uint8Array, at: number, fault: string): number {
    this.#hold(buffer, at);
    this.#fault = fault;
    const bytes = this.#held.bytes();
    const next = this.#rescans < RESCANS_MAX && !this.#held.tooLong ? nextRecordLine(bytes) : -1;
    if (next === -1) {
      this.#state = "lost";
      this.#insideLine = bytes.at(-1) !== NEWLINE;
      return at;
    }
    this.#rescans++;
    this.#line = this.#startLine + linesIn(bytes.subarray(0, next));
    this.#base = this.#startOffset + next;
    this.#emit(bytes.subarray(0, next));
    this.#leaveBrokenList();
    this.#again = Buffer.concat([bytes.subarray(next), buffer.subarray(at)]);
    return buffer.length;
  }

  /** A list on one line with the record that broke it goes no further than that line. */
  #leaveBrokenList(): void {
    if (this.#listLine === this.#startLine) this.#listLine = 0;
  }

  /** After a fault: on to the next line that begins with a bracket in its first column. */
  #lost(buffer: Uint8Array, start: number): number {
    for (let at = start; at < buffer.length; at++) {
      const byte = buffer[at] as number;
      if (!this.#insideLine && (byte === OBJECT || byte === LIST)) {
        this.#hold(buffer, at);
        this.#emit(this.#held.bytes());
        this.#leaveBrokenList();
        return at;
      }
      this.#insideLine = byte !== NEWLINE;
      if (byte === NEWLINE) this.#line++;
    }
    return buffer.length;
  }

  #passTail(buffer: Uint8Array, start: number): number {
    const at = this.#tail.pass(buffer, start);
    if (!this.#tail.ended) return at;
    this.#line += this.#tail.lines;
    this.#state = "between";
    return at;
  }

  #hold(buffer: Uint8Array, end: number): void {
    this.#held.add(buffer.subarray(this.#from, end));
    this.#from = end;
  }

  #emit(bytes: Uint8Array): void {
    const place = { number: ++this.#records, line: this.#startLine, offset: this.#startOffset };
    this.#found.push(this.#fault === "" ? { ...place, bytes } : { ...place, bytes, fault: this.#fault });
    this.#fault = "";
    this.#held.clear();
    this.#state = "between";
  }
}

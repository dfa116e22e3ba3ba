import { BACKSLASH, LIST, LIST_END, NEWLINE, OBJECT, OBJECT_END, QUOTE } from "./brackets.ts";

/** What stands in a document behind its list of records: read past, to the bracket that closes the document. */
export class DocumentTail {
  #open: number;
  #inString = false;
  #escaped = false;
  lines = 0;

  constructor(open: number) {
    this.#open = open;
  }

  get ended(): boolean {
    return this.#open === 0;
  }

  /** Reads on and returns where it stopped: behind the document, or at the end of the buffer. */
  pass(buffer: Uint8Array, start: number): number {
    for (let at = start; at < buffer.length; at++) {
      const byte = buffer[at] as number;
      if (byte === NEWLINE) this.lines++;
      if (this.#escaped) this.#escaped = false;
      else if (byte === QUOTE) this.#inString = !this.#inString;
      else if (this.#inString) this.#escaped = byte === BACKSLASH;
      else if (byte === OBJECT || byte === LIST) this.#open++;
      else if ((byte === OBJECT_END || byte === LIST_END) && --this.#open === 0) return at + 1;
    }
    return buffer.length;
  }
}

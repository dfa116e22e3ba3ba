import { BACKSLASH, Brackets, isSpace, LIST, LIST_END, NEWLINE, OBJECT, OBJECT_END, QUOTE } from "./brackets.ts";
import { ListWatch } from "./list-watch.ts";

/** open: it goes on in the next buffer; closed: it ended; list: the watched list opened; broken: it is not JSON. */
type Verdict = "open" | "closed" | "list" | "broken";

/** Scans one object or list to its end, checking only what tells where that is. */
export class ValueScan {
  readonly #brackets = new Brackets();
  readonly #watch: ListWatch;
  #watched = false;
  #inString = false;
  #escaped = false;
  verdict: Verdict = "open";
  /** Why it is broken. */
  fault = "";
  /** Line breaks passed since the value began. */
  lines = 0;

  constructor(listPath: readonly string[]) {
    this.#watch = new ListWatch(listPath);
  }

  /** Brackets that are open: around the watched list, when that is what ended the scan. */
  get depth(): number {
    return this.#brackets.depth;
  }

  begin({ watched }: { watched: boolean }): void {
    this.#brackets.reset();
    this.#watch.reset();
    this.#watched = watched;
    this.#inString = false;
    this.#escaped = false;
    this.verdict = "open";
    this.lines = 0;
  }

  /** Reads on and returns where it stopped: behind what ended it, or at what broke it. */
  pass(buffer: Uint8Array, start: number): number {
    const brackets = this.#brackets;
    let at = start;
    while (at < buffer.length) {
      if (this.#inString) {
        at = this.#string(buffer, at);
        if (this.verdict === "broken") return at;
        continue;
      }
      const byte = buffer[at] as number;
      if (byte === QUOTE) {
        this.#inString = true;
        if (this.#watched) this.#watch.stringBegins(brackets);
        brackets.before = QUOTE;
      } else if (byte === OBJECT || byte === LIST) {
        if (!brackets.mayOpen()) {
          return this.#broken(at, "a value stands where none may: is the line before cut off?");
        }
        if (this.#watched && this.#watch.opens(byte, brackets)) return this.#ended(at + 1, "list");
        brackets.open(byte);
      } else if (byte === OBJECT_END || byte === LIST_END) {
        if (!brackets.close(byte)) return this.#broken(at, "brackets do not match");
        if (brackets.depth === 0) return this.#ended(at + 1, "closed");
        this.#watch.closed(brackets);
      } else if (byte === NEWLINE) this.lines++;
      else if (!isSpace(byte)) brackets.before = byte;
      at++;
    }
    return at;
  }

  #string(buffer: Uint8Array, start: number): number {
    const named = this.#watch.reading;
    for (let at = start; at < buffer.length; at++) {
      const byte = buffer[at] as number;
      if (this.#escaped) this.#escaped = false;
      else if (byte === QUOTE) {
        this.#inString = false;
        if (named) this.#watch.nameEnds();
        return at + 1;
      } else if (byte === BACKSLASH) this.#escaped = true;
      else if (byte === NEWLINE) return this.#broken(at, "a line break inside a string: is the line cut off?");
      if (named) this.#watch.byteOfName(byte);
    }
    return buffer.length;
  }

  #ended(at: number, verdict: Verdict): number {
    this.verdict = verdict;
    return at;
  }

  #broken(at: number, fault: string): number {
    this.fault = fault;
    return this.#ended(at, "broken");
  }
}

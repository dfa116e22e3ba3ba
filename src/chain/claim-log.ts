import { assert } from "../errors.ts";
import { SECTION_NAMES } from "./section.ts";

const CODES: ReadonlyMap<string, number> = new Map(SECTION_NAMES.map((name, code) => [name, code]));
/** Stands for the sections of the entry before. */
const SAME = 0;
const FIRST_BYTES = 64;
const VARINT_MAX_BYTES = 5;

/**
 * Sections of entries, kept small: where entries that lost the same sections follow each other, two bytes an entry. They may be
 * added in any order, those of one entry one after another.
 */
export class ClaimLog {
  #bytes = new Uint8Array(FIRST_BYTES);
  #length = 0;
  #last = 0;
  #lastCodes = "";
  #open: { index: number; codes: number[] } | null = null;
  entries = 0;

  /** About how much memory it takes. */
  get bytes(): number {
    return this.#bytes.length;
  }

  add(index: number, section: string): void {
    const code = CODES.get(section);
    assert(code !== undefined, "what a record says to be absent is a section");
    if (this.#open?.index !== index) {
      this.#close();
      this.#open = { index, codes: [] };
      this.entries++;
    }
    this.#open?.codes.push(code);
  }

  *sections(): Generator<{ index: number; section: string }> {
    this.#close();
    let at = 0;
    let index = 0;
    let codes: number[] = [];
    while (at < this.#length) {
      let zigzag = 0;
      for (let scale = 1; ; scale *= 128) {
        const byte = this.#bytes[at++] as number;
        zigzag += (byte & 127) * scale;
        if (byte < 128) break;
      }
      index += zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
      const count = this.#bytes[at++] as number;
      if (count !== SAME) {
        codes = [...this.#bytes.subarray(at, at + count)];
        at += count;
      }
      for (const code of codes) yield { index, section: SECTION_NAMES[code] as string };
    }
  }

  #close(): void {
    const open = this.#open;
    if (open === null) return;
    this.#open = null;
    const delta = open.index - this.#last;
    const codes = open.codes.join(" ");
    const same = codes === this.#lastCodes;
    this.#reserve(VARINT_MAX_BYTES + 1 + open.codes.length);
    let zigzag = delta >= 0 ? delta * 2 : -delta * 2 - 1;
    for (; zigzag >= 128; zigzag = Math.floor(zigzag / 128)) this.#put((zigzag % 128) + 128);
    this.#put(zigzag);
    this.#put(same ? SAME : open.codes.length);
    if (!same) for (const code of open.codes) this.#put(code);
    this.#last = open.index;
    this.#lastCodes = codes;
  }

  #put(byte: number): void {
    this.#bytes[this.#length++] = byte;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const wider = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    wider.set(this.#bytes);
    this.#bytes = wider;
  }
}

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const LIST = 0x5b;
export const BACKSLASH = 0x5c;
export const LIST_END = 0x5d;
export const OBJECT = 0x7b;
export const OBJECT_END = 0x7d;
export const NEWLINE = 0x0a;

export function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === NEWLINE || byte === 0x0d || byte === 0x09;
}

/** Deeper than this brackets are counted, not told apart: memory stays bounded whatever comes. */
const TYPED_DEPTH_MAX = 100_000;

/** The brackets that are open, and the byte before, as far as telling a broken record needs them. */
export class Brackets {
  readonly #kinds: number[] = [];
  depth = 0;
  /** The last byte that was neither white space nor inside a string. */
  before = COMMA;

  reset(): void {
    this.depth = 0;
    this.before = COMMA;
  }

  open(byte: number): void {
    if (this.depth < TYPED_DEPTH_MAX) this.#kinds[this.depth] = byte;
    this.depth++;
    this.before = byte;
  }

  /** False when the bracket closes one of the other kind. */
  close(byte: number): boolean {
    this.depth--;
    this.before = byte;
    return this.depth >= TYPED_DEPTH_MAX || this.#kinds[this.depth] === (byte === LIST_END ? LIST : OBJECT);
  }

  /** A value may follow a colon, or, in a list, its opening or a comma. The first byte of a record always may. */
  mayOpen(): boolean {
    if (this.depth === 0 || this.before === COLON || this.depth > TYPED_DEPTH_MAX) return true;
    return this.#kinds[this.depth - 1] === LIST && (this.before === COMMA || this.before === LIST);
  }

  /** True where a string that begins now is the name of a member. */
  atName(): boolean {
    return this.#kinds[this.depth - 1] === OBJECT && (this.before === OBJECT || this.before === COMMA);
  }
}

import { type Brackets, COLON, LIST, OBJECT } from "./brackets.ts";

/** Watches a document go by for the list its records are in: a path of member names that ends in a list. */
export class ListWatch {
  readonly #path: readonly Uint8Array[];
  /** Names of the path we are inside of. */
  #matched = 0;
  /** How many bytes of the name being read have been compared; -1 while none is. */
  #nameAt = -1;
  /** The name read last on our level is the one wanted. */
  #fits = false;

  constructor(path: readonly string[]) {
    this.#path = path.map((name) => Buffer.from(name));
  }

  reset(): void {
    this.#matched = 0;
    this.#nameAt = -1;
    this.#fits = false;
  }

  get reading(): boolean {
    return this.#nameAt >= 0;
  }

  stringBegins(brackets: Brackets): void {
    if (brackets.depth !== this.#matched + 1 || this.#matched >= this.#path.length || !brackets.atName()) return;
    this.#nameAt = 0;
    this.#fits = true;
  }

  byteOfName(byte: number): void {
    this.#fits &&= byte === this.#path[this.#matched]?.[this.#nameAt];
    this.#nameAt++;
  }

  nameEnds(): void {
    this.#fits &&= this.#nameAt === this.#path[this.#matched]?.length;
    this.#nameAt = -1;
  }

  /** Called before a bracket opens: true when it opens the list that is wanted. */
  opens(byte: number, brackets: Brackets): boolean {
    if (!this.#fits || brackets.before !== COLON || brackets.depth !== this.#matched + 1) return false;
    this.#fits = false;
    if (this.#matched === this.#path.length - 1) return byte === LIST;
    if (byte === OBJECT) this.#matched++;
    return false;
  }

  closed(brackets: Brackets): void {
    if (this.#matched > brackets.depth) this.#matched = brackets.depth;
  }
}

/** The bytes of one record, gathered from the buffers it lies in; past the limit they are counted, not held. */
export class HeldBytes {
  readonly #maxBytes: number;
  #parts: Uint8Array[] = [];
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get tooLong(): boolean {
    return this.#length > this.#maxBytes;
  }

  add(part: Uint8Array): void {
    this.#length += part.length;
    if (part.length > 0 && !this.tooLong) this.#parts.push(part);
  }

  /** What was held; without copying where the record lay in one buffer. */
  bytes(): Uint8Array {
    const only = this.#parts.length === 1 ? this.#parts[0] : undefined;
    return only ?? Buffer.concat(this.#parts);
  }

  clear(): void {
    this.#parts = [];
    this.#length = 0;
  }
}

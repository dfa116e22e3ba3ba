/**
 * Values used of late, about `max` of them, in two generations: when the younger is full it becomes the older, and what is
 * not asked for again goes with that one. It costs one lookup where a list in order of use costs several writes.
 */
export class Recent<V> {
  readonly #max: number;
  #younger = new Map<string, V>();
  #older = new Map<string, V>();

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#younger.size + this.#older.size;
  }

  get(key: string): V | undefined {
    const known = this.#younger.get(key);
    if (known !== undefined) return known;
    const old = this.#older.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: string, value: V): void {
    if (this.#younger.size >= this.#max / 2) {
      this.#older = this.#younger;
      this.#younger = new Map();
    }
    this.#younger.set(key, value);
  }
}

/** Of a map the entries whose values are no higher than some number. */
export class LimitedMap<Key> implements ReadonlyMap<Key, number> {
  readonly size: number
  readonly #all: ReadonlyMap<Key, number>
  readonly #most: number

  /** @param options `size`: how many entries that are */
  constructor(all: ReadonlyMap<Key, number>, { most, size }: { readonly most: number; readonly size: number }) {
    this.#all = all
    this.#most = most
    this.size = size
  }

  get(key: Key): number | undefined {
    const value = this.#all.get(key)
    return value !== undefined && value <= this.#most ? value : undefined
  }

  has(key: Key): boolean {
    return this.get(key) !== undefined
  }

  forEach(visit: (value: number, key: Key, map: ReadonlyMap<Key, number>) => void): void {
    for (const [key, value] of this) visit(value, key, this)
  }

  *entries(): Generator<[Key, number], undefined> {
    for (const entry of this.#all) if (entry[1] <= this.#most) yield entry
  }

  *keys(): Generator<Key, undefined> {
    for (const [key] of this) yield key
  }

  *values(): Generator<number, undefined> {
    for (const [, value] of this) yield value
  }

  [Symbol.iterator](): Generator<[Key, number], undefined> {
    return this.entries()
  }
}

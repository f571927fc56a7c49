/** Two maps without a key in common, as one: first the one, then the other. */
export class JoinedMap<Key, Value> implements ReadonlyMap<Key, Value> {
  readonly #first: ReadonlyMap<Key, Value>
  readonly #second: ReadonlyMap<Key, Value>

  constructor(first: ReadonlyMap<Key, Value>, second: ReadonlyMap<Key, Value>) {
    this.#first = first
    this.#second = second
  }

  get size(): number {
    return this.#first.size + this.#second.size
  }

  get(key: Key): Value | undefined {
    return this.#first.get(key) ?? this.#second.get(key)
  }

  has(key: Key): boolean {
    return this.#first.has(key) || this.#second.has(key)
  }

  forEach(visit: (value: Value, key: Key, map: ReadonlyMap<Key, Value>) => void): void {
    for (const [key, value] of this) visit(value, key, this)
  }

  *entries(): Generator<[Key, Value], undefined> {
    yield* this.#first
    yield* this.#second
  }

  *keys(): Generator<Key, undefined> {
    yield* this.#first.keys()
    yield* this.#second.keys()
  }

  *values(): Generator<Value, undefined> {
    yield* this.#first.values()
    yield* this.#second.values()
  }

  [Symbol.iterator](): Generator<[Key, Value], undefined> {
    return this.entries()
  }
}

/** Texts by name, each made when it is first read. */
export class MadeTexts implements ReadonlyMap<string, string> {
  readonly #texts: Map<string, string | (() => string)>

  constructor(texts: Iterable<readonly [string, string | (() => string)]>) {
    this.#texts = new Map(texts)
  }

  get size(): number {
    return this.#texts.size
  }

  has(name: string): boolean {
    return this.#texts.has(name)
  }

  get(name: string): string | undefined {
    const text = this.#texts.get(name)
    if (typeof text !== 'function') return text
    const made = text()
    this.#texts.set(name, made)
    return made
  }

  forEach(visit: (text: string, name: string, map: ReadonlyMap<string, string>) => void): void {
    for (const [name, text] of this) visit(text, name, this)
  }

  *entries(): Generator<[string, string], undefined> {
    for (const name of this.keys()) yield [name, this.get(name)!]
  }

  keys(): MapIterator<string> {
    return this.#texts.keys()
  }

  *values(): Generator<string, undefined> {
    for (const [, text] of this) yield text
  }

  [Symbol.iterator](): Generator<[string, string], undefined> {
    return this.entries()
  }
}

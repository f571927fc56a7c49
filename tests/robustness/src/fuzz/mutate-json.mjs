/** Numbers at which parsers give way. */
const oddNumbers = [
  0,
  -0,
  1,
  -1,
  2,
  1.5,
  -1.5,
  127,
  128,
  255,
  256,
  65535,
  65536,
  2 ** 24,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53,
  2 ** 63,
]
const oddMagnitudes = [1e308, -1e308, 1e-320, 1e9, -1e9, 123456789012345680000]

/** Texts at which parsers give way: paths, names of JavaScript, marks, escapes, halves of characters. */
const oddTexts = [
  '',
  ' ',
  '.',
  '..',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '__metadata__',
  'NaN',
  '1e999',
  'con',
  '%s%n',
  '../../etc/passwd',
  '/etc/passwd',
  'a\0b',
  'a\nb',
  '\u001b[31mred\u001b[0m',
  '\uD800',
  '\uFDD1vocab',
  '\u0000NaN',
  '\u0000key',
  '💥',
  '${x}',
  '{{7*7}}',
  "'; DROP",
  'model.layers.0.0.0.0.w',
  '\ufeff',
  'model.layers.99999.x',
  '\u2028',
  'x'.repeat(2000),
]

/** Keys past these are not chosen. */
const maxPaths = 4000
const maxDepth = 3

/** @typedef {import('../random.mjs').Random} Random */

/** @param {Random} random */
export const oddNumber = (random) => random.pick(random.chance(0.8) ? oddNumbers : oddMagnitudes)

/** @param {Random} random */
export const oddText = (random) => random.pick(oddTexts)

/** Makes a value of JSON that nobody expects. @param {Random} random */
export function oddValue(random, depth = 0) {
  const kind = random.below(depth < maxDepth ? 10 : 8)
  if (kind < 3) return oddNumber(random)
  if (kind < 6) return oddText(random)
  if (kind === 6) return null
  if (kind === 7) return random.chance(0.5)
  if (kind === 8) return Array.from({ length: random.below(5) }, () => oddValue(random, depth + 1))
  return ownKeys(Array.from({ length: random.below(4) }, () => [oddText(random), oddValue(random, depth + 1)]))
}

/** An object in which `__proto__` is a key like any other. */
const ownKeys = (entries) => {
  const object = {}
  for (const [key, value] of entries) setOwn(object, key, value)
  return object
}

const setOwn = (holder, key, value) =>
  Object.defineProperty(holder, key, { value, enumerable: true, writable: true, configurable: true })

/**
 * Changes one to three places of a value of JSON.
 * @param {Random} random @param {unknown} value which is not changed itself
 */
export function mutateJson(random, value) {
  const copy = structuredClone(value)
  for (let count = 1 + random.below(3); count > 0; count--) {
    const paths = listPaths(copy)
    const path = random.pick(paths)
    if (path.length === 0) {
      if (random.chance(0.05)) return oddValue(random)
      continue
    }
    const holder = valueAt(copy, path.slice(0, -1))
    if (holder !== null && typeof holder === 'object') mutateEntry(random, { copy, paths, holder, key: path.at(-1) })
  }
  return copy
}

function mutateEntry(random, { copy, paths, holder, key }) {
  const value = holder[key]
  const set = (newValue, name = key) => setOwn(holder, name, newValue)
  const change = random.pick(['replace', 'remove', 'nudge', 'rename', 'copy', 'add', 'wrap', 'repeat'])
  switch (change) {
    case 'replace':
      return set(oddValue(random))
    case 'remove':
      return Array.isArray(holder) ? holder.splice(Number(key), 1) : delete holder[key]
    case 'nudge':
      return set(
        typeof value === 'number'
          ? random.pick([value + 1, value - 1, value * 2, -value, value + 0.5])
          : oddValue(random),
      )
    case 'rename':
      if (Array.isArray(holder)) return holder.push(oddValue(random))
      delete holder[key]
      return set(value, oddText(random))
    case 'copy':
      return set(structuredClone(valueAt(copy, random.pick(paths))))
    case 'add':
      return Array.isArray(holder) ? holder.push(oddValue(random)) : set(oddValue(random), oddText(random))
    case 'wrap':
      return set(
        typeof value === 'string' ? value + oddText(random) : typeof value === 'number' ? String(value) : [value],
      )
    case 'repeat':
      return Array.isArray(value) ? value.push(...structuredClone(value.slice(0, 50))) : set(oddValue(random))
  }
}

const valueAt = (value, path) => path.reduce((holder, key) => holder?.[key], value)

function listPaths(value, path = [], found = []) {
  if (found.length > maxPaths) return found
  found.push(path)
  if (value !== null && typeof value === 'object')
    for (const key of Object.keys(value)) listPaths(value[key], [...path, key], found)
  return found
}

/** JSON text, also of what JSON has no text for. @param {unknown} value */
export const stringify = (value) => JSON.stringify(value) ?? 'null'

/** A mutated value mostly, else mutated text. @param {Random} random @param {unknown} value @param {(random: Random, text: string) => string} mutateText */
export const mutateDocument = (random, value, mutateText) =>
  random.chance(0.75) ? stringify(mutateJson(random, value)) : mutateText(random, stringify(value))

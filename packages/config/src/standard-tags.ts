import type { ScalarNode } from './config-tree.ts'

type Value = Pick<ScalarNode, 'value' | 'quoted'>

const prefix = 'tag:yaml.org,2002:'

/** The tags of YAML's own types that say nothing which a list or a mapping does not show. */
export const isCollectionTag = (tag: string): boolean => tag === `${prefix}map` || tag === `${prefix}seq`

/** The tags that are read here. */
export const isScalarTag = (tag: string): boolean => /^(tag:yaml\.org,2002:(float|int|bool|str|null)|!)$/.test(tag)

/** Says that values with this tag are not read. */
export const noPlaceFor = (tag: string): string =>
  `a value of the type '${tag.startsWith(prefix) ? tag.slice(prefix.length) : tag}' has no place in a recipe`

/**
 * Reads a scalar by a tag of YAML's own: `!!float 1`, `!!int "3"`, `!!bool yes`, `!!str 0.5`, `!!null ''`, `! text`.
 * @returns undefined for another tag, or a text that is none of that type
 */
export function readTagged(tag: string, text: string): Value | undefined {
  const value = valueOf(tag.startsWith(prefix) ? tag.slice(prefix.length) : tag, text.trim(), text)
  return value === undefined ? undefined : { value, quoted: typeof value === 'string' }
}

function valueOf(type: string, text: string, untrimmed: string): ScalarNode['value'] | undefined {
  switch (type) {
    case 'str':
    case '!':
      return untrimmed
    case 'float':
      return floatOf(text)
    case 'int':
      return integerOf(text)
    case 'bool':
      return booleanOf(text)
    case 'null':
      return /^(|~|null|Null|NULL)$/.test(text) ? null : undefined
    default:
      return undefined
  }
}

function floatOf(text: string): number | undefined {
  const special = /^([-+]?)\.(inf|nan)$/i.exec(text)
  if (special !== null) return special[2]!.toLowerCase() === 'nan' ? NaN : special[1] === '-' ? -Infinity : Infinity
  const digits = text.replaceAll('_', '')
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(digits) ? Number(digits) : undefined
}

function integerOf(text: string): number | undefined {
  const digits = text.replaceAll('_', '')
  const [, sign, number] = /^([-+]?)(\d+|0x[\da-f]+|0o[0-7]+|0b[01]+)$/i.exec(digits) ?? []
  return number === undefined ? undefined : Number(number) * (sign === '-' ? -1 : 1)
}

function booleanOf(text: string): boolean | undefined {
  if (/^(true|yes|on)$/i.test(text)) return true
  return /^(false|no|off)$/i.test(text) ? false : undefined
}

const longest = 120

/** What a terminal or a page would act on: control characters, line separators, marks of direction, a byte order mark. */
const unprintable =
  // oxlint-disable-next-line no-control-regex -- these are what must not reach a terminal
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g

/** Tokens of Hugging Face, and the name and password in an address: whoever put them where they don't belong does not get them back. */
const secret = /\bhf_[A-Za-z0-9]{30,}|(?<=\/\/)[^/\s:@]+:[^/\s@]+(?=@)/g

/** Longer than any. */
const tokenCharacters = 100

const conceal = (text: string): string => text.replace(secret, (found) => (found.startsWith('hf_') ? 'hf_…' : '…'))

/** Finds where a token of Hugging Face stands in a text; -1 where there is none. */
export const indexOfToken = (text: string): number => text.search(/\bhf_[A-Za-z0-9]{30,}/)

const escape = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** Cuts a text from an input to what a message can bear, shows control characters escaped, and conceals tokens. */
export function shortened(text: string, limit = longest): string {
  // A token that the cut goes through is concealed, too.
  const cut =
    text.length > limit
      ? `${conceal(text.slice(0, limit + tokenCharacters)).slice(0, limit)}… (${text.length} characters)`
      : conceal(text)
  return cut.replace(unprintable, escape)
}

/** Shows control characters and terminal escapes of a text escaped, and conceals tokens; line ends stay. The text is not cut. */
export const printable = (text: string): string =>
  conceal(text).replace(unprintable, (character) => (character === '\n' ? character : escape(character)))

/**
 * Quotes a value from an input for a message: as JSON where that is possible, never longer than a message can bear, and without
 * walking through more of it than is shown.
 */
export function quoted(value: unknown, limit = longest): string {
  if (typeof value === 'string') return `'${shortened(value, limit)}'`
  const text = conceal(json(value, limit + tokenCharacters))
  return shortened(text.length > limit ? `${text.slice(0, limit)}…` : text, limit + 1)
}

/** Stops a little past the limit; what is nested takes a character a level, so that the limit holds for the depth, too. */
function json(value: unknown, limit: number): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, limit + 1))
  if (typeof value !== 'object' || value === null) return String(value)
  if (Array.isArray(value)) {
    let text = '['
    for (let index = 0; index < value.length && text.length <= limit; index++)
      text += `${index > 0 ? ',' : ''}${json(value[index], limit - text.length)}`
    return `${text}]`
  }
  let text = '{'
  for (const [key, item] of entriesOf(value)) {
    if (text.length > limit) break
    text += `${text.length > 1 ? ',' : ''}${JSON.stringify(key.slice(0, limit))}:${json(item, limit - text.length)}`
  }
  return `${text}}`
}

function* entriesOf(value: object): Iterable<[string, unknown]> {
  for (const key in value) if (Object.hasOwn(value, key)) yield [key, (value as Record<string, unknown>)[key]]
}

/** Says how many there are of something: `1 tensor`, `2 tensors`. @param noun one that takes an s */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`

import type { Splitter } from './split-texts.ts'
import type { TokenMeaning } from './token-text.ts'

/** A tokenizer, and what its tokens mean. */
export interface NumberReader {
  readonly splitter: Splitter
  readonly tokens: readonly TokenMeaning[]
}

const numbers = ['7', '42', '365', '2024', '65536', '1234567']

/** A number that two tokenizers split otherwise, with the digits of each token. */
export interface SplitNumber {
  readonly number: string
  readonly model: string
  readonly donor: string
}

/** Finds a number that two tokenizers split otherwise; numbers that one of them can't write are passed over. */
export function findSplitNumber(model: NumberReader, donor: NumberReader): SplitNumber | undefined {
  const [ofModel, ofDonor] = [digitsBy(model), digitsBy(donor)]
  for (const number of numbers) {
    const [own, other] = [ofModel(number), ofDonor(number)]
    if (own !== undefined && other !== undefined && own !== other) return { number, model: own, donor: other }
  }
  return undefined
}

function digitsBy({ splitter, tokens }: NumberReader): (number: string) => string | undefined {
  const texts = new Map(tokens.map(({ id, text }) => [id, text]))
  return (number) => {
    const parts = splitter.split(number).map((id) => texts.get(id)?.trim() ?? '')
    const digits = parts.filter((part) => part !== '')
    return digits.join('') === number ? digits.join(' ') : undefined
  }
}

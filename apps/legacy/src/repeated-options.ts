import { InvalidArgumentError } from 'commander'

/** Collects the values of an option that may be repeated. */
export const append = (value: string, before: readonly string[] = []): string[] => [...before, value]

/** Collects the numbers of an option that may be repeated. @throws InvalidArgumentError for what is no number */
export function appendNumber(text: string, before: readonly number[] = []): number[] {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Expected a number.')
  return [...before, value]
}

import { defineError } from './define-error.ts'
import { defineIssues, usage } from './issues.ts'
import { quoted } from './text.ts'

interface WrongArgument {
  /** The function that was called. */
  readonly call: string
  /** The argument, or a property of it: `options.out`. */
  readonly argument: string
  readonly expected: string
  readonly found: unknown
}

const callRules = defineIssues({
  'wrong-argument': usage<WrongArgument>(
    ({ call, argument, expected, found }) =>
      `${call}: ${argument} is ${found === undefined ? 'not given' : quoted(found)}, expected ${expected}`,
  ),
})

/** What a call from plain JavaScript gave that its types don't allow. */
export class CallError extends defineError('CallError', callRules) {}

/**
 * Refuses a call whose argument isn't what its types say, as plain JavaScript can make it.
 * @throws CallError 'wrong-argument' unless `holds`
 */
export function expectArgument(holds: boolean, call: string, argument: Omit<WrongArgument, 'call'>): asserts holds {
  if (!holds) throw new CallError({ code: 'wrong-argument', call, ...argument })
}

/** Tells whether a value is an object with keys: not null, and no list. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

import { expectArgument } from '@mk/errors'

/** Refuses a call that names no output folder. @throws CallError */
export const expectOut = (call: string, out: unknown): void =>
  expectArgument(typeof out === 'string', call, {
    argument: 'options.out',
    expected: 'the path of a folder',
    found: out,
  })

import { expect, it } from 'vitest'
import { defineError, defineIssues, failure, hasCode, packError, unpackError } from './index.ts'

class TeaError extends defineError(
  'TeaError',
  defineIssues({ spilled: failure<{ readonly how: unknown }>(({ how }) => `spilled ${typeof how}`) }),
) {}

it('brings name, message, stack, code, issue and fault through structured clone', () => {
  const error = new TeaError({ code: 'spilled', how: [1, 2] })
  const back = unpackError(structuredClone(packError(error)))
  expect(back).toMatchObject({ name: 'TeaError', message: error.message, stack: error.stack })
  expect(back).toMatchObject({ code: 'spilled', fault: 'failure', issue: { code: 'spilled', how: [1, 2] } })
  expect(hasCode(back, 'spilled')).toBe(true)
})

it('leaves out facts that cannot be cloned', () => {
  const packed = packError(new TeaError({ code: 'spilled', how: () => 1 }))
  expect(structuredClone(packed).known).toEqual({ code: 'spilled', issue: { code: 'spilled' }, fault: 'failure' })
})

it('keeps an error of the system unknown, and takes what is no error', () => {
  const back = unpackError(packError(new RangeError('too far')))
  expect(back).toMatchObject({ name: 'RangeError', message: 'too far' })
  expect(hasCode(back, 'undefined')).toBe(false)
  expect(unpackError(packError('oops')).message).toBe('oops')
})

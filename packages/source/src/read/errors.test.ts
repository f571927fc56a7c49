import { expect, it } from 'vitest'
import { SourceError } from './errors.ts'

it('says what could not be read, and where', () => {
  const texts = [
    new SourceError({ code: 'unreadable-file', file: 'a.bin', reason: 'EIO' }),
    new SourceError({ code: 'file-ended', file: 'a.bin', byte: 3, byteEnd: 9 }),
    new SourceError({ code: 'group-out-of-range', file: 'a.bin', column: 1, group: 7, groupCount: 4 }),
  ].map(({ name, fault, message }) => `${name} (${fault}): ${message}`)
  expect(texts).toEqual([
    'SourceError (failure): a.bin: cannot be read: EIO',
    'SourceError (failure): a.bin: ends at byte 3, but its tensors reach to byte 9 at least; it was cut off, or changed while it was read',
    'SourceError (usage): a.bin: column 1 of quantized weights is in group 7; expected one of the 4 groups that have a scale, from 0 on',
  ])
})

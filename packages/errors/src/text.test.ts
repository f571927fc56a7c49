import { expect, it } from 'vitest'
import { counted, defineError, defineIssues, indexOfToken, printable, quoted, shortened, usage } from './index.ts'

it('cuts a long text and says how long it was', () => {
  expect(shortened('a'.repeat(200), 10)).toBe('aaaaaaaaaa… (200 characters)')
  expect(shortened('short', 10)).toBe('short')
})

it('shows control characters and terminal escapes escaped', () => {
  expect(shortened('a\u001b[31mb\nc\u0000\u009b')).toBe('a\\u001b[31mb\\u000ac\\u0000\\u009b')
})

it('conceals tokens and passwords', () => {
  const token = `hf_${'aB3'.repeat(11)}`
  expect(printable(`https://me:secret@host/x ${token}`)).toBe('https://…@host/x hf_…')
  expect(shortened(`?token=${token}`)).toBe('?token=hf_…')
  expect([indexOfToken(`a ${token}`), indexOfToken('hf_short')]).toEqual([2, -1])
  expect(quoted({ token })).toBe('{"token":"hf_…"}')
  for (let before = 0; before < 160; before++) {
    const text = `${'x'.repeat(before)} ${token}`
    for (const shown of [shortened(text), quoted(text), quoted([text]), quoted({ [text]: 1 })])
      expect(shown).not.toContain('hf_a')
  }
  expect(printable('models/hf_llama_3_8b_instruct, http://host:80/a@b')).toBe(
    'models/hf_llama_3_8b_instruct, http://host:80/a@b',
  )
})

it('quotes values of every kind', () => {
  expect(quoted('x')).toBe("'x'")
  expect(quoted([1, 'a'])).toBe('[1,"a"]')
  expect(quoted(undefined)).toBe('undefined')
  expect(quoted(1n)).toBe('1')
  expect(quoted(Infinity)).toBe('Infinity')
  expect(quoted('b'.repeat(300)).length).toBeLessThan(150)
})

it('quotes what is nested or long without walking through it', () => {
  let nested: unknown = []
  for (let depth = 0; depth < 100_000; depth++) nested = depth % 2 === 0 ? [nested] : { a: nested }
  expect(quoted(nested)).toMatch(/^\{"a":\[\{"a":.{90,110}…$/)
  expect(quoted(Array(1e7).fill(1)).length).toBeLessThan(130)
  expect(quoted({ a: 'x'.repeat(1e6), b: 1 }).length).toBeLessThan(130)
})

it('shows marks that turn the direction of a text', () => {
  expect(printable('a\u202eb\n\u001b]0;x\u0007')).toBe('a\\u202eb\n\\u001b]0;x\\u0007')
})

it('lets no rule write a message without end, or with a terminal escape', () => {
  const rules = defineIssues({ raw: usage<{ readonly text: string }>(({ text }) => `${text}; expected less`) })
  class RawError extends defineError('RawError', rules) {}
  const { message } = new RawError({ code: 'raw', text: `\u001b[2J${'x'.repeat(1e6)}` }, { prefix: 'a\rb' })
  expect(message).toMatch(/^a\\u000db: \\u001b\[2Jxxx.* … x*; expected less$/)
  expect(message.length).toBeLessThan(4000)
})

it('counts one of a thing and several', () => {
  expect([0, 1, 2].map((count) => counted(count, 'tensor'))).toEqual(['0 tensors', '1 tensor', '2 tensors'])
})

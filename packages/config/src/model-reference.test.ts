import { describe, expect, it } from 'vitest'
import { ConfigError } from './errors.ts'
import { formatModelReference, parseModelReference, sameModel } from './model-reference.ts'

describe('parseModelReference', () => {
  it.each([
    ['org/name', { path: 'org/name', adapters: [] }],
    ['org/name@v1', { path: 'org/name', revision: 'v1', adapters: [] }],
    ['org/name+org/lora', { path: 'org/name', adapters: [{ path: 'org/lora' }] }],
    ['a@1+b@2+c', { path: 'a', revision: '1', adapters: [{ path: 'b', revision: '2' }, { path: 'c' }] }],
    [String.raw`C:\Users\me\models\x`, { path: String.raw`C:\Users\me\models\x`, adapters: [] }],
    ['./models/with space', { path: './models/with space', adapters: [] }],
  ])('reads %s', (text, reference) => {
    expect(parseModelReference(text)).toEqual(reference)
    expect(formatModelReference(parseModelReference(text))).toBe(text)
  })

  it('reads the object form', () => {
    expect(
      parseModelReference({
        model: { path: 'me@home/a+b', revision: 'main' },
        lora: { path: 'l' },
        override_architecture: 'LlamaForCausalLM',
      }),
    ).toEqual({
      path: 'me@home/a+b',
      revision: 'main',
      adapters: [{ path: 'l' }],
      overrideArchitecture: 'LlamaForCausalLM',
    })
    expect(parseModelReference({ model: 'a@1', lora: 'b@2' })).toEqual(parseModelReference('a@1+b@2'))
    expect(parseModelReference({ model: 'a', lora: ['b', { path: 'c' }] })).toEqual(parseModelReference('a+b+c'))
  })

  it.each(['a@b@c', 'a@', '@b', 'a+', '+b', 'a++b'])('tells the object form where %s is no reference', (text) => {
    expect(() => parseModelReference(text)).toThrow('{model: {path: …}}')
  })

  it.each([
    ['a@b@c', 'bad-model-reference', `more than one '@'`],
    ['a@', 'bad-model-reference', `no revision after '@'`],
    ['@b', 'bad-model-reference', `no path before '@'`],
    ['a+', 'bad-model-reference', `no path on one side of a '+'`],
    ['@v+a@', 'bad-model-reference', `no path before '@'`],
    ['a@+@v', 'bad-model-reference', `no revision after '@'`],
    ['a@b@c+', 'bad-model-reference', `more than one '@'`],
    ['', 'wrong-value', 'expected a model'],
    [true, 'wrong-value', 'expected a model'],
    [['a'], 'wrong-value', 'a list, expected a model'],
    [{ path: 'a' }, 'unknown-key', 'a path stands under model'],
    [{ lora: 'a' }, 'missing-key', `needs 'model'`],
    [{ model: 'a', loar: 'b' }, 'unknown-key', `did you mean 'lora'?`],
    [{ model: { revision: 'b' } }, 'missing-key', `model needs 'path'`],
    [
      { model: 'a', lora: 'b@c@d' },
      'bad-model-reference',
      `lora: 'b@c@d' is no model reference: it has more than one '@'`,
    ],
    [{ model: 'a', lora: ['b', 'c@'] }, 'bad-model-reference', `lora[1]: 'c@' is no model reference`],
    [
      { model: 'a', override_architecture: ['b'] },
      'wrong-value',
      `override_architecture is a list, expected the name of`,
    ],
  ])('rejects %j', (reference, code, message) => {
    const parse = () => parseModelReference(reference)
    expect(parse).toThrow(ConfigError)
    expect(parse).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }))
  })
})

describe('sameModel', () => {
  const same = (a: string, b: string) => sameModel(parseModelReference(a), parseModelReference(b))

  it('compares path, revision and adapters', () => {
    expect(same('a@1+b', 'a@1+b')).toBe(true)
    expect(same('a', 'b')).toBe(false)
    expect(same('a', 'a@main')).toBe(false)
    expect(same('a', 'a+b')).toBe(false)
    expect(same('a+b+c', 'a+c+b')).toBe(false)
  })

  it('compares sums by what they are made of', () => {
    const sumOf = (...plus: readonly (readonly [string, number])[]) =>
      parseModelReference({ base: 'a', plus: plus.map(([model, weight]) => ({ model, weight })) })
    const sum = sumOf(['b', 1], ['c', 2])
    expect(sameModel(sum, sumOf(['./b', 1], ['c/', 2]))).toBe(false)
    const spelled = { ...sum, sum: sumOf(['./b', 1], ['c/', 2]).sum! }
    expect(sameModel(sum, spelled)).toBe(true)
    for (const other of [
      sumOf(['b', 1]),
      sumOf(['b', 1], ['c', 2], ['d', 3]),
      sumOf(['b', 1], ['c', 3]),
      sumOf(['b', 1], ['d', 2]),
      parseModelReference({ base: 'x', plus: sum.sum!.plus.map(({ weight }, i) => ({ model: 'bc'[i]!, weight })) }),
    ]) {
      expect(sameModel(sum, { ...sum, sum: other.sum! })).toBe(false)
      expect(sameModel({ ...sum, sum: other.sum! }, sum)).toBe(false)
    }
    const { sum: _, ...without } = sum
    expect(sameModel(sum, without)).toBe(false)
    expect(sameModel(without, sum)).toBe(false)
  })

  it('sees through spellings of one folder', () => {
    expect(same('./models/a/', 'models//a')).toBe(true)
    expect(same('/', '/')).toBe(true)
    expect(same('/models', 'models')).toBe(false)
    expect(same('.', './')).toBe(true)
    expect(same('../a', 'a')).toBe(false)
  })
})

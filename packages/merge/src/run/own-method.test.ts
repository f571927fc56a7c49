import { defineError, defineIssues, usage } from '@mk/errors'
import { builtinMethods, defineMethod } from '@mk/methods'
import { describe, expect, it } from 'vitest'
import { asMethod } from './own-method.ts'

const own = defineMethod({
  name: 'own',
  summary: 'Mine.',
  base: 'none',
  models: { min: 1 },
  parameters: { perModel: {}, methodWide: {} },
  merge: ({ models }) => models[0]!,
})
class TensorError extends defineError('TensorError', defineIssues({ 'no-such-slot': usage(() => 'no such input') })) {}
class SourceError extends defineError('SourceError', defineIssues({ 'file-gone': usage(() => 'it is gone') })) {}
const throwing = (thrown: unknown) => () => {
  throw thrown
}

describe('a method of the user that fails', () => {
  it.each([
    ['an error', new TypeError('mine'), 'mine'],
    ['a text', 'mine', 'it threw mine'],
    ['nothing', undefined, 'it threw undefined'],
    ['what has no text', { toString: 1 }, String.raw`it threw \{"toString":1\}`],
    ['what makes an expression that cannot be', new TensorError({ code: 'no-such-slot' }), 'no such input'],
  ])('is named where it throws %s', async (_, thrown, problem) => {
    await expect(asMethod(own, 'a.weight', throwing(thrown))).rejects.toMatchObject({
      code: 'own-method-failed',
      fault: 'usage',
      cause: thrown,
      message: expect.stringMatching(
        new RegExp(
          `^the merge method 'own', which is none of the built-in ones, failed for tensor 'a.weight': ${problem}`,
        ),
      ),
    })
  })

  it('says where in its module that is', async () => {
    const error = new Error('mine')
    error.stack = 'Error: mine\n    at merge (file:///home/me/my-module.mjs:3:9)'
    await expect(asMethod(own, 'a', throwing(error))).rejects.toThrow('mine (file:///home/me/my-module.mjs:3:9)')
  })

  it('is not blamed for a file that cannot be read', async () => {
    const error = new SourceError({ code: 'file-gone' })
    await expect(asMethod(own, 'a', throwing(error))).rejects.toBe(error)
  })
})

it('leaves what a built-in method throws to be reported', async () => {
  const error = new TypeError('ours')
  await expect(asMethod(builtinMethods.get('linear')!, 'a', throwing(error))).rejects.toBe(error)
})

import { describe, expect, it } from 'vitest'
import { expectClose, tuned } from '../__fixtures__/arrays.ts'
import { cases } from '../__fixtures__/elementwise.ts'
import { builtinMethods } from '../builtin-methods.ts'
import { findMethod } from '../check/find-method.ts'
import { mergeArrays } from '../merge-arrays.ts'

const { base, models } = tuned(100, 2)
const scaled = [...builtinMethods.values()].filter(({ parameters }) => 'lines_beta' in parameters.methodWide)
const required = (name: string) => (findMethod(name).parameters.perModel['weight'] === undefined ? {} : { weight: 0.5 })

describe('LiNeS', () => {
  it('is what numpy makes of the formula of the paper', async () => {
    const parameters = { weight: 0.5, lines_alpha: 0.3, lines_beta: 0.6 }
    for (const { base, models, layerDepth, expected } of cases('lines')) {
      const depth = layerDepth === undefined ? {} : { layerDepth }
      expectClose(await mergeArrays('task_arithmetic', { base, models, parameters, ...depth }), expected)
    }
  })

  it.each(scaled.map(({ name }) => [name]))('%s: the scale of a layer is another lambda', async (name) => {
    const of = (parameters: Record<string, number>, layerDepth?: number) =>
      mergeArrays(findMethod(name), {
        base,
        models,
        parameters: { ...required(name), ...parameters },
        ...(layerDepth === undefined ? {} : { layerDepth }),
      })
    expectClose(await of({ lines_alpha: 0.25, lines_beta: 0.5 }, 0.5), await of({ lambda: 0.5 }))
    expectClose(await of({ lines_alpha: 0.25, lines_beta: 0.5 }), await of({ lambda: 0.25 }))
    expect(await of({ lines_alpha: 0.25 }, 1)).toEqual(await of({ lambda: 0.25 }))
  })

  it('asks for depths where layers differ, and only there', () => {
    expect(scaled.length).toBeGreaterThan(9)
    for (const { usesDepth } of scaled) {
      expect(usesDepth!({ lines_beta: 0 })).toBe(false)
      expect(usesDepth!({ lines_beta: 0.5 })).toBe(true)
    }
  })
})

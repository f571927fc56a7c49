import { expect, it } from 'vitest'
import { noise } from '../__fixtures__/arrays.ts'
import { builtinMethods } from '../builtin-methods.ts'
import type { MethodError } from '../errors.ts'
import { mergeArrays } from '../merge-arrays.ts'

it('of several models that are not finite the first is named, by every method that refuses them', async () => {
  const shape = [4, 6]
  const broken = (seed: number) => noise(24, seed).map((value, i) => (i === 5 ? Infinity : value))
  const models = [noise(24, 1), broken(2), broken(3)]
  const square = Float32Array.from({ length: 36 }, (_, i) => Number(i % 7 === 0))
  const refusing: string[] = []
  for (const method of builtinMethods.values()) {
    if ((method.models.max ?? 3) < 3) continue
    for (const [example = {}] of [method.examples?.slice(0, 1) ?? [], method.examples?.slice(2, 3) ?? []]) {
      const parameters = {
        ...example,
        ...('statistics' in example && { statistics: square }),
        ...('importance' in example && { importance: noise(24, 9).map(Math.abs) }),
      }
      const error: unknown = await mergeArrays(method, {
        shape,
        base: noise(24, 7),
        models,
        parameters,
        warn: () => {},
      }).then(
        () => undefined,
        (reason: unknown) => reason,
      )
      const { issue } = (error ?? {}) as Partial<MethodError>
      if (issue?.code !== 'not-finite') continue
      refusing.push(method.name)
      expect([method.name, issue.model]).toEqual([method.name, 1])
    }
  }
  const names = ['ties', 'dare_linear', 'della', 'sce', 'model_stock', 'karcher', 'multislerp', 'iso_c', 'tsv_m', 'ace']
  expect(refusing).toEqual(expect.arrayContaining(names))
})

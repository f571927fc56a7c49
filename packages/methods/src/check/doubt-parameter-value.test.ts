import { expect, it } from 'vitest'
import { z } from 'zod'
import * as mini from 'zod/mini'
import { builtinMethods } from '../builtin-methods.ts'
import { moderate, share } from '../declare/parameter-schemas.ts'
import { doubtParameterValue } from './parse-parameters.ts'

const declaration = {
  name: 'm',
  parameters: {
    perModel: { part: z.number().describe('How much is kept.').meta(share), factor: z.number().meta(moderate) },
    methodWide: {
      most: z.number().meta({ usual: { max: 3 } }),
      least: z.number().meta({ usual: { min: 1e-8 } }),
      any: z.number(),
      small: mini.number().check(mini.describe('Of zod/mini.'), mini.meta({ usual: { max: 2 } })),
    },
  },
} as const

it.each<[string, unknown, string | undefined]>([
  ['part', 0, undefined],
  ['part', 1, undefined],
  ['part', 1.5, `'part' is 1.5, usual is from 0 to 1 (How much is kept)`],
  ['part', -0.1, `'part' is -0.1, usual is from 0 to 1 (How much is kept)`],
  ['part', 1.99, `'part' is 1.99, usual is from 0 to 1 (How much is kept)`],
  ['part', 2, `'part' is 2, usual is from 0 to 1 (How much is kept); if 2 % is meant, write 0.02`],
  ['part', 100, `'part' is 100, usual is from 0 to 1 (How much is kept); if 100 % is meant, write 1`],
  ['part', 101, `'part' is 101, usual is from 0 to 1 (How much is kept)`],
  ['factor', 10, undefined],
  ['factor', -10, undefined],
  ['factor', 50, `'factor' is 50, usual is from -10 to 10`],
  ['factor', -11, `'factor' is -11, usual is from -10 to 10`],
  ['most', 3, undefined],
  ['most', -1e9, undefined],
  ['most', 4, `'most' is 4, usual is up to 3`],
  ['least', 1e-8, undefined],
  ['least', 1e-9, `'least' is 1e-9, usual is from 1e-8`],
  ['any', 1e9, undefined],
  ['small', 2, undefined],
  ['small', 3, `'small' is 3, usual is up to 2 (Of zod/mini)`],
  ['part', 'all', undefined],
  ['none', 7, undefined],
  ['toString', 7, undefined],
])('%s of %s', (parameter, value, doubt) => {
  expect(doubtParameterValue(declaration, parameter, value)).toBe(doubt)
})

it('finds nothing to doubt in the defaults of any method', () => {
  for (const method of builtinMethods.values())
    for (const schemas of Object.values(method.parameters))
      for (const [name, schema] of Object.entries(schemas)) {
        const { success, data } = mini.safeParse(schema, undefined)
        expect([method.name, name, success && doubtParameterValue(method, name, data)]).toEqual([
          method.name,
          name,
          success && undefined,
        ])
      }
})

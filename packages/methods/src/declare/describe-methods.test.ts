import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { builtinMethods } from '../builtin-methods.ts'
import { defineMethod } from './define-method.ts'
import { describeMethods } from './describe-methods.ts'

const described = describeMethods()
const parametersOf = (name: string) => described.find((method) => method.name === name)!.parameters

describe('describeMethods', () => {
  it('knows every built-in method', () => {
    expect(described.map(({ name }) => name)).toEqual([...builtinMethods.keys()])
  })

  it('tells scope, type, default and whether a parameter is required', () => {
    expect(parametersOf('della')).toEqual([
      {
        name: 'weight',
        scope: 'per model',
        type: 'number | metagpt | inverse_norm',
        required: true,
        allowed: 'a number, metagpt or inverse_norm',
        description: expect.any(String),
      },
      {
        name: 'density',
        scope: 'per model',
        type: 'number',
        allowed: 'a number of at least 0',
        usual: { min: 0, max: 1 },
        required: false,
        default: 1,
        description: expect.any(String),
      },
      {
        name: 'epsilon',
        scope: 'per model',
        type: 'number',
        allowed: 'a number of at least 0',
        required: false,
        default: 0.15,
        description: expect.any(String),
      },
      {
        name: 'normalize',
        scope: 'method-wide',
        type: 'boolean',
        allowed: 'true or false',
        required: false,
        default: true,
        description: expect.any(String),
      },
      {
        name: 'rescale',
        scope: 'method-wide',
        type: 'boolean',
        allowed: 'true or false',
        required: false,
        default: true,
        description: expect.any(String),
      },
      {
        name: 'lambda',
        scope: 'method-wide',
        type: 'number',
        allowed: 'a number',
        usual: { min: -10, max: 10 },
        required: false,
        default: 1,
        description: expect.any(String),
      },
      {
        name: 'lines_alpha',
        scope: 'method-wide',
        type: 'number',
        allowed: 'a number',
        usual: { min: -10, max: 10 },
        required: false,
        default: 1,
        description: expect.any(String),
      },
      {
        name: 'lines_beta',
        scope: 'method-wide',
        type: 'number',
        allowed: 'a number',
        usual: { min: -10, max: 10 },
        required: false,
        default: 0,
        description: expect.any(String),
      },
      {
        name: 'consensus_method',
        scope: 'method-wide',
        type: 'sum | count',
        allowed: 'sum or count',
        required: false,
        default: 'sum',
        description: expect.any(String),
      },
      {
        name: 'int8_mask',
        scope: 'method-wide',
        type: 'boolean',
        allowed: 'true or false',
        required: false,
        default: false,
        description: expect.any(String),
      },
    ])
    expect(parametersOf('karcher')[0]).toMatchObject({ name: 'max_iter', type: 'integer', default: 10 })
    expect(parametersOf('passthrough')[0]).toEqual({
      name: 'scale',
      scope: 'per model',
      type: 'number',
      required: false,
      allowed: 'a number',
      default: 1,
      description: expect.any(String),
    })
  })

  it.each([
    ['dare_linear', false, true],
    ['dare_ties', false, true],
    ['della', true, true],
    ['della_linear', false, true],
    ['ties', true, false],
    ['breadcrumbs', false, false],
    ['breadcrumbs_ties', false, false],
  ])('%s: normalize %s and rescale %s unless set otherwise', (name, normalize, rescale) => {
    const defaults = Object.fromEntries(parametersOf(name).map((parameter) => [parameter.name, parameter.default]))
    expect(defaults).toMatchObject({ normalize, rescale })
  })

  it('says something about every method and parameter', () => {
    for (const { summary, parameters } of described) {
      expect(summary).toMatch(/^\S.*\.$/)
      for (const { description } of parameters) expect(description).toMatch(/^\S.*\.$/)
    }
  })

  it('is plain JSON', () => {
    expect(JSON.parse(JSON.stringify(described))).toEqual(described)
  })

  it('describes types of users as well as it can', () => {
    const perModel = {
      a: z.string().transform((s) => s.length),
      b: z.union([z.number(), z.boolean()]).default(3),
      c: z.custom<Date>(),
    }
    const method = defineMethod({
      name: 'own',
      summary: '',
      base: 'none',
      models: { min: 1 },
      parameters: { perModel, methodWide: {} },
      merge: ({ models }) => models[0]!,
    })
    expect(describeMethods([method])[0]!.parameters.map(({ name, type, required }) => [name, type, required])).toEqual([
      ['a', 'string', true],
      ['b', 'number | boolean', false],
      ['c', 'any', false],
    ])
  })
})

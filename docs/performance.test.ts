import { readFileSync } from 'node:fs'
import { parseParameters } from '../packages/methods/src/index.ts'
import { expect, test } from 'vitest'
import { describePasses, makeTensors, measured, parametersOf, passesOf } from '../apps/cli/bench/passes.mjs'
import { countPasses } from '../packages/merge/src/plan/count-passes.ts'

const text = readFileSync(new URL('performance.md', import.meta.url), 'utf8')
const rows = new Map([...text.matchAll(/^\| (\w+) \| (\d[^|]*) \|/gm)].map(([, name, passes]) => [name!, passes!]))
const tensors = makeTensors()

test('the table has the methods that go through their inputs element by element', () => {
  expect([...rows.keys()]).toEqual(measured.map(({ name }) => name))
})

test.each(measured)('$name goes through its inputs as often as the table says', async (method) => {
  expect(describePasses(await passesOf(method, tensors))).toBe(rows.get(method.name))
})

test.each(measured)('a plan counts as many passes of $name', async (method) => {
  const source = { kind: 'file', file: 'f', dtype: 'BF16', shape: [320, 2048], byteStart: 0 } as const
  const { max = 2 } = method.models
  const models = Array.from({ length: Math.min(max, 2) }, (_, input) => ({ input, name: 'w', source }))
  const given = parametersOf(method)
  const declared = Object.keys(method.parameters.perModel)
  const parameters = parseParameters(method, {
    perModel: models.map(() => Object.fromEntries(declared.map((name) => [name, given[name]]))),
    methodWide: given,
  })
  const base = method.base === 'required' ? { base: { input: 2, name: 'w', source } } : {}
  const operation = { kind: 'merge', models, ...base, parameters } as never
  const { passes } = await countPasses(method, { name: 'w', shape: source.shape, operation })
  expect(passes).toBe(Number.parseInt(rows.get(method.name)!, 10))
})

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { describePasses, makeTensors, measured, passesOf } from '../apps/cli/bench/passes.mjs'

const text = readFileSync(new URL('performance.md', import.meta.url), 'utf8')
const rows = new Map([...text.matchAll(/^\| (\w+) \| (\d[^|]*) \|/gm)].map(([, name, passes]) => [name!, passes!]))
const tensors = makeTensors()

test('the table has the methods that go through their inputs element by element', () => {
  expect([...rows.keys()]).toEqual(measured.map(({ name }) => name))
})

test.each(measured)('$name goes through its inputs as often as the table says', async (method) => {
  expect(describePasses(await passesOf(method, tensors))).toBe(rows.get(method.name))
})

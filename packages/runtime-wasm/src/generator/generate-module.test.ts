import { createDice, randomProgram } from '@mk/tensor/conformance'
import { input, add, mul } from '@mk/tensor'
import { lower } from '@mk/tensor/runtime'
import { expect, it } from 'vitest'
import wabt from 'wabt'
import { generateModule } from './generate-module.ts'

const { readWasm } = await wabt()
const linear = lower({ stores: [{ value: add(mul(input(0), 0.5), mul(input(1), 0.5)), dtype: 'BF16' }] }, [
  'BF16',
  'BF16',
]).program

it('gives modules that wabt validates, for random programs', () => {
  for (let seed = 1000; seed < 1040; seed++) {
    const module = readWasm(generateModule(randomProgram(createDice(seed)), 16), { readDebugNames: false })
    expect(() => module.validate()).not.toThrow()
    module.destroy()
  }
})

it('gives the same bytes for the same program', () => {
  expect(generateModule(linear, 16)).toEqual(generateModule(structuredClone(linear), 16))
})

it('loads numbers before the loop and nothing but elements in it', () => {
  const text = readWasm(generateModule(linear, 16), { readDebugNames: false }).toText({})
  const loop = text.slice(text.indexOf('loop'), text.indexOf('br_if'))
  expect(loop).toContain('f32x4.mul')
  expect(loop).not.toMatch(/splat|f32\.load|i32\.load/)
})

it('stays below two kilobytes for a mean of three models', () => {
  const value = [0, 1, 2].map((slot) => mul(input(slot), 0.3)).reduce((a, b) => add(a, b))
  const { program } = lower({ stores: [{ value, dtype: 'BF16' }] }, ['BF16', 'BF16', 'BF16'])
  expect(generateModule(program, 16).length).toBeLessThan(2048)
})

import { expect, it } from 'vitest'
import { describeCheckpoint } from './index.ts'

const tensor = (name: string) => ({ name, shape: [1] })

it('describes names of any number of numbers', () => {
  const { modules } = describeCheckpoint([tensor(`a.${'0.'.repeat(30_000)}w`)], undefined)
  expect(modules.flatMap(({ tensors }) => tensors)).toHaveLength(1)
})

it('takes no layers where more lists are numbered than any model has', () => {
  const tensors = Array.from({ length: 20_000 }, (_, index) => tensor(`s${index >> 1}.layers.${index % 2}.w`))
  const { modules, notes } = describeCheckpoint(tensors, undefined)
  expect(modules).toEqual([expect.objectContaining({ layerCount: 0 })])
  expect(modules[0]!.tensors).toHaveLength(20_000)
  expect(notes).toEqual([
    '10000 lists of tensors are numbered as layers are, where a model has one to three; none counts',
  ])
})

it('refuses more tensors than any checkpoint has', () => {
  const tensors = Array.from({ length: 2 ** 18 + 1 }, (_, index) => tensor(`w${index}`))
  expect(() => describeCheckpoint(tensors, undefined)).toThrow(expect.objectContaining({ code: 'too-many-tensors' }))
})

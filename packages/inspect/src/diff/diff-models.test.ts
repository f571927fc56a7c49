import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { diff, inFolder, root, type Tensor, writeTensors } from '../__fixtures__/models.ts'

const model = (name: string) => root(`goldens/models/${name}`)
const tensor = (values: number[], more: Partial<Tensor> = {}): Tensor => ({ shape: [values.length], values, ...more })

describe('a comparison', () => {
  it('puts the tensors of two fine-tunes beside one another, layer by layer', async () => {
    const { models, tensors, cells, verdict, total } = await diff(model('llama-ft1'), model('llama-ft2'), {
      base: model('llama-base'),
    })
    expect(models.base).toBe(model('llama-base'))
    expect(tensors.every(({ state, difference }) => state === 'compared' && difference!.changes !== undefined)).toBe(
      true,
    )
    const q = tensors.find(({ name }) => name === 'model.layers.1.self_attn.q_proj.weight')!
    expect(q).toMatchObject({ layer: 1, kind: 'self_attn.q_proj' })
    expect(cells.find(({ layer, kind }) => layer === 1 && kind === 'self_attn.q_proj')!.difference).toEqual(
      q.difference,
    )
    expect(total.elementCount).toBe(tensors.reduce((sum, { difference }) => sum + difference!.elementCount, 0))
    expect(verdict.notes.join('\n')).toContain('the two changes have a cosine of')
  })

  it('tells what only one of them has, and other shapes and dtypes', () =>
    inFolder(async (folder) => {
      const a = await writeTensors(folder, 'a', {
        same: tensor([1, 2]),
        mine: tensor([1]),
        wide: tensor([1, 2, 3, 4], { shape: [2, 2] }),
        long: tensor([1, 2]),
      })
      const b = await writeTensors(folder, 'b', {
        same: tensor([1, 2], { dtype: 'BF16' }),
        yours: tensor([1]),
        wide: tensor([1, 2, 3, 4], { shape: [4, 1] }),
        long: tensor([1, 2, 3]),
      })
      const { tensors, verdict } = await diff(a, b)
      expect(tensors.map(({ name, state, difference }) => [name, state, difference !== undefined])).toEqual([
        ['same', 'compared', true],
        ['mine', 'only-a', false],
        ['wide', 'other-shape', false],
        ['long', 'other-shape', false],
        ['yours', 'only-b', false],
      ])
      expect(verdict.kind).toBe('equal')
      expect(verdict.notes).toEqual([
        `1 tensor of ${a} alone: mine`,
        `1 tensor of ${b} alone: yours`,
        '2 tensors of other shapes: wide, long',
        '1 tensor of other dtypes: same',
      ])
    }))

  it.each<[string, number, Tensor['dtype'], string]>([
    ['the same', 0, 'F32', 'identical'],
    ['the same, rounded', 0, 'BF16', 'rounding'],
    ['a fine-tune', 0.02, 'F32', 'close'],
    ['one that has gone far', 0.5, 'F32', 'apart'],
    ['another model', 100, 'F32', 'unrelated'],
  ])('judges %s', (_, change, dtype, kind) =>
    inFolder(async (folder) => {
      const values = (by: number) => (index: number) => Math.sin(index * index) + by * Math.cos(3 * index * index)
      const a = await writeTensors(folder, 'a', { w: { shape: [300], values: values(0) } })
      const b = await writeTensors(folder, 'b', { w: { dtype: dtype!, shape: [300], values: values(change) } })
      expect((await diff(a, b)).verdict.kind).toBe(kind)
    }),
  )

  it('compares nothing where there is nothing in common', () =>
    inFolder(async (folder) => {
      const [a, b] = [
        await writeTensors(folder, 'a', { one: tensor([1]) }),
        await writeTensors(folder, 'b', { two: tensor([1]) }),
      ]
      await expect(diff(a, b)).rejects.toMatchObject({ code: 'diff-nothing', issue: { a, b } })
    }))

  it('ends when it is told to', () =>
    expect(
      diff(model('llama-ft1'), model('llama-ft2'), { signal: AbortSignal.abort(new Error('enough')) }),
    ).rejects.toThrow('enough'))

  it('names what can not be opened', () =>
    inFolder(async (folder) => {
      await expect(diff(model('llama-ft1'), join(folder, 'nothing'))).rejects.toMatchObject({ fault: 'usage' })
    }))
})

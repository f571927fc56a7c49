import { join } from 'node:path'
import { prepareMerge } from '@mk/merge'
import { describe, expect, it } from 'vitest'
import { inFolder, reference, root, writeTensors } from '../__fixtures__/models.ts'
import { diagnosePlan } from './diagnose-recipe.ts'

const model = (name: string) => root(`goldens/models/${name}`)

async function diagnose(text: string, folder = root('.')) {
  const prepared = await prepareMerge({ text, file: join(folder, 'recipe.yml') })
  return diagnosePlan(prepared.plan, prepared, { threads: 0, runtime: reference })
}

const ties = (base: string, ...models: string[]) =>
  `merge_method: ties\nbase_model: ${base}\nparameters: {weight: 1, density: 0.5}\nmodels: [${models.map((each) => `{model: ${each}}`).join(', ')}]`
const linear = (...models: string[]) =>
  `merge_method: linear\nparameters: {weight: 1}\nmodels: [${models.map((each) => `{model: ${each}}`).join(', ')}]`

const count = 600
const noise = (seed: number) => (index: number) => Math.sin(seed * 12.9898 + index * index * 0.37 + seed * index)
/** Files that change a base by so much of a noise of their own. */
const files = (folder: string, changes: Readonly<Record<string, (index: number) => number>>) =>
  Promise.all(
    Object.entries(changes).map(([name, change]) =>
      writeTensors(folder, name, { w: { shape: [count / 2, 2], values: (index) => noise(1)(index) + change(index) } }),
    ),
  )

describe('a diagnosis', () => {
  it('has norms, distances, angles and signs of all models, with a base', async () => {
    const labels = ['llama-ft1', 'llama-ft2', 'llama-ft3'].map(model)
    const found = await diagnose(ties(model('llama-base'), ...labels))
    expect(found.base).toBe(model('llama-base'))
    expect(found.models.map(({ model: label }) => label)).toEqual(labels)
    expect(found.pairs.map(({ models }) => models)).toEqual([
      [labels[0], labels[1]],
      [labels[0], labels[2]],
      [labels[1], labels[2]],
    ])
    for (const { changes, cosine } of found.pairs) {
      expect(Math.abs(changes!.cosine!)).toBeLessThan(0.1)
      expect(changes!.conflicts).toBeCloseTo(0.5, 1)
      expect(cosine).toBeGreaterThan(0.9)
    }
    expect(Object.values(found.weights!).reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 2)
    expect(found.findings).toEqual([])
    expect(found.tensors.length + found.skipped).toBeGreaterThan(10)
  })

  it('is what plain arithmetic gives', () =>
    inFolder(async (folder) => {
      const change = { base: () => 0, a: (i: number) => 0.1 * noise(2)(i), b: (i: number) => 0.3 * noise(3)(i) }
      const [base, a, b] = await files(folder, change)
      const all = Array.from({ length: count }, (_, index) => index)
      const dot = (x: (i: number) => number, y: (i: number) => number) =>
        all.reduce((sum, i) => sum + Math.fround(x(i)) * Math.fround(y(i)), 0)
      const whole = (of: (i: number) => number) => (i: number) => noise(1)(i) + of(i)
      const found = await diagnose(ties(base!, a!, b!), folder)
      const norm = (x: (i: number) => number) => Math.sqrt(dot(x, x))
      expect(found.models[1]).toMatchObject({ model: b, elementCount: count, nonFinite: 0 })
      expect(found.models[1]!.norm).toBeCloseTo(norm(whole(change.b)), 4)
      expect(found.models[1]!.change).toBeCloseTo(norm(change.b), 4)
      expect(found.models[1]!.relative).toBeCloseTo(norm(change.b) / norm(noise(1)), 4)
      const [pair] = found.pairs
      expect(pair!.cosine).toBeCloseTo(
        dot(whole(change.a), whole(change.b)) / norm(whole(change.a)) / norm(whole(change.b)),
        4,
      )
      expect(pair!.changes!.cosine).toBeCloseTo(dot(change.a, change.b) / norm(change.a) / norm(change.b), 4)
      const opposite = all.filter((i) => change.a(i) * change.b(i) < 0).length / count
      expect(pair!.changes!.conflicts).toBeCloseTo(opposite, 2)
      expect(found.weights![a!]! / found.weights![b!]!).toBeCloseTo(norm(change.b) / norm(change.a), 1)
      const without = await diagnose(linear(base!, a!, b!), folder)
      expect(without.base).toBeNull()
      expect(without.weights).toBeNull()
      expect(without.pairs[2]!.cosine).toBeCloseTo(pair!.cosine!, 8)
      expect(without.pairs[2]!.apart).toBeCloseTo(pair!.apart!, 8)
    }))

  const small = (i: number) => 0.01 * noise(2)(i)
  it.each<[string, Readonly<Record<string, (index: number) => number>>, boolean, string[]]>([
    ['equal models', { base: () => 0, a: small, b: small }, true, ['equal']],
    ['near-duplicates', { base: () => 0, a: small, b: (i) => 1.02 * small(i) }, true, ['near-duplicate']],
    [
      'near-duplicates without a base',
      { a: small, b: (i) => 1.02 * small(i), c: (i) => noise(4)(i) },
      false,
      ['near-duplicate', 'outlier'],
    ],
    ['a model that is the base', { base: () => 0, a: () => 0, b: small }, true, ['as-base']],
    ['one that changes far more', { base: () => 0, a: small, b: (i) => 10 * 0.01 * noise(3)(i) }, true, ['dominates']],
    [
      'one that changes far less',
      { base: () => 0, a: small, b: (i) => 0.01 * noise(3)(i), c: (i) => 0.001 * noise(4)(i) },
      true,
      ['hardly-counts'],
    ],
    [
      'one that was not made from the base',
      { base: () => 0, a: small, b: (i) => 3 * noise(3)(i) - noise(1)(i) },
      true,
      ['other-origin', 'dominates'],
    ],
    ['changes in opposite directions', { base: () => 0, a: small, b: (i) => -1.1 * small(i) }, true, ['opposed']],
    ['models that were trained apart', { a: () => 0, b: (i) => noise(3)(i) - noise(1)(i) }, false, ['other-origin']],
    ['NaN', { base: () => 0, a: small, b: (i) => (i === 5 ? Number.NaN : 0.01 * noise(3)(i)) }, true, ['not-finite']],
  ])('tells %s', (_, changes, hasBase, expected) =>
    inFolder(async (folder) => {
      const [first, ...others] = await files(folder, changes)
      const found = await diagnose(hasBase ? ties(first!, ...others) : linear(first!, ...others), folder)
      expect(found.findings.map(({ code }) => code)).toEqual(expected)
      for (const { models, text } of found.findings) for (const label of models) expect(text).toContain(label)
    }),
  )

  it('reads merges that are inputs as they are computed', () =>
    inFolder(async (folder) => {
      const [base, a, b] = await files(folder, { base: () => 0, a: small, b: (i) => 0.01 * noise(3)(i) })
      const text = `name: mean\n${linear(a!, b!)}\n---\n${ties(base!, 'mean', b!)}`
      const found = await diagnose(text, folder)
      expect(found.models.map(({ model: label }) => label)).toEqual(['mean', b])
      expect(found.pairs[0]!.changes!.cosine).toBeGreaterThan(0.5)
    }))

  it('has nothing to look at where each tensor is of one model', async () => {
    const text = `merge_method: passthrough\nmodels: [{model: ${model('llama-base')}}]`
    await expect(diagnose(text)).rejects.toMatchObject({ code: 'diagnose-nothing' })
  })
})

import { join } from 'node:path'
import { prepareMerge } from '@mk/merge'
import { randomKey } from '@mk/tensor'
import { uniformAt } from '@mk/tensor/runtime'
import { describe, expect, it } from 'vitest'
import { inFolder, reference, type Tensor, writeTensors } from '../__fixtures__/models.ts'
import { sampleBlocks, type SampleSizes } from '../measure/sample-blocks.ts'
import { diagnosePlan } from './diagnose-recipe.ts'
import type { DiagnosedPair, Diagnosis } from './diagnosis.ts'

const sizes = { wholeElements: 1024, blockElements: 32 }
const [rows, columns] = [128, 32]
const count = rows * columns

/** From −1 to 1, evenly, a function of name and place. */
function noise(name: string): (index: number) => number {
  const key = randomKey(7, name, 0)
  return (index) => 2 * uniformAt(key, index) - 1
}

type Value = (tensor: string) => (index: number) => number

/** Writes models of the same tensors. @returns diagnoses with these sizes of samples, the first model the base */
async function compare<T>(
  names: readonly string[],
  models: Readonly<Record<string, Value>>,
  work: (diagnose: (sample: SampleSizes | false) => Promise<Diagnosis>) => Promise<T>,
  shape: readonly [number, number] = [rows, columns],
): Promise<T> {
  return inFolder(async (folder) => {
    const files = await Promise.all(
      Object.entries(models).map(([model, value]) =>
        writeTensors(
          folder,
          model,
          Object.fromEntries(names.map((name): [string, Tensor] => [name, { shape, values: value(name) }])),
        ),
      ),
    )
    const [base, ...others] = files
    const list = others.map((model) => `{model: ${model}}`).join(', ')
    const text = `merge_method: task_arithmetic\nbase_model: ${base}\nparameters: {weight: 1}\nmodels: [${list}]`
    const prepared = await prepareMerge({ text, file: join(folder, 'recipe.yml') })
    return work((sample) => diagnosePlan(prepared.plan, prepared, { threads: 0, runtime: reference, sample }))
  })
}

const base: Value = noise
/** A change whose size differs from row to row, as that of fine-tunes does. */
const changed =
  (model: string, size = 0.1): Value =>
  (tensor) => {
    const [weights, own, byRow] = [noise(tensor), noise(`${tensor}/${model}`), noise(`${tensor}/${model}/rows`)]
    return (index) => weights(index) + size * (1 + byRow(Math.floor(index / columns)) / 2) * own(index)
  }
const names = (length: number) => Array.from({ length }, (_, index) => `w${index}`)

const figuresOf = ({ models, pairs }: Pick<Diagnosis, 'models' | 'pairs'>): (readonly [number, number])[] => {
  const of = (figure: number | null | undefined, error: number | null | undefined) => [figure!, error ?? 0] as const
  return [
    ...models.flatMap(({ norm, change, relative, cosine, standardErrors: errors }) => [
      of(norm, errors?.norm),
      of(change, errors?.change),
      of(relative, errors?.relative),
      of(cosine, errors?.cosine),
    ]),
    ...pairs.flatMap(({ apart, cosine, changes, standardErrors: errors }: DiagnosedPair) => [
      of(apart, errors?.apart),
      of(cosine, errors?.cosine),
      of(changes!.cosine, errors?.changes?.cosine),
      of(changes!.conflicts, errors?.changes?.conflicts),
    ]),
  ]
}

describe('a diagnosis by a sample', () => {
  it('is about as far off as it says, of each tensor and of all together', () =>
    compare(names(40), { base, a: changed('a'), b: changed('b', 0.2) }, async (diagnose) => {
      const [estimate, exact] = [await diagnose(sizes), await diagnose(false)]
      expect(estimate.read).toEqual({
        elementCount: 40 * count,
        readElements: (40 * count) / 8,
        tensorCount: 40,
        sampledTensors: 40,
      })
      expect(estimate.tensors[0]!.readShare).toBe(1 / 8)
      const off = (found: Pick<Diagnosis, 'models' | 'pairs'>, right: Pick<Diagnosis, 'models' | 'pairs'>) => {
        const known = figuresOf(right)
        return figuresOf(found).map(([figure, error], index) => {
          expect(error).toBeGreaterThan(0)
          return Math.abs(figure - known[index]![0]) / error
        })
      }
      for (const times of off(estimate, exact)) expect(times).toBeLessThan(3.5)
      const byTensor = estimate.tensors.flatMap((tensor, index) => off(tensor, exact.tensors[index]!))
      const within = (times: number) => byTensor.filter((each) => each < times).length / byTensor.length
      expect(within(1)).toBeGreaterThan(0.58)
      expect(within(1)).toBeLessThan(0.8)
      expect(within(2)).toBeGreaterThan(0.9)
      for (const [model, weight] of Object.entries(exact.weights!)) {
        const error = estimate.weightStandardErrors![model]!
        expect(error).toBeGreaterThan(0)
        expect(Math.abs(estimate.weights![model]! - weight)).toBeLessThan(3.5 * error + 0.0005)
      }
      expect(estimate.findings).toEqual([])
    }))

  it.each([1100, 1500, 5001])('is not off where all parts of %i elements are alike, however large', (length) => {
    const sign: Value = (tensor) => (index) => (noise(tensor)(index) < 0 ? -1 : 1)
    const models = { base: sign, a: (tensor: string) => (index: number) => 1.5 * sign(tensor)(index) }
    return compare(
      ['w'],
      models,
      async (diagnose) => {
        const { read, models: found } = await diagnose(sizes)
        expect(read.sampledTensors).toBe(1)
        expect(found[0]!.change).toBeCloseTo(Math.sqrt(length) / 2, 6)
        expect(found[0]!.standardErrors!.change).toBeLessThan(1e-6)
      },
      [length, 1],
    )
  })

  it('is none of small models: they are read whole', () =>
    compare(names(3), { base, a: changed('a'), b: changed('b') }, async (diagnose) => {
      const found = await diagnose({})
      expect(found).toEqual(await diagnose(false))
      expect(found.read).toMatchObject({ readElements: 3 * count, sampledTensors: 0 })
      expect(found.weightStandardErrors).toBeNull()
      for (const { standardErrors } of [...found.models, ...found.pairs]) expect(standardErrors).toBeNull()
    }))

  it('reads all where what it finds is near to where it begins to hold, and no more where it is not', () =>
    compare(names(12), { base, a: changed('a'), b: changed('b', 0.301) }, async (diagnose) => {
      const found = await diagnose(sizes)
      expect(found).toEqual(await diagnose(false))
      await compare(names(12), { base, a: changed('a'), b: changed('b', 0.6) }, async (far) => {
        const { read, findings } = await far(sizes)
        expect(read.sampledTensors).toBe(12)
        expect(findings).toMatchObject([{ code: 'dominates' }])
        expect(findings[0]!.text).toMatch(/changes the base about \d[\d.]* times as far/)
      })
    }))

  /** The first element that is read of a tensor, and one that isn't. */
  const read = sampleBlocks('w0', count, sizes)![3]!.range.start
  const unread = Array.from({ length: count / 32 }, (_, block) => block * 32).find((start) =>
    sampleBlocks('w0', count, sizes)!.every(({ range }) => range.start !== start),
  )!
  const withMore =
    (place: number, more: number, of: Value): Value =>
    (tensor) => {
      const value = of(tensor)
      return (index) => value(index) + (tensor === 'w0' && index === place ? more : 0)
    }

  it('tells of NaN that it reads, exactly of its tensor; of one elsewhere only where all is read', () =>
    compare(
      names(12),
      { base, a: withMore(read, NaN, withMore(unread, NaN, changed('a'))), b: changed('b') },
      async (diagnose) => {
        const found = await diagnose(sizes)
        expect(found.read.sampledTensors).toBe(11)
        expect(found.findings.map(({ text }) => text)).toEqual([
          expect.stringMatching(/has at least 2 elements that are infinite or NaN$/),
        ])
        await compare(names(12), { base, a: withMore(unread, NaN, changed('a')), b: changed('b') }, async (hidden) => {
          const part = await hidden(sizes)
          expect(part.findings).toEqual([])
          expect(part.read.readElements).toBeLessThan(part.read.elementCount)
          const whole = await hidden(false)
          expect(whole.read.readElements).toBe(whole.read.elementCount)
          expect(whole.findings.map(({ text }) => text)).toEqual([
            expect.stringMatching(/has 1 element that are infinite or NaN$/),
          ])
        })
      },
    ))

  it('says that models are equal, or nearly, only of what was read whole', () =>
    compare(names(2), { base, a: changed('a'), b: withMore(unread, 0.3, changed('a')) }, async (diagnose) => {
      const found = await diagnose(sizes)
      expect(found.findings.map(({ code }) => code)).toEqual(['near-duplicate'])
      expect(found.read.sampledTensors).toBe(0)
      await compare(names(2), { base, a: withMore(unread, 0.3, base), b: changed('b') }, async (unchanged) => {
        const { findings, models } = await unchanged(sizes)
        expect(findings.map(({ code }) => code)).not.toContain('as-base')
        expect(models[0]!.change).toBeCloseTo(0.3, 4)
      })
    }))

  it.each([1, 0.01])('reads a tensor whole whose blocks are too different to tell of the others, times %d', (size) => {
    const sized =
      (of: Value): Value =>
      (tensor) => {
        const value = of(tensor)
        return (index) => size * value(index)
      }
    return compare(
      names(12),
      {
        base: sized(base),
        a: sized(changed('a')),
        b: sized((tensor) => {
          const [much, little] = [changed('b', 1)(tensor), changed('b')(tensor)]
          return (index) => (tensor === 'w0' && index < 8 * columns ? much : little)(index)
        }),
      },
      async (diagnose) => {
        const { tensors } = await diagnose(sizes)
        expect(tensors.map(({ readShare }) => readShare)).toEqual([1, ...names(11).map(() => 1 / 8)])
      },
    )
  })
})

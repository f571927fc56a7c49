import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { extract, readAdapter } from './__fixtures__/extract.ts'
import { addRankOne, between, made, norm1, q, random, type Tensors } from './__fixtures__/made-models.ts'

describe('values that are not finite', () => {
  const factor = (side: string) => `base_model.model.${q.replace(/weight$/, `lora_${side}.weight`)}`
  const half = (): Tensors => ({ ...made(), [q]: { ...random([8, 6], 2), dtype: 'F16' } })

  it('are counted where the dtype of the fine-tune has no room for a factor', () =>
    between(
      ({ [q]: weight }) => void weight!.values.fill(6e4),
      async ({ fine, base, out }) => {
        const settings = { distributeScale: false, maxRank: 1 }
        const found = { tensor: factor('A'), dtype: 'F16', inputs: [], results: 6, overflow: 6 }
        expect((await extract(fine, base, out, settings)).result.nonFinite).toEqual([found])
        const { values } = (await readAdapter(out)).get(factor('A'))!
        expect(values.map(Math.abs).every((value) => value === Infinity)).toBe(true)
        const strict = extract(fine, base, `${out}-strict`, { ...settings, strict: true })
        await expect(strict).rejects.toMatchObject({
          code: 'extract-values-not-finite',
          fault: 'usage',
          message: `NaN or infinite values: ${factor('A')}: 6 in the result, by overflow (float16 ends at 65504); expected only finite ones`,
        })
        expect(existsSync(`${out}-strict`)).toBe(false)
        expect((await extract(fine, base, `${out}-spread`, { maxRank: 1, strict: true })).result.nonFinite).toEqual([])
      },
      { base: half() },
    ))

  it('are counted in what is saved whole', () =>
    between(
      ({ [q]: weight, [norm1]: gain }) => {
        addRankOne(weight!, 1)
        gain!.values.set([NaN, Infinity], 1)
      },
      async ({ fine, base, out }) => {
        const tensor = `base_model.model.${norm1}`
        const found = { tensor, dtype: 'F32', inputs: [{ model: fine, count: 2 }], results: 2, overflow: 0 }
        expect((await extract(fine, base, out)).result.nonFinite).toEqual([found])
        await expect(extract(fine, base, `${out}-strict`, { strict: true })).rejects.toMatchObject({
          code: 'extract-values-not-finite',
        })
        expect(existsSync(`${out}-strict`)).toBe(false)
      },
    ))
})

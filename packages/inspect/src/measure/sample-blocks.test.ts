import { describe, expect, it } from 'vitest'
import { SAMPLE_GROUPS, sampleBlocks } from './sample-blocks.ts'

const sizes = { wholeElements: 1000, blockElements: 16 }

describe('blocks of a sample', () => {
  it('leave out tensors that are read whole: small ones, and those of no more blocks than are read', () => {
    expect(sampleBlocks('w', 1000, sizes)).toBeUndefined()
    expect(sampleBlocks('w', 1001, sizes)).toBeDefined()
    expect(sampleBlocks('w', 16 * 16, { ...sizes, wholeElements: 1 })).toBeUndefined()
    expect(sampleBlocks('w', 16 * 16 + 1, { ...sizes, wholeElements: 1 })).toBeDefined()
    expect(sampleBlocks('w', 2 ** 21)).toBeUndefined()
    expect(sampleBlocks('w', 2 ** 21 + 1)).toHaveLength(SAMPLE_GROUPS)
  })

  it.each([1001, 1024, 4096, 5000, 12_345, 100_000])(
    'stand for all of %i elements, each for some around it',
    (count) => {
      const blocks = sampleBlocks('w', count, sizes)!
      const stoodFor = blocks.map(({ range, weight }) => weight * (range.end - range.start))
      expect(stoodFor.reduce((a, b) => a + b, 0)).toBeCloseTo(count, 6)
      let before = 0
      for (const [index, { range }] of blocks.entries()) {
        expect(range.start % sizes.blockElements).toBe(0)
        expect(range.start).toBeGreaterThanOrEqual(before - 1e-6)
        before += stoodFor[index]!
        expect(range.end).toBeLessThanOrEqual(before + 1e-6)
        expect(range.end - range.start).toBeLessThanOrEqual(sizes.blockElements)
      }
    },
  )

  it('are a sixteenth of a large tensor, as many in each group, and each group lies all over it', () => {
    const count = 2 ** 20
    const blocks = sampleBlocks('w', count, sizes)!
    expect(blocks).toHaveLength(count / 16 / 16)
    for (let group = 0; group < SAMPLE_GROUPS; group++) {
      const own = blocks.filter((block) => block.group === group)
      expect(own).toHaveLength(blocks.length / SAMPLE_GROUPS)
      expect(own[0]!.range.start).toBeLessThan(count / 8)
      expect(own.at(-1)!.range.start).toBeGreaterThan(count - count / 8)
    }
  })

  it('depend on nothing but name and size', () => {
    expect(sampleBlocks('w', 5000, sizes)).toEqual(sampleBlocks('w', 5000, sizes))
    expect(sampleBlocks('v', 5000, sizes)).not.toEqual(sampleBlocks('w', 5000, sizes))
  })
})

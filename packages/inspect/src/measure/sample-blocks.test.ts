import { describe, expect, it } from 'vitest'
import { randomKey } from '@mk/tensor'
import { uniformAt } from '@mk/tensor/runtime'
import { SAMPLE_GROUPS, sampleBlocks, unreadFactor } from './sample-blocks.ts'

const names = (length: number) => Array.from({ length }, (_, index) => `w${index}`)
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

  it('are drawn as seldom as they are short', () => {
    const count = 33 * 16 - 15
    const ends = names(600).map((name) => sampleBlocks(name, count, { wholeElements: 1, blockElements: 16 })!.at(-1)!)
    const short = ends.filter(({ range }) => range.start === 32 * 16)
    // One element of 33: 18 times.
    expect(short.length).toBeGreaterThan(6)
    expect(short.length).toBeLessThan(34)
  })

  it.each([17 * 16, 16 * 16 + 8, 20 * 16, 33 * 16 - 8])('tell of %i elements how far off means are', (count) => {
    const key = randomKey(1, 'values', 0)
    let [squared, expected] = [0, 0]
    for (const [turn, name] of names(600).entries()) {
      const value = (index: number) => uniformAt(key, turn * count + index) - 0.5
      const sumOf = (start: number, end: number) => {
        let sum = 0
        for (let index = start; index < end; index++) sum += value(index)
        return sum
      }
      const blocks = sampleBlocks(name, count, { wholeElements: 1, blockElements: 16 })!
      const estimate = blocks.reduce((sum, { range, weight }) => sum + weight * sumOf(range.start, range.end), 0)
      squared += (estimate - sumOf(0, count)) ** 2
      // What the spread of blocks tells without the factor: each has the variance of its elements.
      const spread = blocks.reduce((sum, { range, weight }) => sum + (weight ** 2 * (range.end - range.start)) / 12, 0)
      expected += spread * unreadFactor(blocks) ** 2
    }
    const ratio = Math.sqrt(squared / expected)
    expect(ratio).toBeGreaterThan(0.9)
    expect(ratio).toBeLessThan(1.1)
  })
})

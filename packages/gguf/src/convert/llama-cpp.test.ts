import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { madeCases, readCase, trainedCases } from './__fixtures__/cases.ts'
import { openLlama } from './__fixtures__/llama.ts'
import { ggufFile } from './__fixtures__/plain-file.ts'

const { llama, missing } = await openLlama()

/** How far log-probabilities may be from those of transformers in float32: of each token, and on the average of the text. */
const bounds = [
  ['F32', 2e-3, 2e-3],
  ['F16', 2e-3, 2e-3],
  // Experts are chosen: a token near the edge between two of them may differ by more than rounding.
  ['Q8_0', 0.3, 0.03],
] as const

describe.skipIf(llama === undefined)(`llama.cpp loads what is written${missing}`, () => {
  let folder: string
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'llama-'))))
  afterAll(async () => {
    rmSync(folder, { recursive: true })
    await llama?.close()
  })

  describe.each([...madeCases, ...trainedCases])('%s', (name) => {
    const { text, expected } = readCase(name)

    it.each(bounds)('computes what transformers does, as %s', async (type, ofEach, onAverage) => {
      const file = join(folder, `${name}.gguf`)
      writeFileSync(file, ggufFile(name, type))
      const model = await llama!.load(file)
      expect(model.tokenize(text)).toEqual(expected.plainIds)
      const logProbabilities = await model.logProbabilities(expected.ids)
      const distances = expected.best.flatMap((best, index) => {
        const at = logProbabilities[index]!
        const next = expected.ids[index + 1]
        return [
          Math.abs(at(best) - expected.bestValues[index]!),
          ...(next === undefined ? [] : [Math.abs(at(next) - expected.following[index]!)]),
        ]
      })
      expect(distances.length).toBe(2 * expected.ids.length - 1)
      expect(Math.max(...distances)).toBeLessThan(ofEach)
      expect(distances.reduce((sum, distance) => sum + distance, 0) / distances.length).toBeLessThan(onAverage)
      await model.close()
    })
  })

  it.each(trainedCases)('%s continues a prompt as transformers does', async (name) => {
    const { prompt, text } = readCase(name).continuation!
    const file = join(folder, `${name}.gguf`)
    writeFileSync(file, ggufFile(name, 'F32'))
    const model = await llama!.load(file)
    expect(await model.complete(prompt, 20)).toBe(text)
    await model.close()
  })
})

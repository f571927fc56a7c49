import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openLlama } from '../../gguf/src/convert/__fixtures__/llama.ts'
import { floatsOf, goldenText, useOutputs } from './__fixtures__/models.ts'

/** Logits that transformers computes with the same mixtures as folders: scripts/make-fixtures.py. */
const fixture = JSON.parse(readFileSync(new URL('./__fixtures__/mixture-logits.json', import.meta.url), 'utf8')) as {
  readonly tokens: readonly number[]
  readonly cases: readonly { readonly name: string; readonly logits: string }[]
}
const outputs = useOutputs()
const { llama, missing } = await openLlama()

if (missing !== '') console.warn(`llama-cpp.test.ts${missing}`)

describe.skipIf(llama === undefined)(`llama.cpp loads mixtures${missing}`, () => {
  afterAll(() => llama?.close())

  it.each(fixture.cases)('computes what transformers does with the folder: $name', async ({ name, logits }) => {
    const { out } = await outputs.make(await goldenText(name), {
      outFormat: 'gguf',
      outDtype: 'float32',
      preTokenizer: 'gpt-2',
    })
    const model = await llama!.load(join(out, 'model.gguf'))
    try {
      const found = await model.logProbabilities(fixture.tokens)
      const expected = logProbabilitiesOf(floatsOf(logits), fixture.tokens.length)
      const distances = expected.map((row, position) =>
        Math.max(...row.map((value, id) => Math.abs(found[position]!(id) - value))),
      )
      expect(distances).toHaveLength(fixture.tokens.length)
      expect(Math.max(...distances)).toBeLessThan(2e-3)
      // No two of a flat distribution would be far from each other.
      expect(Math.max(...expected[0]!) - Math.min(...expected[0]!)).toBeGreaterThan(0.1)
    } finally {
      await model.close()
    }
  })
})

/** The logarithms of the softmax over each row. */
function logProbabilitiesOf(logits: Float32Array, rows: number): number[][] {
  const width = logits.length / rows
  return Array.from({ length: rows }, (_, row) => {
    const values = [...logits.subarray(row * width, (row + 1) * width)]
    const total = Math.log(values.reduce((sum, value) => sum + Math.exp(value), 0))
    return values.map((value) => value - total)
  })
}

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { farthest, floatsOf, goldenText, loadTensors, useOutputs } from '../__fixtures__/models.ts'

interface RowsFixture {
  readonly cases: readonly {
    readonly name: string
    readonly mode: string
    /** How many rows come before those of a shared expert. */
    readonly experts: number
    /** Layer by layer, expert by expert. */
    readonly rows: string
  }[]
}

/** What transformers computes of the base in float32: scripts/make-fixtures.py. */
const { cases } = JSON.parse(
  readFileSync(new URL('../__fixtures__/router-rows.json', import.meta.url), 'utf8'),
) as RowsFixture
const outputs = useOutputs()

describe('rows of routers', () => {
  it.each(cases)('are those of hidden states of transformers: $name, $mode', async ({ name, mode, experts, rows }) => {
    const text = (await goldenText(name))
      .replace('gate_mode: hidden\n', `gate_mode: ${mode}\n`)
      .replace(/dtype: \w+/, 'dtype: float32')
    const tensors = await loadTensors((await outputs.make(text)).out)
    const expected = floatsOf(rows)
    const found: number[] = []
    for (let layer = 0; ; layer++) {
      const gate = [...tensors].filter(([tensor]) =>
        new RegExp(String.raw`\.layers\.${layer}\..*\b(?:gate|shared_expert_gate)\.weight$`).test(tensor),
      )
      if (gate.length === 0) break
      // The router comes before the gate of the shared expert.
      const sorted = gate.toSorted(([a], [b]) => a.length - b.length)
      expect(sorted[0]![1]).toMatchObject({ dtype: 'F32', shape: [experts, expect.any(Number)] })
      found.push(...sorted.flatMap(([, { values }]) => [...values]))
    }
    expect(found.length).toBeGreaterThan(0)
    expect(farthest(found, expected)).toBeLessThan(1e-5)
  })
})

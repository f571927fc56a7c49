import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { changedModel } from '../__fixtures__/changed-model.ts'
import { runBin, withFolder } from '../__fixtures__/run-bin.ts'

const bin = new URL('../../bin/mergekit-yaml.cjs', import.meta.url)

/** Merges a model in which the first float32 of each of the first tensors is another. */
async function merge(folder: string, count: number, value: number, recipe: string, ...args: readonly string[]) {
  changedModel(join(folder, 'changed'), ({ header, data }) => {
    for (const { data_offsets } of Object.values(header).slice(0, count)) data.writeFloatLE(value, data_offsets[0])
  })
  writeFileSync(join(folder, 'recipe.yml'), recipe)
  return runBin(bin, [join(folder, 'recipe.yml'), join(folder, 'out'), '--threads', '2', ...args])
}

const passthrough = 'merge_method: passthrough\nmodels: [{model: ./changed}]\n'
const breadcrumbs = `merge_method: breadcrumbs
base_model: models/llama-base
models: [{model: ./changed}]
parameters: {weight: 1, density: 0.5}
`

it.each([
  ['NaN that is copied', NaN, passthrough, /: 1 in \.\/changed, 1 in the result$/],
  ['NaN that a method drops', NaN, breadcrumbs, /: 1 in \.\/changed, none in the result$/],
  ['an overflow', 1e5, `${passthrough}dtype: float16\n`, /: 1 in the result, by overflow \(float16 ends at 65504\)$/],
])('%s is one warning, and the status is 0', { timeout: 60_000 }, (_, value, recipe, said) =>
  withFolder(async (folder) => {
    const { status, stderr } = await merge(folder, 1, value, recipe)
    expect(status).toBe(0)
    const [line, ...others] = stderr.split('\n').filter((text) => text.startsWith('warning'))
    expect([line, others]).toEqual([expect.stringMatching(said), []])
    expect(line).toMatch(/^warning: NaN or infinite values in 1 tensor: \S+: /)
  }),
)

it('many tensors are one warning that counts them; -v and --json have them all', { timeout: 60_000 }, () =>
  withFolder(async (folder) => {
    const few = await merge(folder, 5, Infinity, passthrough)
    expect(few.stderr).toMatch(/^warning: NaN or infinite values in 5 tensors: .*; and 2 more \(-v lists all/)
    expect(few.stderr.split('\n').length).toBe(2)
    const all = await merge(folder, 5, Infinity, passthrough, '--overwrite', '-v', '--json')
    expect(
      all.stderr.split('\n').filter((line) => /^ {2}\S+: 1 in \.\/changed, 1 in the result$/.test(line)).length,
    ).toBe(5)
    const { nonFinite } = JSON.parse(all.stdout) as { nonFinite: unknown[] }
    expect(nonFinite.length).toBe(5)
    expect(nonFinite[0]).toEqual({
      tensor: expect.any(String),
      dtype: 'F32',
      inputs: [{ model: './changed', count: 1 }],
      results: 1,
      overflow: 0,
    })
  }),
)

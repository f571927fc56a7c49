import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { differences, loadModel } from './__fixtures__/compare-goldens.ts'
import { goldens, runBin, withFolder } from './__fixtures__/run-bin.ts'
import { listRuntimes } from './runtimes/find-runtime.ts'

const bin = new URL('../bin/mergekit-yaml.cjs', import.meta.url)
const statuses = await listRuntimes()

/** One for each kind of pass: stores only, counts for a top-k, sums by row, exp and log, weights by row. The random merge below has ranks. */
const cases = ['linear-fp16-out', 'ties-default', 'model_stock-filter-wise', 'arcee_fusion', 'early-tokenizer-union']
/** As in goldens.test.ts. */
const share: Readonly<Record<string, number>> = { arcee_fusion: 0.001 }

const randomRecipe = `merge_method: della
base_model: models/llama-base
models:
  - {model: models/llama-ft1, parameters: {weight: 0.6, density: 0.5, epsilon: 0.2}}
  - {model: models/llama-ft2, parameters: {weight: 0.4, density: 0.7, epsilon: 0.1}}
parameters: {rescale: true}
`

/** Every device that is here, and gpu.js on the CPU where it finds no GPU. */
const names = statuses
  .filter(({ name }) => !['wasm', 'reference'].includes(name))
  .flatMap(({ name, available }) => (available ? [name] : name === 'gpu' ? ['gpu:webasm'] : []))

describe.each(names)('%s', { timeout: 60_000 }, (name) => {
  it.each(cases)('%s is what mergekit produced', (golden) =>
    withFolder(async (folder) => {
      const out = join(folder, 'out')
      const { status, stderr } = await runBin(bin, [
        join('cases', golden, 'config.yml'),
        out,
        '--threads',
        '1',
        '--device',
        name,
      ])
      expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' })
      expect(
        await differences(out, join(goldens, 'cases', golden, 'expected'), {
          union: golden.includes('union'),
          share: share[golden] ?? 0,
        }),
      ).toEqual([])
    }),
  )

  it('a merge with random masks is that of WebAssembly', () =>
    withFolder(async (folder) => {
      const recipe = join(folder, 'recipe.yml')
      await writeFile(recipe, randomRecipe)
      const models = await Promise.all(
        [name, 'wasm'].map(async (device) => {
          const { status, stderr } = await runBin(bin, [
            recipe,
            join(folder, device),
            '--threads',
            '1',
            '--device',
            device,
          ])
          expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' })
          return loadModel(join(folder, device))
        }),
      )
      const [tensors, expected] = models as [
        Awaited<ReturnType<typeof loadModel>>,
        Awaited<ReturnType<typeof loadModel>>,
      ]
      expect(tensors.size).toBe(expected.size)
      const isNear = (value: number, other: number) => Math.abs(value - other) <= 1e-5 * Math.abs(other)
      const different = [...expected].filter(
        ([tensor, { values }]) => !tensors.get(tensor)!.values.every((value, i) => isNear(value, values[i]!)),
      )
      expect(different.map(([tensor]) => tensor)).toEqual([])
    }))
})

describe('a device that is not available', () => {
  it.each(statuses.filter(({ available }) => !available))(
    '$name: one line says why, before anything is read',
    async ({ name }) => {
      const { status, stdout, stderr } = await runBin(bin, [
        join('cases', 'linear-weights', 'config.yml'),
        '/nowhere/out',
        '--device',
        name,
      ])
      expect(status).toBe(2)
      expect(stdout).toBe('')
      expect(stderr).toMatch(new RegExp(`^error: --device ${name}: the ${name} runtime cannot run here: .+; .+\\n$`))
    },
  )
})

describe('--runtimes', () => {
  it('lists what is available, and why the others are not', async () => {
    const { status, stdout } = await runBin(bin, ['--runtimes'])
    expect(status).toBe(0)
    expect(stdout).toMatch(/^wasm\n {2}.+\n {2}available\n/)
    for (const { name, summary, problem, found } of statuses)
      expect(stdout).toContain(
        `${name}\n  ${summary}\n  ${problem === undefined ? `available${found === undefined ? '' : `: ${found}`}` : `not available: ${problem}`}\n`,
      )
  })

  it('lists them as JSON', async () => {
    const { stdout } = await runBin(bin, ['--runtimes', '--json'])
    expect(JSON.parse(stdout)).toEqual({ version: 1, runtimes: statuses })
  })
})

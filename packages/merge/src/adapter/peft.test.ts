import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { useFolder } from '../__fixtures__/models.ts'
import { adapted, base, distance, mergeAdapter, product, readFile } from './__fixtures__/adapters.ts'

const folder = useFolder()
const expected = await readFile(fileURLToPath(new URL('__fixtures__/expected.safetensors', import.meta.url)))

const recipe = (method: string, models: Readonly<Record<string, string>>, rest = '') => `
merge_method: ${method}
base_model: ${base}
models:
${Object.entries(models)
  .map(([name, parameters]) => `  - { model: ${adapted(name)}, parameters: { ${parameters} } }`)
  .join('\n')}
out_format: lora
${rest}`

describe('what PEFT’s add_weighted_adapter makes of the same adapters', () => {
  test.each([
    ['cat', recipe('task_arithmetic', { a: 'weight: 0.7', b: 'weight: -0.3' })],
    ['svd', recipe('task_arithmetic', { a: 'weight: 0.7', b: 'weight: 0.6' }, 'rank: 3')],
    ['embedding', recipe('linear', { a: 'weight: 1', e: 'weight: 1' }, 'rank: 16')],
    ['ties-svd', recipe('ties', { a: 'weight: 1, density: 0.4', d: 'weight: 1, density: 0.4' }, 'rank: 16')],
    [
      'dare-ties-svd',
      recipe('dare_ties', { a: 'weight: 1', d: 'weight: 1' }, 'rank: 16\nparameters: { normalize: true }'),
    ],
    [
      'magnitude-prune-svd',
      recipe(
        'breadcrumbs',
        { a: 'weight: 0.3, density: 0.5, gamma: 0', d: 'weight: 0.7, density: 0.5, gamma: 0' },
        'rank: 16',
      ),
    ],
    ['linear', recipe('task_arithmetic', { a: 'weight: 0.5', d: 'weight: -1.5' }, 'adapter_space: factors')],
    ['ties', recipe('ties', { a: 'weight: 1, density: 0.4', d: 'weight: 1, density: 0.4' }, 'adapter_space: factors')],
    ['dare-linear', recipe('dare_linear', { a: 'weight: 0.3', d: 'weight: 0.7' }, 'adapter_space: factors')],
    [
      'magnitude-prune',
      recipe(
        'breadcrumbs',
        { a: 'weight: 0.3, density: 0.5, gamma: 0', d: 'weight: 0.7, density: 0.5, gamma: 0' },
        'adapter_space: factors',
      ),
    ],
  ])('%s', async (name, text) => {
    const adapter = await mergeAdapter(folder.path, text)
    const modules = [...expected.keys()].filter((key) => key.startsWith(`${name}/`) && key.endsWith('.A'))
    expect(modules.length).toBeGreaterThan(2)
    for (const key of modules) {
      const own = key.slice(name.length + 1, -2)
      const theirs = product(expected.get(key.replace(/A$/, 'B'))!, expected.get(key)!)
      expect([own, distance(adapter.product(own), theirs)]).toEqual([own, expect.closeTo(0, 5)])
    }
  })
})

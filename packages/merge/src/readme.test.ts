import { execFile } from 'node:child_process'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { loadFolder, useFolder, writeLlamas } from './__fixtures__/models.ts'

const folder = useFolder()

test('the example of the README runs', { timeout: 30_000 }, async () => {
  await writeLlamas(folder.path, { a: {}, b: {} })
  await mkdir(join(folder.path, 'examples/recipes'), { recursive: true })
  await writeFile(
    join(folder.path, 'examples/recipes/linear.yml'),
    'merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}, {model: b}]',
  )
  const example = /```ts\n([\s\S]*?)```/.exec(await readFile(new URL('../README.md', import.meta.url), 'utf8'))![1]!
  await writeFile(join(folder.path, 'example.mjs'), example)
  await mkdir(join(folder.path, 'node_modules', '@mk'), { recursive: true })
  for (const name of ['merge', 'methods'])
    await symlink(
      fileURLToPath(new URL(`../../${name}`, import.meta.url)),
      join(folder.path, 'node_modules', '@mk', name),
    )
  const { stdout } = await promisify(execFile)(process.execPath, ['example.mjs'], { cwd: folder.path })
  const tensors = await loadFolder(join(folder.path, 'merged-example'))
  const elements = Object.values(tensors).reduce((sum, { values }) => sum + values.length, 0)
  expect(stdout).toBe(`9 model.safetensors []\n${elements * 4}\n`)
})

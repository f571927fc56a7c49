import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../..', import.meta.url))

test('the example of the README runs', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mk-moe-'))
  try {
    const example = /```ts\n([\s\S]*?)```/.exec(readFileSync(new URL('../README.md', import.meta.url), 'utf8'))![1]!
    await writeFile(join(folder, 'example.mjs'), example)
    await mkdir(join(folder, 'node_modules', '@mk'), { recursive: true })
    await symlink(join(root, 'examples'), join(folder, 'examples'))
    for (const name of ['merge', 'moe'])
      await symlink(join(root, 'packages', name), join(folder, 'node_modules', '@mk', name))
    const { stdout } = await promisify(execFile)(process.execPath, ['example.mjs'], { cwd: folder })
    expect(stdout).toContain("81 [ 'Mixtral of 2 experts, 1 for each token; router rows: hidden' ]")
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

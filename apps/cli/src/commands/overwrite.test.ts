import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runBin, withFolder } from '../__fixtures__/run-bin.ts'

const bin = new URL('../../bin/mergekit-yaml.mjs', import.meta.url)

/** Copies the first model, and puts somebody's file where the output is to be. */
const intruding = (out: string) => `
import { mkdirSync, writeFileSync } from 'node:fs'
export default {
  name: 'intruding', summary: 'The first model.', base: 'none', models: { min: 1 }, parameters: { perModel: {}, methodWide: {} },
  merge({ models }) {
    mkdirSync(${JSON.stringify(out)}, { recursive: true })
    writeFileSync(${JSON.stringify(join(out, 'mine.txt'))}, '')
    return models[0]
  },
}`

async function mergeWhileOutputAppears(folder: string, ...flags: readonly string[]) {
  const out = join(folder, 'out')
  writeFileSync(join(folder, 'intruding.mjs'), intruding(out))
  writeFileSync(join(folder, 'recipe.yml'), 'merge_method: intruding\nmodels: [{model: models/llama-ft1}]')
  const module = join(folder, 'intruding.mjs')
  const args = [join(folder, 'recipe.yml'), out, '--method-module', module, '--threads', '1', ...flags]
  const result = await runBin(bin, args)
  return { out, result }
}

describe('files that appear in the output folder during a merge', { timeout: 60_000 }, () => {
  it('are kept without --overwrite', () =>
    withFolder(async (folder) => {
      const { out, result } = await mergeWhileOutputAppears(folder)
      expect(result.status).not.toBe(0)
      expect(result.stderr).toContain(out)
      expect(readdirSync(out)).toEqual(['mine.txt'])
    }))

  it('are replaced with it', () =>
    withFolder(async (folder) => {
      const { out, result } = await mergeWhileOutputAppears(folder, '--overwrite')
      expect(result).toMatchObject({ status: 0 })
      expect([existsSync(join(out, 'mine.txt')), existsSync(join(out, 'model.safetensors'))]).toEqual([false, true])
    }))
})

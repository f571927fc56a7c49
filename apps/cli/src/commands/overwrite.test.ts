import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runBin, withFolder } from '../__fixtures__/run-bin.ts'

const bin = new URL('../../bin/mergekit-yaml.cjs', import.meta.url)

/** Copies the first model, and puts a file where the output is to be. */
const intruding = (out: string, file: string) => `
import { mkdirSync, writeFileSync } from 'node:fs'
export default {
  name: 'intruding', summary: 'The first model.', base: 'none', models: { min: 1 }, parameters: { perModel: {}, methodWide: {} },
  merge({ models }) {
    mkdirSync(${JSON.stringify(out)}, { recursive: true })
    writeFileSync(${JSON.stringify(join(out, file))}, '')
    return models[0]
  },
}`

async function mergeWhileOutputAppears(folder: string, file: string, ...flags: readonly string[]) {
  const out = join(folder, 'out')
  writeFileSync(join(folder, 'intruding.mjs'), intruding(out, file))
  writeFileSync(join(folder, 'recipe.yml'), 'merge_method: intruding\nmodels: [{model: models/llama-ft1}]')
  const module = join(folder, 'intruding.mjs')
  const args = [join(folder, 'recipe.yml'), out, '--method-module', module, '--threads', '1', ...flags]
  const result = await runBin(bin, args)
  return { out, result }
}

describe('files that appear in the output folder during a merge', { timeout: 60_000 }, () => {
  it('are kept without --overwrite', () =>
    withFolder(async (folder) => {
      const { out, result } = await mergeWhileOutputAppears(folder, 'config.json')
      expect(result.status).not.toBe(0)
      expect(result.stderr).toContain(out)
      expect(readdirSync(out)).toEqual(['config.json'])
    }))

  it('are replaced with it where a merge could have written them', () =>
    withFolder(async (folder) => {
      const { out, result } = await mergeWhileOutputAppears(folder, 'config.json', '--overwrite')
      expect(result).toMatchObject({ status: 0 })
      expect(readFileSync(join(out, 'config.json'), 'utf8')).not.toBe('')
      expect(existsSync(join(out, 'model.safetensors'))).toBe(true)
    }))

  it("are kept with it where they are somebody else's", () =>
    withFolder(async (folder) => {
      const { out, result } = await mergeWhileOutputAppears(folder, 'mine.txt', '--overwrite')
      expect(result.status).not.toBe(0)
      expect(readdirSync(out)).toEqual(['mine.txt'])
    }))
})

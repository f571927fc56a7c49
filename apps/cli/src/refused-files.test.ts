import fs, { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import promises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { goldens, withFolder, withoutProgress } from './__fixtures__/run-bin.ts'
import { readRecipe } from './commands/read-recipe.ts'
import { mergekitYaml } from './commands/mergekit-yaml.ts'

/** What the system refuses from now on: calls for this path, or for what is in it, with this code. */
const refused = { path: '', code: '', asked: 0 }

const calls = [
  ...(['open', 'readFile', 'readdir', 'stat'] as const).map((name) => callOf(promises, name)),
  ...(['readdirSync', 'statSync'] as const).map((name) => callOf(fs, name)),
]

/** One of Node's, and what stands in its place here. */
function callOf<const T extends object, const K extends keyof T & string>(owner: T, name: K) {
  const real = owner[name] as (...args: unknown[]) => unknown
  function refusing(...args: unknown[]): unknown {
    if (refused.path === '' || String(args[0]) !== refused.path) return real(...args)
    refused.asked++
    const text = `${refused.code}: refused, ${name} '${refused.path}'`
    const error = Object.assign(new Error(text), { code: refused.code, syscall: name, path: refused.path })
    if ((owner as unknown) === fs) throw error
    return Promise.reject(error)
  }
  return { owner, name, real, refusing }
}

/** Puts functions in the place of Node's, also for modules that have imported them. */
function replaceCalls(which: 'real' | 'refusing'): void {
  for (const call of calls) Object.assign(call.owner, { [call.name]: call[which] })
  syncBuiltinESMExports()
}
beforeAll(() => replaceCalls('refusing'))
afterAll(() => replaceCalls('real'))
afterEach(() => {
  Object.assign(refused, { path: '', code: '', asked: 0 })
})

const models = join(goldens, 'models')
const recipes = {
  union: `merge_method: linear\nparameters: {weight: 1}\nbase_model: ${models}/llama-ft1\nmodels: [{model: ${models}/llama-ft1}, {model: ${models}/llama-chat}]\ntokenizer_source: union\nchat_template: auto\n`,
  shards: `merge_method: passthrough\nmodels: [{model: ${models}/llama16-base}]\n`,
  pickle: `merge_method: passthrough\nmodels: [{model: ${models}/pickle-base}]\n`,
  adapter: `merge_method: passthrough\nmodels: [{model: ${models}/llama-base+${models}/lora-qvd}]\n`,
  raw: `merge_method: passthrough\nmodels: [{model: ${models}/llama-base/model.safetensors}]\n`,
}
const read: readonly [keyof typeof recipes, string][] = [
  ['union', 'llama-chat'],
  ['union', 'llama-chat/config.json'],
  ['union', 'llama-chat/generation_config.json'],
  ['union', 'llama-chat/model.safetensors'],
  ['union', 'llama-chat/tokenizer.json'],
  ['union', 'llama-chat/tokenizer_config.json'],
  ['union', 'llama-ft1/tokenizer.json'],
  ['shards', 'llama16-base/model.safetensors.index.json'],
  ['shards', 'llama16-base/model-00003-of-00004.safetensors'],
  ['pickle', 'pickle-base/pytorch_model.bin'],
  ['adapter', 'lora-qvd/adapter_config.json'],
  ['adapter', 'lora-qvd/adapter_model.safetensors'],
  ['raw', 'llama-base/model.safetensors'],
]

describe.each([
  ['EACCES', 'permission denied'],
  ['EIO', 'the device reported an input/output error'],
  ['EMFILE', 'the limit on open files is reached; raise it (ulimit -n)'],
])('%s, while a merge is planned', (code, reason) => {
  it.each(read)('%s: of %s is one error that names it, without a stack', (recipe, path) =>
    withFolder(async (folder) => {
      const file = join(folder, 'recipe.yml')
      writeFileSync(file, recipes[recipe])
      const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
      const stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
      Object.assign(refused, { path: join(models, path), code })
      const status = await mergekitYaml([file, '--dry-run'])
      const lines = withoutProgress(stderr.mock.calls.map(([text]) => String(text)).join(''))
      stderr.mockRestore()
      stdout.mockRestore()
      expect(refused.asked).toBeGreaterThan(0)
      expect({ status, lines }).toEqual({ status: 1, lines: expect.stringMatching(/^error: [^\n]+\n$/) })
      expect(lines).toContain(`${join(models, path)}: `)
      expect(lines).toContain(reason)
      expect(readdirSync(folder)).toEqual(['recipe.yml'])
    }),
  )
})

it.skipIf(!existsSync('/dev/zero'))('a recipe without end is one error', async () => {
  const text = "can't read the recipe /dev/zero: it has more than 67108864 bytes"
  await expect(readRecipe('/dev/zero')).rejects.toThrow(text)
})

it('a folder that is given as the recipe is one error, too', () =>
  withFolder(async (folder) => {
    mkdirSync(join(folder, 'recipe.yml'))
    const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    const status = await mergekitYaml([join(folder, 'recipe.yml'), '--dry-run'])
    const text = stderr.mock.calls.map(([line]) => String(line)).join('')
    stderr.mockRestore()
    expect({ status, text }).toEqual({
      status: 2,
      text: `error: can't read the recipe ${join(folder, 'recipe.yml')}: it is a folder, not a file\n`,
    })
  }))

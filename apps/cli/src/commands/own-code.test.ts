import { spawn } from 'node:child_process'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { goldens, runBin, withFolder } from '../__fixtures__/run-bin.ts'

const bin = new URL('../../bin/mergekit-yaml.cjs', import.meta.url)

/** A module with a method whose `merge` has this body. */
const moduleOf = (body: string, before = '') => `
import { exit } from 'node:process'
import { writeFileSync } from 'node:fs'
${before}
export default {
  name: 'own', summary: 'Mine.', base: 'none', models: { min: 1 }, parameters: { perModel: {}, methodWide: {} },
  async merge({ models }, parameters, { reduce }) { ${body} },
}`

function write(folder: string, module: string): string[] {
  writeFileSync(join(folder, 'my.mjs'), module)
  writeFileSync(join(folder, 'recipe.yml'), 'merge_method: own\nmodels: [{model: models/llama-ft1}]')
  return [join(folder, 'recipe.yml'), join(folder, 'out'), '--threads', '1', '--method-module', join(folder, 'my.mjs')]
}

const besides = (folder: string) => readdirSync(folder).filter((name) => !['my.mjs', 'recipe.yml'].includes(name))

describe('code of the user’s', { timeout: 60_000 }, () => {
  it.each([
    [
      'ends the process while it merges',
      moduleOf('exit(0)'),
      `error: the merge method 'own' ended the process before the command was through`,
    ],
    [
      'ends the process while it is loaded',
      moduleOf('return models[0]', 'exit(0)'),
      'my.mjs ended the process before the command was through',
    ],
    [
      'throws where nobody waits for it',
      moduleOf(`setTimeout(() => { throw new Error('mine') }); await new Promise(() => {})`),
      `error: the merge method 'own' failed where nobody waits for it: mine`,
    ],
    [
      'leaves a rejection behind',
      moduleOf(`Promise.reject(new Error('mine')); await new Promise(() => {})`),
      `error: the merge method 'own' failed where nobody waits for it: mine`,
    ],
  ])('that %s is named, and nothing looks finished', (_, module, text) =>
    withFolder(async (folder) => {
      const { status, stdout, stderr } = await runBin(bin, write(folder, module))
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
      expect(stderr).toContain(text)
      expect(stderr.match(/^error: /gm)).toHaveLength(1)
      expect(stderr).not.toMatch(/^ {4}at /m)
      expect(existsSync(join(folder, 'out'))).toBe(false)
    }),
  )

  it('that leaves something running does not keep the process', () =>
    withFolder(async (folder) => {
      const module = moduleOf('return models[0]', 'setInterval(() => {}, 1000)')
      expect(await runBin(bin, write(folder, module))).toMatchObject({ status: 0 })
      expect(besides(folder)).toEqual(['out'])
    }))

  it.each([
    ['SIGINT', 'for (;;);'],
    ['SIGTERM', 'for (;;) await null'],
    ['SIGINT', 'await reduce([]); for (;;);'],
  ] as const)('that loops for ever is ended by %s at once: %s', (signal, loop) =>
    withFolder(async (folder) => {
      const mark = join(folder, 'it-loops')
      const body = loop.replace('for (', `writeFileSync(${JSON.stringify(mark)}, ''); for (`)
      const child = spawn(process.execPath, [fileURLToPath(bin), ...write(folder, moduleOf(body))], { cwd: goldens })
      const ended = new Promise((resolve) => child.once('exit', (status, name) => resolve({ status, name })))
      while (!existsSync(mark)) await wait(20)
      const sentAt = performance.now()
      child.kill(signal)
      expect(await ended).toEqual({ status: null, name: signal })
      expect(performance.now() - sentAt).toBeLessThan(1000)
      expect(existsSync(join(folder, 'out'))).toBe(false)
      // The same command goes on with a method that is mended.
      expect(await runBin(bin, write(folder, moduleOf('return models[0]')))).toMatchObject({ status: 0 })
      expect(besides(folder).toSorted()).toEqual(['it-loops', 'out'])
    }),
  )
})

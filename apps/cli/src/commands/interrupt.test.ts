import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { goldens, runBin, withFolder } from '../__fixtures__/run-bin.ts'

const bin = new URL('../../bin/mergekit-yaml.mjs', import.meta.url)

/** Takes its time over each tensor, so that there is something to interrupt. */
const slowMethod = `
import { setTimeout } from 'node:timers/promises'
export default {
  name: 'slow', summary: 'The first model, slowly.', base: 'none', models: { min: 1 }, parameters: { perModel: {}, methodWide: {} },
  async merge({ models }) {
    await setTimeout(Number(process.env.SLOW ?? 0))
    return models[0]
  },
}`

async function startSlowMerge(folder: string) {
  writeFileSync(join(folder, 'slow.mjs'), slowMethod)
  const config = join(folder, 'recipe.yml')
  writeFileSync(config, 'merge_method: ./slow.mjs\nmodels: [{model: models/llama-ft1}]')
  const out = join(folder, 'out')
  const child = spawn(process.execPath, [fileURLToPath(bin), config, out, '--threads', '1'], {
    cwd: goldens,
    env: { ...process.env, SLOW: '150' },
  })
  let stderr = ''
  child.stderr.on('data', (text) => (stderr += String(text)))
  const ended = new Promise((resolve) => child.once('exit', (status, signal) => resolve({ status, signal })))
  while (!readdirSync(folder).some((name) => name.includes('partial'))) await wait(20)
  await wait(700)
  return { config, out, child, ended, stderr: () => stderr }
}

const besides = (folder: string) => readdirSync(folder).filter((name) => !['slow.mjs', 'recipe.yml'].includes(name))

describe('an interrupted merge', { timeout: 60_000 }, () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'leaves only a partial folder on %s and ends by it, and the same command goes on from there',
    (signal) =>
      withFolder(async (folder) => {
        const { config, out, child, ended, stderr } = await startSlowMerge(folder)
        child.kill(signal)
        expect(await ended).toEqual({ status: null, signal })
        expect(stderr()).toMatch(/interrupted; the same command goes on from \S*out\.partial/)
        expect(besides(folder)).toEqual(['out.partial'])

        const again = await runBin(bin, [config, out, '--threads', '1'])
        expect(again).toMatchObject({
          status: 0,
          stderr: expect.stringMatching(/[1-9]\d* of 39 tensors were already done/),
        })
        expect(besides(folder)).toEqual(['out'])
        expect(await runBin(bin, [config, join(folder, 'whole')])).toMatchObject({ status: 0 })
        expect(
          readFileSync(join(out, 'model.safetensors')).equals(readFileSync(join(folder, 'whole', 'model.safetensors'))),
        ).toBe(true)
      }),
  )

  it('leaves nothing that looks finished when it is killed', () =>
    withFolder(async (folder) => {
      const { config, out, child, ended } = await startSlowMerge(folder)
      child.kill('SIGKILL')
      await ended
      expect(existsSync(out)).toBe(false)
      expect(await runBin(bin, [config, out])).toMatchObject({ status: 0 })
      expect(besides(folder)).toEqual(['out'])
    }))
})

import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { startHubServer } from '../../../../packages/checkpoint/src/hub/__fixtures__/hub-server.ts'
import { goldens, runBin, withFolder } from '../__fixtures__/run-bin.ts'

const bin = new URL('../../bin/mergekit-yaml.cjs', import.meta.url)

/** Takes longer over each tensor than over the one before, so that some are done when it is interrupted. */
const slowMethod = `
import { appendFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
let calls = 0
export default {
  name: 'slow', summary: 'The first model, slowly.', base: 'none', models: { min: 1 }, parameters: { perModel: {}, methodWide: {} },
  async merge({ models }) {
    if (process.env.SLOW !== undefined) appendFileSync(process.env.SLOW, '.')
    await setTimeout(process.env.SLOW === undefined ? 0 : 100 * ++calls)
    return models[0]
  },
}`

async function startSlowMerge(folder: string) {
  writeFileSync(join(folder, 'slow.mjs'), slowMethod)
  const config = join(folder, 'recipe.yml')
  writeFileSync(config, 'merge_method: ./slow.mjs\nmodels: [{model: models/llama-ft1}]')
  const out = join(folder, 'out')
  const child = spawn(process.execPath, [fileURLToPath(bin), config, out, '--threads', '1', '--allow-code'], {
    cwd: goldens,
    env: { ...process.env, SLOW: join(folder, 'calls') },
  })
  let stderr = ''
  child.stderr.on('data', (text) => (stderr += String(text)))
  const ended = new Promise((resolve) => child.once('exit', (status, signal) => resolve({ status, signal })))
  const calls = () => (existsSync(join(folder, 'calls')) ? readFileSync(join(folder, 'calls')).length : 0)
  while (calls() < 4) await wait(20)
  await wait(600)
  return { config, out, child, ended, stderr: () => stderr }
}

const besides = (folder: string) =>
  readdirSync(folder).filter((name) => !['slow.mjs', 'recipe.yml', 'calls'].includes(name))

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

        const again = await runBin(bin, [config, out, '--threads', '1', '--allow-code'])
        expect(again).toMatchObject({
          status: 0,
          stderr: expect.stringMatching(/[1-9]\d* of 39 tensors were already done/),
        })
        expect(besides(folder)).toEqual(['out'])
        expect(await runBin(bin, [config, join(folder, 'whole'), '--allow-code'])).toMatchObject({ status: 0 })
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
      expect(await runBin(bin, [config, out, '--allow-code'])).toMatchObject({ status: 0 })
      expect(besides(folder)).toEqual(['out'])
    }))
})

it('a download that is interrupted ends by the signal at once, and says that the same command goes on', () =>
  withFolder(async (folder) => {
    const models = join(goldens, '..', 'examples', 'models', 'tiny-base')
    const files = ['config.json', 'model.safetensors'].map((name) => [name, readFileSync(join(models, name))] as const)
    const server = await startHubServer({
      id: 'org/model',
      commit: 'c'.repeat(40),
      files: Object.fromEntries(files),
      // The header comes, and then the connection breaks again and again.
      drops: { 'model.safetensors': { afterBytes: 140_000, times: 1000 } },
    })
    const config = join(folder, 'recipe.yml')
    writeFileSync(config, 'merge_method: passthrough\nmodels: [{model: org/model}]')
    const child = spawn(process.execPath, [fileURLToPath(bin), config, join(folder, 'out')], {
      env: { ...process.env, HF_ENDPOINT: server.url, HF_HOME: join(folder, 'hub') },
    })
    let stderr = ''
    child.stderr.on('data', (text) => (stderr += String(text)))
    const ended = new Promise((resolve) => child.once('exit', (status, signal) => resolve({ status, signal })))
    while (server.requests.filter(({ host }) => host === 'cdn').length < 3) await wait(20)
    child.kill('SIGINT')
    expect(await ended).toEqual({ status: null, signal: 'SIGINT' })
    expect(stderr).toMatch(/^error: interrupted while downloading; what has arrived is kept/m)
    expect(existsSync(join(folder, 'out'))).toBe(false)
    await server.close()
  }))

/** Makes a folder one of a server that doesn't answer: whoever asks for it waits, and can't be told anything. */
const deadFolder = (folder: string, mark: string) =>
  `data:text/javascript,${encodeURIComponent(`
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
for (const name of ['statSync', 'readdirSync']) {
  const ask = fs[name]
  fs[name] = (path, ...rest) => {
    if (!String(path).startsWith(${JSON.stringify(folder)})) return ask(path, ...rest)
    fs.writeFileSync(${JSON.stringify(mark)}, '')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  }
}
syncBuiltinESMExports()`)}`

describe('what waits for a folder that does not answer ends by a signal at once:', () => {
  const recipe = (model: string) => `merge_method: linear\nmodels: [{model: ${model}, parameters: {weight: 1}}]`
  it.each([
    ['a merge', 'mergekit-yaml', ['recipe.yml', 'out']],
    ['a plan', 'mergekit-yaml', ['recipe.yml', '--dry-run']],
    ['a diagnosis', 'mk-diagnose', ['recipe.yml']],
    ['a comparison', 'mk-diff', ['dead', 'dead']],
    ['an extraction', 'mergekit-extract-lora', ['--model', 'dead', '--base-model', 'dead', '--out-path', 'out']],
  ])('%s', (_, command, args) =>
    withFolder(async (folder) => {
      writeFileSync(join(folder, 'recipe.yml'), recipe('./dead'))
      const mark = join(folder, 'asked')
      const bin = fileURLToPath(new URL(`../../bin/${command}.cjs`, import.meta.url))
      const child = spawn(process.execPath, ['--import', deadFolder(join(folder, 'dead'), mark), bin, ...args], {
        cwd: folder,
      })
      let stderr = ''
      child.stderr.on('data', (text) => (stderr += String(text)))
      const ended = new Promise((resolve) => child.once('exit', (status, signal) => resolve({ status, signal })))
      while (!existsSync(mark) && child.exitCode === null) await wait(20)
      child.kill('SIGINT')
      const late = setTimeout(() => child.kill('SIGKILL'), 3000)
      expect([await ended, stderr.match(/^error: .*/gm)]).toEqual([{ status: null, signal: 'SIGINT' }, null])
      clearTimeout(late)
    }),
  )
})

import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type HubServerOptions, startHubServer } from '../../../packages/checkpoint/src/hub/__fixtures__/hub-server.ts'
import { changedModel } from './__fixtures__/changed-model.ts'
import { goldens, runBin, startBin, withFolder } from './__fixtures__/run-bin.ts'

// One for each area that errors come from; bad-input.test.ts has those of recipes and of safetensors files.

const bin = new URL('../bin/mergekit-yaml.cjs', import.meta.url)

interface Ending {
  readonly status: number
  readonly message: string | RegExp
  readonly args?: readonly string[]
  readonly env?: Record<string, string>
  /** Runs the command; runBin unless told otherwise. */
  readonly run?: typeof runBin
}

/** Merges by a recipe in a folder; checks how that ends, and that it leaves no output. */
async function expectEnding(
  folder: string,
  recipe: string,
  { status, message, args = [], env = {}, run = runBin }: Ending,
) {
  writeFileSync(join(folder, 'recipe.yml'), recipe)
  const result = await run(bin, [join(folder, 'recipe.yml'), join(folder, 'out'), '--threads', '1', ...args], {
    env,
  })
  expect(result).toMatchObject({ status, stdout: '', stderr: expect.stringMatching(message) })
  expect(result.stderr).not.toContain('not foreseen')
  expect(readdirSync(folder).filter((name) => name.startsWith('out'))).toEqual([])
}

const copyOf = (model: string, more = '') => `merge_method: passthrough\nmodels: [{model: "${model}"}]\n${more}`

const files = Object.fromEntries(
  ['config.json', 'model.safetensors'].map((name) => [name, readFileSync(join(goldens, 'models/llama-ft1', name))]),
)

describe.concurrent('the hub', { timeout: 60_000 }, () => {
  async function expectHubEnding(options: Partial<HubServerOptions>, ending: Ending, model = 'org/model') {
    const server = await startHubServer({ id: 'org/model', commit: 'c'.repeat(40), files, ...options })
    try {
      await withFolder((folder) =>
        expectEnding(folder, copyOf(model), { ...ending, env: { HF_ENDPOINT: server.url, HF_HOME: folder } }),
      )
    } finally {
      await server.close()
    }
  }

  it('with a gated model: 2', () => expectHubEnding({ gated: true }, { status: 2, message: 'is gated' }))

  it('that asks for a token: 2', () => expectHubEnding({ token: 'hf_x' }, { status: 2, message: 'HF_TOKEN' }))

  it('without such a model: 2', () => expectHubEnding({}, { status: 2, message: 'org/other' }, 'org/other'))

  it('without weights: 2', () =>
    expectHubEnding({ files: { 'config.json': '{}' } }, { status: 2, message: 'nothing to merge' }))

  it('whose file arrives damaged: 1', () =>
    expectHubEnding(
      { served: { 'model.safetensors': files['model.safetensors']!.map((byte, i) => (i < 20_000 ? byte : 0)) } },
      { status: 1, message: 'damaged' },
    ))

  it('that cannot be reached: 1', () =>
    withFolder((folder) =>
      expectEnding(folder, copyOf('org/model'), {
        status: 1,
        message: 'could not be fetched',
        env: { HF_ENDPOINT: 'http://127.0.0.1:9', HF_HOME: folder },
        // It tries for seconds, and the others need not wait for it.
        run: startBin,
      }),
    ))

  it('without a network because it is forbidden: 2', () =>
    withFolder((folder) =>
      expectEnding(folder, copyOf('org/model'), {
        status: 2,
        message: 'HF_HUB_OFFLINE',
        env: { HF_HUB_OFFLINE: '1', HF_HOME: folder },
      }),
    ))
})

describe('files of models', () => {
  it.each<[string, Readonly<Record<string, string>>, string]>([
    ['a pickle that is none', { 'config.json': '{}', 'pytorch_model.bin': 'not a pickle' }, 'pytorch_model.bin'],
    [
      'a pickle that asks for code',
      { 'config.json': '{}', 'pytorch_model.bin': '\x80\x02cos\nsystem\n.' },
      'pytorch_model.bin',
    ],
    ['a GGUF that is cut off', { 'model.gguf': 'GGUF' }, 'model.gguf: ends at byte 4'],
  ])('%s: 2', (_, changes, message) =>
    withFolder(async (folder) => {
      changedModel(join(folder, 'model'), () => {})
      for (const [name, text] of Object.entries(changes)) {
        if (!name.endsWith('.json')) rmSync(join(folder, 'model', 'model.safetensors'), { force: true })
        writeFileSync(join(folder, 'model', name), text, 'latin1')
      }
      await expectEnding(folder, copyOf('./model'), { status: 2, message: new RegExp(message) })
    }),
  )

  it('a quantized model: 2', () =>
    withFolder(async (folder) => {
      const name = 'model.layers.0.mlp.up_proj'
      changedModel(join(folder, 'model'), ({ header }) => {
        header[`${name}.qweight`] = header[`${name}.weight`]!
        delete header[`${name}.weight`]
      })
      await expectEnding(folder, copyOf('./model'), { status: 2, message: 'quantized' })
    }))

  it('an adapter for another model: 2', () =>
    withFolder((folder) =>
      expectEnding(folder, copyOf('models/qwen-base+models/lora-qvd'), { status: 2, message: 'lora-qvd' }),
    ))

  it('NaN where a method needs lengths and angles: 2', () =>
    withFolder(async (folder) => {
      changedModel(join(folder, 'broken'), ({ data }) => data.fill(0xff))
      const recipe = `merge_method: slerp\nbase_model: models/llama-base\nmodels: [{model: ./broken}]\nparameters: {t: 0.5}`
      await expectEnding(folder, recipe, { status: 2, message: /error: \S+: \.\/broken holds NaN/ })
    }))

  it('NaN anywhere with --strict: 2', () =>
    withFolder(async (folder) => {
      changedModel(join(folder, 'broken'), ({ data }) => data.fill(0xff, 0, 4))
      const message = /error: NaN or infinite values: \S+: 1 in \.\/broken, 1 in the result/
      await expectEnding(folder, copyOf('./broken'), { status: 2, message, args: ['--strict'] })
    }))
})

describe('tokenizers', () => {
  it.each([
    ['a source that is not there', 'tokenizer: {source: ./models/none}', 'no such folder'],
    ['a token that its source lacks', `tokenizer: {source: base, tokens: {"<x>": {source: models/llama-ft1}}}`, '<x>'],
    ['a chat template that nobody knows', 'chat_template: chatlm', 'chatlm'],
  ])('%s: 2', (_, setting, message) =>
    withFolder((folder) => expectEnding(folder, copyOf('models/llama-ft1', setting), { status: 2, message })),
  )
})

describe('arguments', () => {
  it.each([
    ['no such device', ['--device', 'tpu'], `there is no device 'tpu'`],
    ['a module that is not there', ['--method-module', './none.mjs'], 'none.mjs'],
    ['a number that is none', ['--out-shard-size', 'much'], 'Expected a size'],
  ])('%s: 2', (_, args, message) =>
    withFolder((folder) => expectEnding(folder, copyOf('models/llama-ft1'), { status: 2, message, args })),
  )
})

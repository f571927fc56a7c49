import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeFiles } from '@mk/source/node'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { stateDict } from '../pickle/__fixtures__/pickle-bytes.ts'
import { torchZip, zip } from '../pickle/__fixtures__/zip-bytes.ts'
import { parseAdapterConfig } from './adapter-config.ts'
import { openAdapter } from './open-adapter.ts'

let root: string
let folder: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'mk-adapter-'))
})
beforeEach(async () => {
  folder = await mkdtemp(join(root, 'case-'))
})
afterAll(() => rm(root, { recursive: true }))

const config = { peft_type: 'LORA', r: 2, lora_alpha: 8 }

describe('folders', () => {
  test('an adapter may be a pickle', async () => {
    await writeFile(join(folder, 'adapter_config.json'), JSON.stringify(config))
    await writeFile(
      join(folder, 'adapter_model.bin'),
      zip(torchZip(stateDict({ 'x.lora_A.weight': { shape: [2, 2] } }), { 0: new Uint8Array(16) })),
    )
    expect([...(await openAdapter(nodeFiles, folder)).tensors.keys()]).toEqual(['x.lora_A.weight'])
  })

  test('headers stand for files that are not there yet', async () => {
    await writeFile(join(folder, 'adapter_config.json'), JSON.stringify(config))
    const file = join(folder, 'adapter_model.safetensors')
    const headers = new Map([[file, [{ name: 'x', dtype: 'F32' as const, shape: [2], byteStart: 80, byteEnd: 88 }]]])
    expect((await openAdapter(nodeFiles, folder, { headers })).tensors).toEqual(
      new Map([['x', { kind: 'file', dtype: 'F32', shape: [2], file, byteStart: 80 }]]),
    )
  })

  test('a folder without adapter_config.json is none', () =>
    expect(openAdapter(nodeFiles, folder)).rejects.toMatchObject({ code: 'adapter-config' }))

  test('a config without weights', async () => {
    await writeFile(join(folder, 'adapter_config.json'), JSON.stringify(config))
    await expect(openAdapter(nodeFiles, folder, { name: 'org/lora' })).rejects.toMatchObject({
      code: 'adapter-weights-missing',
      message: expect.stringContaining('org/lora'),
    })
  })
})

describe('adapter_config.json', () => {
  const parse = (changes: Readonly<Record<string, unknown>>) => () =>
    parseAdapterConfig(JSON.stringify({ ...config, ...changes }), 'adapter_config.json')
  const code = (value: string) =>
    expect.objectContaining({ code: value, message: expect.stringContaining('adapter_config.json') })

  test.each([undefined, 'IA3', 'LOHA', 'PROMPT_TUNING'])('peft_type %s is refused', (type) =>
    expect(parse({ peft_type: type })).toThrow(code('adapter-type')),
  )

  test.each([
    ['use_dora', true],
    ['lora_bias', true],
    ['use_qalora', true],
    ['layer_replication', [[0, 4]]],
    ['trainable_token_indices', [1, 2]],
    ['alora_invocation_tokens', [5]],
    ['use_bdlora', true],
    ['arrow_config', { top_k: 2 }],
    ['kasa_config', { beta: 1 }],
    ['monteclora_config', { num: 1 }],
    ['target_parameters', ['experts.gate_up_proj']],
    ['init_lora_weights', 'pissa_niter_4'],
    ['init_lora_weights', 'olora'],
  ])('%s: %j changes what the factors mean and is refused', (option, value) =>
    expect(parse({ [option]: value })).toThrow(code('adapter-option')),
  )

  test.each([
    ['use_dora', false],
    ['trainable_token_indices', null],
    ['layer_replication', []],
    ['init_lora_weights', 'gaussian'],
    ['modules_to_save', null],
    ['fan_in_fan_out', null],
    ['use_rslora', null],
    ['lora_bias', {}],
  ])('%s: %j is fine', (option, value) => expect(parse({ [option]: value })).not.toThrow())

  test.each([
    ['r', 0],
    ['r', 2.5],
    ['r', undefined],
    ['lora_alpha', '8'],
    ['bias', 'some'],
    ['fan_in_fan_out', 'yes'],
    ['use_rslora', 'yes'],
    ['modules_to_save', 'lm_head'],
    ['rank_pattern', [1]],
    ['rank_pattern', { q_proj: -1 }],
    ['alpha_pattern', { q_proj: null }],
  ])('%s: %j is wrong', (option, value) => {
    expect(parse({ [option]: value })).toThrow(code('adapter-config'))
    expect(parse({ [option]: value })).toThrow(new RegExp(`\\b${option}\\b`))
  })

  test('a long value is shown cut', () => {
    const shownOf = (length: number) => {
      try {
        parse({ lora_alpha: 'x'.repeat(length - 2) })()
      } catch (error) {
        return /lora_alpha is (\S+?),? /.exec(`${(error as Error).message} `)![1]!.replace(/[,;]$/, '')
      }
      return undefined
    }
    expect(shownOf(80)).toBe(`"${'x'.repeat(78)}"`)
    expect(shownOf(81)).toBe(`"${'x'.repeat(79)}…`)
  })

  test.each(['{', '[]', '3'])('%s is no config', (text) =>
    expect(() => parseAdapterConfig(text, 'adapter_config.json')).toThrow(code('adapter-config')),
  )

  test.each(['(a+)+b', '(.*)*', '.*.*.*.*x', '(a', '(?=x)a', '(a)\\1', `${'a'.repeat(300)}*`])(
    'the pattern %s is refused before it is tried',
    (pattern) => expect(parse({ rank_pattern: { [pattern]: 2 } })).toThrow(code('adapter-pattern')),
  )
})

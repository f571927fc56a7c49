import { cp, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type MergePlan, prepareMerge, runMerge } from '@mk/merge'
import { builtinMethods } from '@mk/methods'
import { encode } from '@mk/tensor'
import { readSafetensorsHeader } from '@mk/safetensors/node'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileOf, root, wasm } from '../__fixtures__/models.ts'
import { sampleTensors } from './compare-with-plan.ts'
import { verifyOutput, type VerifyOptions } from './verify-output.ts'

const model = (name: string) => root(`goldens/models/${name}`)
const text = `merge_method: linear
parameters: {weight: 0.5}
models: [{model: ${model('llama-ft1')}}, {model: ${model('llama-ft2')}}]
`
const work = mkdtempSync(join(tmpdir(), 'mk-verify-'))
const whole = join(work, 'whole')
const out = join(work, 'out')
let plan: MergePlan

beforeAll(async () => {
  plan = (await prepareMerge({ text, file: join(work, 'recipe.yml'), shardBytes: 60_000 })).plan
  await runMerge(plan, { out: whole, runtime: wasm, threads: 0 })
})
beforeEach(async () => {
  await rm(out, { recursive: true, force: true })
  await cp(whole, out, { recursive: true })
})
afterAll(() => rmSync(work, { recursive: true, force: true }))

const verify = (folder = out, more: VerifyOptions = {}) => verifyOutput(folder, { threads: 0, runtime: wasm, ...more })
const index = 'model.safetensors.index.json'
const shards = async () => (await readdir(out)).filter((name) => name.endsWith('.safetensors'))
const named = (faults: readonly { code: string; file?: string; tensor?: string; isDoubt: boolean }[]) =>
  faults.map(({ code, file, tensor }) => [code, tensor ?? file])

async function change(file: string, edit: (bytes: Buffer) => Buffer | void): Promise<void> {
  const bytes = await readFile(join(out, file))
  await writeFile(join(out, file), edit(bytes) ?? bytes)
}

/** Where a tensor lies. */
async function find(tensor: string) {
  for (const file of await shards()) {
    const { tensors } = await readSafetensorsHeader(join(out, file))
    const entry = tensors.find(({ name }) => name === tensor)
    if (entry !== undefined) return { file, ...entry }
  }
  throw new Error(tensor)
}

async function fill(tensor: string, value: number): Promise<string> {
  const { file, byteStart, byteEnd, dtype, shape } = await find(tensor)
  const elements = new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value)
  await change(file, (bytes) => encode(dtype, elements, bytes.subarray(byteStart, byteEnd), 0))
  return file
}

const withoutCard = () => rm(join(out, 'README.md'))

describe('an output', () => {
  it('is sound as it was written, checksums and all', async () => {
    const found = await verify()
    expect(found).toMatchObject({ isSound: true, faults: [], tensorCount: plan.tensors.length, computedCount: null })
    expect(found.fileCount).toBeGreaterThan(1)
    expect(found.checksumCount).toBe(found.fileCount + 1)
  })

  it.each([
    'llama-base',
    'gpt2-base',
    'mixtral-base',
    'qwen-base',
    'bert-base',
    'phi3-base',
    'gemma2-base',
    'neox-base',
    'pickle-base',
    'llama16-ft1',
  ])('of another program is sound, as far as it can be verified: %s', async (name) => {
    const found = await verify(model(name))
    expect(found.faults.filter(({ isDoubt }) => !isDoubt)).toEqual([])
    expect(found.checksumCount).toBeNull()
  })

  it('with a bit that has flipped is named by its checksum', async () => {
    const [, file] = await shards()
    await change(file!, (bytes) => void (bytes[bytes.length - 3]! ^= 1))
    expect(named((await verify()).faults)).toEqual([['checksum', file]])
  })

  it('with a bit that has flipped in a header, in a way that shows', async () => {
    const [file] = await shards()
    for (const at of [3, 8, 20]) {
      await change(file!, (bytes) => void (bytes[at]! ^= 4))
      const found = await verify()
      expect(found.isSound).toBe(false)
      expect(found.faults.some((one) => one.file === file)).toBe(true)
      await change(file!, (bytes) => void (bytes[at]! ^= 4))
    }
    expect((await verify()).faults).toEqual([])
  })

  it.each<[string, (text: string) => string, (string | undefined)[][]]>([
    [
      'names another tensor',
      (old) => old.replace('"lm_head.weight"', '"lm_heed.weight"'),
      [
        ['index', 'lm_head.weight'],
        ['index', 'lm_head.weight'],
      ],
    ],
    ['names another file', (old) => old.replace('00002-of', '00092-of'), []],
    ['has another size', (old) => old.replace(/"total_size": (\d)/, '"total_size": 9$1'), [['index', index]]],
    ['is cut off', (old) => old.slice(0, 100), [['index', index]]],
  ])('whose index %s', async (_, edit, expected) => {
    await withoutCard()
    await change(index, (bytes) => Buffer.from(edit(bytes.toString())))
    const { faults, isSound } = await verify()
    expect(isSound).toBe(false)
    expect(faults.every(({ code }) => ['index', 'file-missing'].includes(code))).toBe(true)
    for (const one of expected) expect(named(faults)).toContainEqual(one)
  })

  it('with a shard that is cut off, or longer', async () => {
    const [file] = await shards()
    const { length } = await readFile(join(out, file!))
    await truncate(join(out, file!), length - 5)
    const codes = (await verify()).faults.map((one) => `${one.code} ${one.file}`)
    expect(codes).toEqual(expect.arrayContaining([`file-unreadable ${file}`, `checksum ${file}`]))
    await truncate(join(out, file!), length + 5)
    expect(named((await verify()).faults)).toContainEqual(['file-unreadable', file])
  })

  it('that lacks a shard names it once', async () => {
    const [, file] = await shards()
    await rm(join(out, file!))
    expect(named((await verify()).faults).filter(([code]) => code === 'file-missing')).toEqual([['file-missing', file]])
    await withoutCard()
    await rm(join(out, index))
    expect(named((await verify()).faults)).toContainEqual(['file-missing', file])
  })

  it('with a file of weights too many, or one that belongs to a merge under way', async () => {
    await writeFile(join(out, 'stray.safetensors'), fileOf({ stray: { shape: [1], values: [1] } }))
    await writeFile(join(out, 'journal.json'), '{}')
    const { faults, isSound } = await verify()
    expect(isSound).toBe(false)
    expect(named(faults).toSorted()).toEqual([
      ['extra-file', 'journal.json'],
      ['extra-file', 'stray.safetensors'],
    ])
  })

  it('whose card has another checksum, or one of a file that is gone', async () => {
    const [file] = await shards()
    await change('README.md', (bytes) =>
      Buffer.from(bytes.toString().replace(/[\da-f]{64} {2}model-00001/, `${'0'.repeat(64)}  model-00001`)),
    )
    expect(named((await verify()).faults)).toEqual([['checksum', file]])
    await rename(join(out, file!), join(out, 'other.safetensors'))
    expect(named((await verify()).faults)).toEqual(
      expect.arrayContaining([
        ['file-missing', file],
        ['extra-file', 'other.safetensors'],
      ]),
    )
  })

  it('with NaN or infinity in a tensor, with a tensor of zeros', async () => {
    await withoutCard()
    const norm = 'model.norm.weight'
    const down = 'model.layers.0.mlp.down_proj.weight'
    await fill(norm, Number.NaN)
    await fill(down, 0)
    const { faults, isSound } = await verify()
    expect(isSound).toBe(false)
    expect(faults.map(({ code, tensor, isDoubt }) => [code, tensor, isDoubt]).toSorted()).toEqual(
      [
        ['constant', down, true],
        ['not-finite', norm, false],
      ].toSorted(),
    )
    await fill(norm, 1)
    expect(await verify()).toMatchObject({ isSound: true, faults: [{ code: 'constant', tensor: down }] })
  })

  it('whose config.json tells other shapes, layers or a head', async () => {
    await withoutCard()
    const config = JSON.parse(await readFile(join(out, 'config.json'), 'utf8')) as Record<string, number>
    const write = (more: object) => writeFile(join(out, 'config.json'), JSON.stringify({ ...config, ...more }))
    await write({ intermediate_size: config['intermediate_size']! + 1 })
    expect((await verify()).faults.every(({ code, tensor }) => code === 'shape' && /mlp/.test(tensor!))).toBe(true)
    expect((await verify()).isSound).toBe(false)
    await write({ vocab_size: config['vocab_size']! + 1 })
    expect((await verify()).faults.map(({ tensor }) => tensor)).toEqual(
      expect.arrayContaining(['model.embed_tokens.weight', 'lm_head.weight']),
    )
    await write({ num_hidden_layers: config['num_hidden_layers']! + 1 })
    expect((await verify()).faults.map(({ code }) => code)).toEqual(['layers'])
    await writeFile(join(out, 'config.json'), '{')
    expect(named((await verify()).faults)).toEqual([['config', 'config.json']])
  })

  it('of which one file alone is looked at', async () => {
    const [, file] = await shards()
    expect(await verify(join(out, file!))).toMatchObject({ isSound: true, faults: [], fileCount: 1, checksumCount: 1 })
  })

  it('that is not there, or has nothing', async () => {
    await expect(verify(join(work, 'nothing'))).rejects.toMatchObject({ code: 'output-missing' })
    const empty = mkdtempSync(join(work, 'empty-'))
    expect((await verify(empty)).faults.map(({ code }) => code)).toEqual(['no-weights'])
  })

  it('that is a GGUF, with its checksum', async () => {
    const gguf = join(work, 'gguf')
    const tiny = text.replaceAll(/goldens\/models\/llama-ft\d/g, 'examples/models/tiny-code')
    const planned = await prepareMerge({
      text: tiny,
      file: join(work, 'recipe.yml'),
      outFormat: 'gguf',
      outDtype: 'q8_0',
    })
    await runMerge(planned.plan, { out: gguf, runtime: wasm, threads: 0 })
    const against = { plan: planned.plan, methods: builtinMethods, runtime: wasm }
    expect(await verify(gguf, { against })).toMatchObject({ isSound: true, faults: [], checksumCount: 1, fileCount: 1 })
    const bytes = await readFile(join(gguf, 'model.gguf'))
    bytes[bytes.length - 40]! ^= 1
    await writeFile(join(gguf, 'model.gguf'), bytes)
    const { faults } = await verify(gguf, { against })
    expect(faults.map(({ code }) => code)).toEqual(['checksum', 'differs'])
    await truncate(join(gguf, 'model.gguf'), bytes.length - 1000)
    expect((await verify(join(gguf, 'model.gguf'))).faults.map(({ code }) => code)).toEqual([
      'file-unreadable',
      'checksum',
    ])
  })
})

describe('an output that is computed anew', () => {
  const against = () => ({ plan, methods: builtinMethods, runtime: wasm })

  it('is what it was, in all tensors or some', async () => {
    expect(await verify(out, { against: against() })).toMatchObject({
      isSound: true,
      faults: [],
      computedCount: plan.tensors.length,
    })
    expect(await verify(out, { against: { ...against(), sample: 3, seed: 7 } })).toMatchObject({
      isSound: true,
      computedCount: 3,
    })
    expect(sampleTensors(plan, 3, 7)).toEqual(sampleTensors(plan, 3, 7))
    expect(sampleTensors(plan, 3, 7)).not.toEqual(sampleTensors(plan, 3, 8))
  })

  it('is told from one that is right but for one bit, by tensor and byte', async () => {
    await withoutCard()
    const tensor = 'model.layers.1.self_attn.v_proj.weight'
    const { file, byteStart } = await find(tensor)
    await change(file, (bytes) => void (bytes[byteStart + 7]! ^= 1))
    const { faults } = await verify(out, { against: against() })
    expect(faults.filter(({ isDoubt }) => !isDoubt)).toEqual([
      {
        code: 'differs',
        isDoubt: false,
        file,
        tensor,
        text: `${tensor} is not what is computed for it, from byte ${byteStart + 7} of ${file} on`,
      },
    ])
    expect(faults.filter(({ isDoubt }) => isDoubt).map(({ file: name }) => name)).toEqual(['README.md'])
  })

  it('is no output of the plan, or its inputs have changed', async () => {
    await expect(verify(model('llama-base'), { against: against() })).rejects.toMatchObject({ code: 'against-other' })
    const [input] = plan.inputs
    const changed = { ...plan, inputs: [{ ...input!, states: { [join(work, 'gone')]: '1' } }] }
    await expect(verify(out, { against: { ...against(), plan: changed } })).rejects.toMatchObject({
      code: 'against-inputs',
    })
  })

  it('ends when it is told to', () =>
    expect(verify(out, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough'))
})

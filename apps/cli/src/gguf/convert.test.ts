import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseGgufHeader } from '@mk/gguf'
import { planConversion } from '@mk/gguf/convert'
import { layoutFile } from '@mk/safetensors'
import { describe, expect, it } from 'vitest'
import { filesOf, readCase, requestOf } from '../../../../packages/gguf/src/convert/__fixtures__/cases.ts'
import { encodedTensors } from '../../../../packages/gguf/src/convert/__fixtures__/plain-file.ts'
import { tinyWeights } from '../../../../packages/gguf/src/convert/__fixtures__/tiny-weights.ts'
import { runBin, withFolder } from '../__fixtures__/run-bin.ts'

const bin = new URL('../../bin/mk-gguf.cjs', import.meta.url)
const models = fileURLToPath(new URL('../../../../examples/models', import.meta.url))

interface StoredTensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly values: Float32Array
}

const tensorsOf = (name: string): StoredTensor[] => {
  const { weights, norm } = readCase(name)
  return weights!.map(({ name: tensor, shape }) => ({ name: tensor, shape, values: tinyWeights(tensor, shape, norm!) }))
}

/** Writes a made model as a folder; its weights are exact in bfloat16. */
function writeModel(folder: string, name: string, tensors = tensorsOf(name)): void {
  mkdirSync(folder)
  for (const [file, bytes] of filesOf(name)) writeFileSync(join(folder, file), bytes)
  const entries = tensors.map(({ name: tensor, shape }) => ({ name: tensor, dtype: 'BF16' as const, shape }))
  const { header } = layoutFile(entries, { format: 'pt' })
  const data = tensors.map(
    ({ values }) => new Uint8Array(Uint16Array.from(new Uint32Array(values.buffer), (bits) => bits >>> 16).buffer),
  )
  writeFileSync(join(folder, 'model.safetensors'), Buffer.concat([header, ...data]))
}

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Each tensor of a file with its type, shape and bytes. */
function readGguf(path: string) {
  const bytes = new Uint8Array(readFileSync(path))
  const { metadata, tensors } = parseGgufHeader(bytes, bytes.length)!
  const contents = tensors.map(
    ({ name, type, shape, byteStart, byteEnd }) =>
      [name, { type, shape, content: hashOf(bytes.subarray(byteStart, byteEnd)) }] as const,
  )
  return { metadata, tensors: Object.fromEntries(contents) }
}

const expectedTensors = (name: string, type: 'F16' | 'Q8_0') =>
  Object.fromEntries(
    encodedTensors(name, type).map(({ name: tensor, type: stored, shape, bytes }) => [
      tensor,
      { type: stored, shape, content: hashOf(bytes) },
    ]),
  )

describe('mk-gguf convert', () => {
  // The merge itself is tested with all of them.
  it.each(['llama3', 'gemma3', 'phi3', 'mixtral'])('writes the file of %s that llama.cpp was tested with', (name) =>
    withFolder(async (folder) => {
      writeModel(join(folder, name), name)
      for (const [flag, type] of [
        ['f16', 'F16'],
        ['q8_0', 'Q8_0'],
      ] as const) {
        const out = `${type}.gguf`
        const { status, stderr } = await runBin(
          bin,
          ['convert', name, out, '--type', flag, '--name', name, '--threads', '1'],
          {
            cwd: folder,
          },
        )
        expect({ status, stderr }).toMatchObject({ status: 0 })
        const written = readGguf(join(folder, out))
        expect(written.tensors).toEqual(expectedTensors(name, type))
        expect([...written.metadata.keys()]).toEqual([...planConversion(requestOf(name, type)).plan.metadata.keys()])
        expect(written.metadata.get('general.name')).toEqual({ type: 'string', value: name })
      }
      expect(readdirSync(folder).toSorted()).toEqual(['F16.gguf', 'Q8_0.gguf', name].toSorted())
    }),
  )

  it('takes packed experts apart', () =>
    withFolder(async (folder) => {
      const separate = tensorsOf('qwen3moe')
      const stacked = (layer: number, parts: readonly string[]): Float32Array => {
        const values = [0, 1, 2, 3].flatMap((expert) =>
          parts.map(
            (part) =>
              separate.find(({ name }) => name === `model.layers.${layer}.mlp.experts.${expert}.${part}.weight`)!
                .values,
          ),
        )
        return Float32Array.from(values.flatMap((list) => [...list]))
      }
      const packed = [0, 1].flatMap((layer) => [
        {
          name: `model.layers.${layer}.mlp.experts.gate_up_proj`,
          shape: [4, 64, 64],
          values: stacked(layer, ['gate_proj', 'up_proj']),
        },
        {
          name: `model.layers.${layer}.mlp.experts.down_proj`,
          shape: [4, 64, 32],
          values: stacked(layer, ['down_proj']),
        },
      ])
      writeModel(join(folder, 'packed'), 'qwen3moe', [
        ...separate.filter(({ name }) => !name.includes('.experts.')),
        ...packed,
      ])
      const { status, stderr } = await runBin(bin, ['convert', 'packed', 'out.gguf', '--type', 'q8_0'], { cwd: folder })
      expect({ status, stderr }).toMatchObject({ status: 0 })
      expect(readGguf(join(folder, 'out.gguf')).tensors).toEqual(expectedTensors('qwen3moe', 'Q8_0'))
    }))

  it('keeps the type of the weights unless told otherwise, and replaces a file only when told to', () =>
    withFolder(async (folder) => {
      const args = ['convert', join(models, 'tiny-base'), 'base.gguf']
      expect(await runBin(bin, [...args, '--json'], { cwd: folder })).toMatchObject({ status: 0 })
      const { metadata, tensors } = readGguf(join(folder, 'base.gguf'))
      expect(tensors['blk.0.attn_q.weight']).toMatchObject({ type: 'BF16' })
      expect(metadata.get('general.name')).toEqual({ type: 'string', value: 'base' })
      const again = await runBin(bin, args, { cwd: folder })
      expect(again).toMatchObject({ status: 2 })
      expect(again.stderr).toBe(
        "error: can't write base.gguf: it is there already; --overwrite replaces it; expected the path of a new .gguf file\n",
      )
      expect(await runBin(bin, [...args, '--overwrite', '--type', 'f32'], { cwd: folder })).toMatchObject({ status: 0 })
      expect(readGguf(join(folder, 'base.gguf')).tensors['blk.0.attn_q.weight']).toMatchObject({ type: 'F32' })
      expect(readdirSync(folder)).toEqual(['base.gguf'])
    }))

  it('takes a folder with signs of references in its name', () =>
    withFolder(async (folder) => {
      cpSync(join(models, 'tiny-base'), join(folder, 'a+b@c'), { recursive: true })
      expect(await runBin(bin, ['convert', 'a+b@c', 'out.gguf'], { cwd: folder })).toMatchObject({ status: 0 })
    }))

  it('never replaces what it reads', () =>
    withFolder(async (folder) => {
      const base = join(models, 'tiny-base')
      const convert = (...args: string[]) => runBin(bin, ['convert', ...args], { cwd: folder })
      expect(await convert(base, 'base.gguf', '--type', 'f16')).toMatchObject({ status: 0 })
      mkdirSync(join(folder, 'sub'))
      const before = hashOf(readFileSync(join(folder, 'base.gguf')))
      for (const args of [
        ['base.gguf', 'sub/../base.gguf', '--type', 'q4_0'],
        [base, 'base.gguf', '--like', './base.gguf'],
      ]) {
        const { status, stderr } = await convert(...args, '--overwrite')
        expect(stderr).toMatch(/over, or into, the input .*base\.gguf|it is the file of --like/)
        expect(status).toBe(2)
      }
      expect(hashOf(readFileSync(join(folder, 'base.gguf')))).toBe(before)
      expect(readdirSync(folder).toSorted()).toEqual(['base.gguf', 'sub'])
    }))

  it('makes of a merged folder what the recipe itself writes as a GGUF', () =>
    withFolder(async (folder) => {
      const merge = (...args: string[]) =>
        runBin(new URL('../../bin/mergekit-yaml.cjs', import.meta.url), args, { cwd: folder })
      const recipe = fileURLToPath(new URL('../../../../examples/recipes/layers.yml', import.meta.url))
      expect(await merge(recipe, 'direct', '--out-format', 'gguf', '--out-dtype', 'q8_0')).toMatchObject({ status: 0 })
      expect(await merge(recipe, 'merged')).toMatchObject({ status: 0 })
      const args = ['convert', 'merged', 'merged.gguf', '--type', 'q8_0', '--name', 'direct']
      expect(await runBin(bin, args, { cwd: folder })).toMatchObject({ status: 0 })
      expect(readGguf(join(folder, 'merged.gguf'))).toEqual(readGguf(join(folder, 'direct', 'model.gguf')))
    }))

  it('tells the plan as JSON, and writes nothing', () =>
    withFolder(async (folder) => {
      const plan = (...args: string[]) =>
        runBin(bin, ['convert', join(models, 'tiny-base'), ...args, '--dry-run'], { cwd: folder })
      expect(JSON.parse((await plan('--json')).stdout)).toMatchObject({
        method: 'passthrough',
        files: [{ format: 'gguf', name: 'model.gguf' }],
        documents: [],
      })
      const { stdout } = await plan('out.gguf')
      expect(stdout).toContain('out.gguf 3.05 MB')
      expect(stdout).not.toContain('mergekit_config')
      expect(readdirSync(folder)).toEqual([])
    }))

  it.each([
    [
      'a family without a map',
      { model_type: 'bert', architectures: ['BertModel'] },
      'model_type "bert" has no map to GGUF',
    ],
    ['a setting that llama.cpp computes otherwise', { hidden_act: 'gelu' }, 'hidden_act is "gelu"'],
  ])('refuses %s before anything is written', (_, changes, message) =>
    withFolder(async (folder) => {
      writeModel(join(folder, 'model'), 'llama3')
      const config = join(folder, 'model', 'config.json')
      writeFileSync(config, JSON.stringify({ ...JSON.parse(readFileSync(config, 'utf8')), ...changes }))
      const { status, stderr } = await runBin(bin, ['convert', 'model', 'out.gguf'], { cwd: folder })
      expect(stderr).toContain(message)
      expect(status).toBe(2)
      expect(existsSync(join(folder, 'out.gguf'))).toBe(false)
      expect(readdirSync(folder)).toEqual(['model'])
    }),
  )

  it.each([
    [
      'a model that is not there',
      ['convert', './none', 'out.gguf'],
      /^error: \.\/none: there is no such folder[^\n]*\n$/,
    ],
    ['no file to write', ['convert', 'model'], /missing argument 'out\.gguf'/],
    ['a file that is no .gguf', ['convert', 'model', 'out.bin'], /its name does not end in \.gguf/],
    ['an unknown type', ['convert', 'model', 'out.gguf', '--type', 'q5'], /Allowed choices are/],
  ])('ends with status 2 for %s', (_, args, message) =>
    withFolder(async (folder) => {
      const { status, stderr } = await runBin(bin, args, { cwd: folder })
      expect(stderr).toMatch(message)
      expect(status).toBe(2)
    }),
  )
})

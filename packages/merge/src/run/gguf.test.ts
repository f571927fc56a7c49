import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { dequantize, type DecodedGgmlType } from '@mk/gguf'
import { readGgufHeader } from '@mk/gguf/node'
import { elementCount } from '@mk/safetensors'
import { describe, expect, test } from 'vitest'
import { madeCases, readCase } from '../../../gguf/src/convert/__fixtures__/cases.ts'
import { writeCase as writeMade } from '../__fixtures__/gguf-cases.ts'
import { expectIssue, mergeIn, planIn, wasmRuntime } from '../__fixtures__/merge.ts'
import { bytesIn, tinyLlama, useFolder, writeModel } from '../__fixtures__/models.ts'
import { describeNonFinite } from '@mk/tensor'
import { runProcess } from '../__fixtures__/run-process.ts'
import type { MergeProgress } from './run-tensors.ts'

const folder = useFolder()

const writeCase = (name: string, into: string, factor = 1) => writeMade(join(folder.path, into), name, { factor })

const alone = 'merge_method: passthrough\nmodels: [{model: a}]'
const linear = 'merge_method: linear\nparameters: {weight: 0.5}\nmodels: [{model: a}, {model: b}]'
const gguf = (outDtype: string) => ({ prepare: { outFormat: 'gguf', outDtype } as const })

/** The stored bytes of each tensor. */
async function storedIn(
  out: string,
): Promise<Map<string, { type: DecodedGgmlType; shape: readonly number[]; bytes: Buffer }>> {
  const { tensors } = await readGgufHeader(join(out, 'model.gguf'))
  const file = await readFile(join(out, 'model.gguf'))
  return new Map(
    tensors.map(({ name, type, shape, byteStart, byteEnd }) => [
      name,
      { type: type as DecodedGgmlType, shape, bytes: file.subarray(byteStart, byteEnd) },
    ]),
  )
}

describe.each(madeCases)('a model of %s', (name) => {
  test.each([
    ['F32', 'float32'],
    ['F16', 'float16'],
    ['Q8_0', 'q8_0'],
  ])("has the bytes of llama.cpp's script as %s", async (type, outDtype) => {
    await writeCase(name, 'a')
    const { out } = await mergeIn(folder.path, alone, { ...gguf(outDtype), runtime: wasmRuntime })
    const stored = await storedIn(out)
    const { tensors, hashes } = readCase(name).gguf
    expect([...stored.keys()].toSorted()).toEqual(tensors.map((tensor) => tensor.name).toSorted())
    for (const [index, tensor] of tensors.entries()) {
      const { type: found, bytes } = stored.get(tensor.name)!
      const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 32)
      expect([tensor.name, `${found} ${hash}`]).toEqual([tensor.name, hashes[type]![index]])
    }
  })
})

describe('a merge to GGUF', () => {
  test('writes one file beside card and recipe, and reports all of its bytes', async () => {
    await writeCase('llama3', 'a')
    await writeCase('llama3', 'b', 3)
    const { out, result, plan } = await mergeIn(folder.path, linear, gguf('q8_0'))
    expect(await readdir(out)).toEqual(['README.md', 'mergekit_config.yml', 'model.gguf'])
    const { metadata, tensors, fileBytes } = await readGgufHeader(join(out, 'model.gguf'))
    expect(metadata.get('general.name')).toEqual({ type: 'string', value: 'recipe' })
    expect(metadata.get('general.file_type')).toEqual({ type: 'uint32', value: 7 })
    expect(fileBytes).toBe(plan.files[0]!.fileBytes)
    const constants = tensors.filter((tensor) => tensor.name === 'rope_freqs.weight')
    const bytesOf = (list: typeof tensors) => list.reduce((sum, { byteStart, byteEnd }) => sum + byteEnd - byteStart, 0)
    expect(result.writtenBytes).toBe(bytesOf(tensors) - bytesOf(constants))
  })

  test('merges, then rounds once', async () => {
    await writeCase('llama3', 'a')
    await writeCase('llama3', 'b', 1.01)
    const { out } = await mergeIn(folder.path, linear, gguf('bfloat16'))
    const plain = await mergeIn(folder.path, `${linear}\nout_dtype: bfloat16`, { out: join(folder.path, 'plain') })
    const { bytes, type, shape } = (await storedIn(out)).get('blk.0.ffn_up.weight')!
    expect([type, shape]).toEqual(['BF16', plain.tensors['model.layers.0.mlp.up_proj.weight']!.shape])
    const values = new Float32Array(elementCount(shape))
    dequantize(type, bytes, values)
    expect([...values]).toEqual(plain.tensors['model.layers.0.mlp.up_proj.weight']!.values)
  })

  test.each(['q8_0', 'q4_0', 'float16'])('counts what is too large for %s', async (outDtype) => {
    await writeCase('llama3', 'a', 1e8)
    const message = (await mergeIn(folder.path, alone, gguf(outDtype))).result.nonFinite.map(describeNonFinite)
    expect(message).toContainEqual(
      expect.stringMatching(new RegExp(`up_proj.* in the result, by overflow \\(${outDtype} ends at`)),
    )
    const strict = mergeIn(folder.path, alone, { ...gguf(outDtype), strict: true, overwrite: true })
    await expectIssue(strict, 'values-not-finite')
    await writeCase('llama3', 'a')
    expect((await mergeIn(folder.path, alone, { ...gguf(outDtype), overwrite: true })).result.nonFinite).toEqual([])
  })

  test('says in the recipe what it is, and takes what most elements have where that says nothing', async () => {
    await writeCase('llama3', 'a')
    const typeOf = async (more: string) => {
      const { files, tensors } = await planIn(folder.path, `${alone}\nout_format: gguf\n${more}`)
      expect(files.map(({ name }) => name)).toEqual(['model.gguf'])
      const { rows, dtype } = tensors.find((tensor) => tensor.name.endsWith('up_proj.weight'))!
      return rows?.type ?? dtype
    }
    expect(await typeOf('')).toBe('F32')
    expect(await typeOf('dtype: float16')).toBe('F16')
    expect(await typeOf('dtype: float16\nout_dtype: q4_0')).toBe('Q4_0')
    expect(await typeOf('dtype: float64')).toBe('F32')
  })

  test('has the same bytes for any number of threads, and goes on where it was interrupted', async () => {
    await writeCase('mixtral', 'a')
    await writeCase('mixtral', 'b', 2)
    const recipe = `${linear}\nout_format: gguf\nout_dtype: q8_0`
    const { out } = await mergeIn(folder.path, recipe, { out: join(folder.path, 'whole'), runtime: wasmRuntime })
    const stop = new AbortController()
    const onProgress = ({ finishedTensors }: { finishedTensors: number }) => {
      if (finishedTensors >= 4) stop.abort(new Error('enough'))
    }
    await expectIssue(mergeIn(folder.path, recipe, { signal: stop.signal, onProgress }), 'interrupted')
    expect(existsSync(join(folder.path, 'out.partial', 'model.gguf'))).toBe(true)
    const told: MergeProgress[] = []
    const { result } = await mergeIn(folder.path, recipe, { onProgress: (progress) => told.push(progress) })
    expect(result.resumedTensors).toBeGreaterThanOrEqual(4)
    const { resumedTensors } = result
    expect(told[0]).toMatchObject({ resumedTensors, finishedTensors: resumedTensors })
    expect(told[1]!.writtenBytes).toBeGreaterThan(told[0]!.writtenBytes)
    expect(await bytesIn(join(folder.path, 'out'))).toEqual(await bytesIn(out))
    const { results } = await runProcess(
      [1, 3].map((threads) => ({
        text: recipe,
        file: join(folder.path, 'recipe.yml'),
        out: join(folder.path, `threads-${threads}`),
        threads,
      })),
    )
    const hash = createHash('sha256')
      .update(await readFile(join(out, 'model.gguf')))
      .digest('hex')
    expect(results.map(({ error, files }) => error ?? files!['model.gguf'])).toEqual([hash, hash])
  })

  test('starts over where the header of what is there is another one', async () => {
    await writeCase('llama3', 'a')
    const recipe = `${alone}\nout_format: gguf`
    const stop = new AbortController()
    await expectIssue(
      mergeIn(folder.path, recipe, { signal: stop.signal, onProgress: () => stop.abort(new Error('enough')) }),
      'interrupted',
    )
    const partial = join(folder.path, 'out.partial', 'model.gguf')
    const bytes = await readFile(partial)
    bytes[20] = bytes[20]! ^ 1
    await writeFile(partial, bytes)
    expect((await mergeIn(folder.path, recipe)).result.resumedTensors).toBe(0)
  })

  test('is replaced by another merge where that was asked for', async () => {
    await writeCase('llama3', 'a')
    const { out } = await mergeIn(folder.path, alone, gguf('q8_0'))
    await expectIssue(mergeIn(folder.path, alone), 'output-exists')
    await mergeIn(folder.path, alone, { overwrite: true })
    expect(await readdir(out)).not.toContain('model.gguf')
    await mergeIn(folder.path, alone, { overwrite: true, ...gguf('q8_0') })
    expect(await readdir(out)).toEqual(['README.md', 'mergekit_config.yml', 'model.gguf'])
  })

  test('refuses what it can not say, before anything is written', async () => {
    await writeModel(
      join(folder.path, 'a'),
      tinyLlama({ config: { model_type: 'bert', architectures: ['BertModel'] } }),
    )
    await expect(mergeIn(folder.path, alone, gguf('q8_0'))).rejects.toMatchObject({
      code: 'gguf-family',
      fault: 'usage',
    })
    await writeModel(join(folder.path, 'c'), tinyLlama())
    const leaving = { outFormat: 'gguf', copyTokenizer: false } as const
    await expectIssue(planIn(folder.path, alone.replace('model: a', 'model: c'), leaving), 'gguf-without-tokenizer')
    await writeModel(join(folder.path, 'b'), { tensors: { w: { shape: [2, 2] } } })
    const raw = 'merge_method: passthrough\nmodels: [{model: b/model.safetensors}]'
    await expectIssue(mergeIn(folder.path, raw, gguf('q8_0')), 'gguf-without-config')
    expect(existsSync(join(folder.path, 'out'))).toBe(false)
    expect(existsSync(join(folder.path, 'out.partial'))).toBe(false)
  })

  test.each([
    [{ outFormat: 'gguf', outDtype: 'float64' }, 'gguf has float32, float16, bfloat16, q8_0, q4_0'],
    [{ outFormat: 'gguf', outDtype: 'q8' }, "did you mean 'q8_0'"],
    [{ outDtype: 'Q4_0' }, "did you mean 'q4_0'"],
    [{ outDtype: 'q8_0' }, "float8_e4m3fn, float8_e5m2; out_format gguf has 'q8_0'"],
    [{ outFormat: 'gguf', outDtype: 'float8_e5m2' }, "out_format safetensors has 'float8_e5m2'"],
    [{ outDtype: 'fp16' }, "did you mean 'float16'"],
  ] as const)('refuses an out_dtype that its format has not: %o', async (prepare, text) => {
    await writeModel(join(folder.path, 'a'), tinyLlama())
    expect(await expectIssue(planIn(folder.path, alone, prepare), 'out-dtype')).toContain(text)
  })
})

import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openCheckpoint } from '@mk/checkpoint'
import { prepareMerge, runMerge } from '@mk/merge'
import { dtypeBytes, elementCount } from '@mk/safetensors'
import { readSafetensorsHeader } from '@mk/safetensors/node'
import { createSourceReader } from '@mk/source/node'
import { decode } from '@mk/tensor'
import { describe, expect, it } from 'vitest'
import { fileOf, inFolder, type Tensor, wasm, writeTensors } from '../__fixtures__/models.ts'
import { prepareDiff } from '../diff/prepare-diff.ts'
import { planTaskMask, writeTaskMask } from './write-task-mask.ts'

type Values = Readonly<Record<string, readonly number[]>>
interface Task {
  readonly mask: Values
  readonly rescaler: number
  readonly model: Values
}

const emr = JSON.parse(readFileSync(new URL('__fixtures__/emr.json', import.meta.url), 'utf8')) as {
  readonly shapes: Readonly<Record<string, readonly number[]>>
  readonly base: Values
  readonly models: Readonly<Record<string, Values>>
  readonly merged: Values
  readonly tasks: Readonly<Record<string, Task>>
}

const tensorsOf = (values: Values): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(values).map(([name, each]) => [name, { shape: emr.shapes[name]!, values: each }]))

/** All tensors of a model. */
async function load(path: string): Promise<Values> {
  const { tensors } = await openCheckpoint({ path, adapters: [] }, { roots: ['.'], allowNoConfig: true })
  const reader = createSourceReader()
  const found = [...tensors].map(([name, source]) => {
    const count = elementCount(source.shape)
    const [bytes, values] = [new Uint8Array(count * dtypeBytes(source.dtype)), new Float32Array(count)]
    reader.read(source, 0, count, bytes)
    decode(source.dtype, bytes, 0, values)
    return [name, [...values]] as const
  })
  reader.close()
  return Object.fromEntries(found)
}

async function merge(folder: string, name: string, text: string): Promise<Values> {
  const { plan } = await prepareMerge({ text, file: join(folder, `${name}.yml`) })
  await runMerge(plan, { out: join(folder, name), runtime: wasm, threads: 0 })
  return load(join(folder, name))
}

const write = async (merged: string, model: string, base: string, out: string, options = {}) =>
  writeTaskMask(planTaskMask(await prepareDiff({ a: merged, b: model, base }, {})), out, options)

const near = (found: Values, expected: Values) => {
  expect(Object.keys(found).toSorted()).toEqual(Object.keys(expected).toSorted())
  for (const [name, values] of Object.entries(expected))
    expect(found[name]).toEqual(values.map((value) => expect.closeTo(value, 5)))
}

describe('the mask of a task', () => {
  it('with the merged model gives the model of EMR-Merging for the task, as numpy computes it', () =>
    inFolder(async (folder) => {
      const base = await writeTensors(folder, 'base', tensorsOf(emr.base))
      const names = Object.keys(emr.tasks)
      for (const name of names) await writeTensors(folder, name, tensorsOf(emr.models[name]!))
      const models = names.map((name) => `{model: ${name}.safetensors}`).join()
      const text = `merge_method: emr\nbase_model: base.safetensors\ndtype: float32\nmodels: [${models}]`
      near(await merge(folder, 'merged', text), emr.merged)
      for (const [name, { mask, rescaler, model }] of Object.entries(emr.tasks)) {
        const out = join(folder, `mask-${name}.safetensors`)
        const found = await write(
          join(folder, 'merged', 'model.safetensors'),
          join(folder, `${name}.safetensors`),
          base,
          out,
        )
        const all = Object.values(mask).flat()
        expect(found).toMatchObject({ out, elementCount: all.length, agreeing: all.filter((bit) => bit === 1).length })
        expect(found.rescaler).toBeCloseTo(rescaler, 6)
        near(
          await load(out),
          Object.fromEntries(Object.entries(mask).map(([tensor, bits]) => [tensor, bits.map((bit) => bit * rescaler)])),
        )
        const apply = `merge_method: masked_task_arithmetic\nbase_model: base.safetensors\ndtype: float32\nmodels: [{model: merged/model.safetensors, parameters: {mask: mask-${name}.safetensors}}]`
        near(await merge(folder, `task-${name}`, apply), model)
      }
    }))

  it('of the only model that was merged gives that model back, also past a chunk and in bfloat16', () =>
    inFolder(async (folder) => {
      const values = (by: number) => (index: number) =>
        Math.sin(index) + (index % 3 === 0 ? 0 : by * Math.cos(7 * index))
      const shape = [3, 90_001]
      const write16 = (name: string, by: number) =>
        writeTensors(folder, name, {
          wide: { dtype: 'BF16', shape, values: values(by) },
          scalar: { dtype: 'BF16', shape: [], values: [by] },
          none: { dtype: 'F32', shape: [0, 4], values: [] },
        })
      const [base, model] = [await write16('base', 0), await write16('model', 0.25)]
      await merge(
        folder,
        'merged',
        'merge_method: emr\nbase_model: base.safetensors\nmodels: [{model: model.safetensors}]',
      )
      const out = join(folder, 'mask.safetensors')
      const found = await write(join(folder, 'merged', 'model.safetensors'), model, base, out)
      expect(found).toMatchObject({ rescaler: 1, agreeing: found.changed })
      const apply =
        'merge_method: masked_task_arithmetic\nbase_model: base.safetensors\nmodels: [{model: merged/model.safetensors, parameters: {mask: mask.safetensors}}]'
      const [back, expected] = [await merge(folder, 'back', apply), await load(model)]
      expect(Object.keys(back).toSorted()).toEqual(Object.keys(expected).toSorted())
      for (const [name, values] of Object.entries(expected))
        expect(
          Buffer.compare(
            Buffer.from(Float32Array.from(back[name]!).buffer),
            Buffer.from(Float32Array.from(values).buffer),
          ),
        ).toBe(0)
    }))

  it('of a model that changes nothing, or is always outvoted, gives the base', () =>
    inFolder(async (folder) => {
      const tensor = (values: number[]): Record<string, Tensor> => ({ w: { shape: [values.length], values } })
      const base = await writeTensors(folder, 'base', tensor([1, 2, 3]))
      const merged = await writeTensors(folder, 'merged', tensor([2, 2, 2]))
      const against = await writeTensors(folder, 'against', tensor([0, 5, 4]))
      for (const [model, changed] of [
        [base, 0],
        [against, 3],
      ] as const) {
        const out = join(folder, 'mask.safetensors')
        const found = await write(merged, model, base, out, { overwrite: true })
        expect(found).toMatchObject({ rescaler: 1, agreeing: 0, changed })
        expect(await load(out)).toEqual({ w: [0, 0, 0] })
      }
    }))

  it('knows signs of changes whose product is no number any more', () =>
    inFolder(async (folder) => {
      const tensor = (values: number[]): Record<string, Tensor> => ({ w: { shape: [values.length], values } })
      const tiny = 2 ** -120
      const base = await writeTensors(folder, 'base', tensor([0, 0, 0]))
      const merged = await writeTensors(folder, 'merged', tensor([tiny, tiny, -tiny]))
      const model = await writeTensors(folder, 'model', tensor([tiny, -tiny, -tiny]))
      expect(await write(merged, model, base, join(folder, 'mask.safetensors'))).toMatchObject({
        rescaler: 1.5,
        agreeing: 2,
      })
    }))

  it.each<[string, Record<string, Tensor>, string, object]>([
    ['lacks a tensor', { other: { shape: [2], values: [1, 2] } }, 'mask-tensor', { tensor: 'w', found: undefined }],
    ['has another shape', { w: { shape: [2, 1], values: [1, 2] } }, 'mask-tensor', { tensor: 'w', found: [2, 1] }],
    ['has NaN', { w: { shape: [2], values: [1, Number.NaN] } }, 'mask-not-finite', { tensor: 'w' }],
    ['is infinite', { w: { shape: [2], values: [Infinity, 1] } }, 'mask-not-finite', { tensor: 'w' }],
  ])('is refused where a model %s, and leaves no file', (_, tensors, code, facts) =>
    inFolder(async (folder) => {
      const fine = await writeTensors(folder, 'fine', { w: { shape: [2], values: [1, 2] } })
      const broken = await writeTensors(folder, 'broken', tensors)
      const out = join(folder, 'mask.safetensors')
      const places = code === 'mask-tensor' ? [1, 2] : [0, 1, 2]
      for (const place of places) {
        const [merged, model, base] = [0, 1, 2].map((each) => (each === place ? broken : fine))
        await expect(write(merged!, model!, base!, out)).rejects.toMatchObject({ code, issue: facts })
      }
      expect(readdirSync(folder).toSorted()).toEqual(['broken.safetensors', 'fine.safetensors'])
    }),
  )

  it('names the models that it was made of, and says of one that it lacks a tensor', () =>
    inFolder(async (folder) => {
      const fine = await writeTensors(folder, 'fine', { w: { shape: [2], values: [1, 2] } })
      const other = await writeTensors(folder, 'other', { w: { shape: [2], values: [1, 3] } })
      const wide = await writeTensors(folder, 'wide', { w: { shape: [2, 1], values: [1, 2] } })
      const none = await writeTensors(folder, 'none', { v: { shape: [2], values: [1, 2] } })
      const out = join(folder, 'mask.safetensors')
      const found = await write(fine, other, fine, out)
      const { metadata } = await readSafetensorsHeader(out)
      expect(metadata).toEqual({ format: 'pt', merged: fine, model: other, base: fine })
      expect(found.writtenBytes).toBe(statSync(out).size)
      expect(planTaskMask(await prepareDiff({ a: fine, b: other, base: fine }, {})).byteCount).toBe(found.writtenBytes)
      const expected = `expected [2] as in ${fine}, which a mask of the model needs`
      await expect(write(fine, none, fine, out, { overwrite: true })).rejects.toThrow(`${none} has no 'w'; ${expected}`)
      await expect(write(fine, fine, wide, out, { overwrite: true })).rejects.toThrow(
        `${wide} has [2, 1] as its 'w'; ${expected}`,
      )
    }))

  it('tells how far it is, in bytes of all three models', () =>
    inFolder(async (folder) => {
      const of = (name: string, dtype: Tensor['dtype']) =>
        writeTensors(folder, name, {
          v: { dtype: dtype!, shape: [2], values: [1, 2] },
          w: { dtype: dtype!, shape: [3], values: [1, 2, 3] },
        })
      const [merged, model, base] = [await of('merged', 'F32'), await of('model', 'BF16'), await of('base', 'F32')]
      const seen: unknown[] = []
      await write(merged, model, base, join(folder, 'mask.safetensors'), {
        onProgress: (progress: unknown) => seen.push(progress),
      })
      expect(seen).toEqual([
        { doneBytes: 20, totalBytes: 50, doneTensors: 1, tensorCount: 2 },
        { doneBytes: 50, totalBytes: 50, doneTensors: 2, tensorCount: 2 },
      ])
    }))

  it('ends when it is told to, and leaves no file', () =>
    inFolder(async (folder) => {
      const fine = await writeTensors(folder, 'fine', { w: { shape: [1], values: [1] } })
      const signal = AbortSignal.abort(new Error('enough'))
      await expect(write(fine, fine, fine, join(folder, 'mask.safetensors'), { signal })).rejects.toThrow('enough')
      expect(readdirSync(folder)).toEqual(['fine.safetensors'])
    }))

  it('tells what the merged model lacks of the model', () =>
    inFolder(async (folder) => {
      const fine = await writeTensors(folder, 'fine', { w: { shape: [1], values: [1] } })
      const more = await writeTensors(folder, 'more', {
        w: { shape: [1], values: [2] },
        v: { shape: [1], values: [1] },
      })
      expect(planTaskMask(await prepareDiff({ a: fine, b: more, base: fine }, {})).leftOut).toEqual(['v'])
    }))

  it('takes no name of something else, and no place of something that is there', () =>
    inFolder(async (folder) => {
      const fine = await writeTensors(folder, 'fine', { w: { shape: [1], values: [1] } })
      const to = (name: string) => write(fine, fine, fine, join(folder, name))
      await expect(to('mask.bin')).rejects.toMatchObject({ code: 'mask-name' })
      await expect(to('fine.safetensors')).rejects.toMatchObject({ code: 'mask-exists' })
    }))

  it('that is not whole is refused by what reads it', () =>
    inFolder(async (folder) => {
      const part = (bits: number[], shape: number[]): Record<string, Tensor> => ({
        'w.mask_bits': { dtype: 'U8', shape: [bits.length], values: bits },
        'w.mask_shape': { dtype: 'I64', shape: [shape.length], values: shape },
        'w.mask_factor': { shape: [1], values: [2] },
      })
      const read = (tensors: Record<string, Tensor>) => {
        writeFileSync(join(folder, 'mask.safetensors'), fileOf(tensors))
        return load(join(folder, 'mask.safetensors'))
      }
      expect(await read(part([0b101, 1], [3, 3]))).toEqual({ w: [2, 0, 2, 0, 0, 0, 0, 0, 2] })
      for (const tensors of [part([5], [3, 3]), part([5, 1, 1], [3, 3]), part([5], [-8])])
        await expect(read(tensors)).rejects.toMatchObject({ code: 'quantized-part' })
      const { 'w.mask_factor': _, ...rest } = part([5], [8])
      await expect(read(rest)).rejects.toMatchObject({ code: 'quantized-part-missing' })
    }))
})

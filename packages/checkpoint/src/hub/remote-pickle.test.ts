import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { concat, oldFile, stateDict, type TensorSpec } from '../pickle/__fixtures__/pickle-bytes.ts'
import { torchZip, zip } from '../pickle/__fixtures__/zip-bytes.ts'
import { failure, useHub } from './__fixtures__/hub-harness.ts'

const hub = useHub()

/** A file as torch.save writes it, with storages aligned to 64 bytes. */
const torchFile = (tensors: Readonly<Record<string, TensorSpec>>, storages: Readonly<Record<string, Uint8Array>>) =>
  zip(torchZip(stateDict(tensors), storages).map((part, index) => ({ ...part, padding: (index * 8) % 64 })))

const half = new Uint8Array(2 ** 20)
const large = torchFile(
  { 'a.weight': { key: '0', shape: [512, 512] }, 'b.weight': { key: '1', shape: [2, 131072] } },
  { 0: half, 1: half },
)

/** Bytes of weights that were asked for. */
const fetchedBytes = () =>
  hub
    .requested('cdn')
    .map(({ range }) =>
      /bytes=(\d+)-(\d+)/
        .exec(range ?? '')!
        .slice(1)
        .map(Number),
    )
    .reduce((sum, [start, end]) => sum + end! - start! + 1, 0)

describe('a torch file at the hub', () => {
  it('is listed by its directory and its pickle, and nothing else of it comes', async () => {
    await hub.serve({ files: { 'config.json': '{}', 'pytorch_model.bin': large } })
    const model = await hub.resolve({ listPickles: true })
    const file = join(model.folder, 'pytorch_model.bin')
    const { tensors } = model.pickles.get(file)!
    expect([...tensors].map(([name, { dtype, shape }]) => [name, dtype, shape])).toEqual([
      ['a.weight', 'F32', [512, 512]],
      ['b.weight', 'F32', [2, 131072]],
    ])
    expect(fetchedBytes()).toBeLessThan(2 ** 18)
    expect(model.downloadBytes).toBe(large.length)
    expect(existsSync(file)).toBe(false)
    await model.download()
    expect(existsSync(file)).toBe(true)
  })

  it('comes in a few requests, however long its pickle is', async () => {
    const names = Array.from({ length: 4000 }, (_, layer) => `model.layers.${layer}.self_attn.q_proj.weight`)
    const specs = Object.fromEntries(names.map((name) => [name, { key: '0', shape: [1], storageElements: 2 ** 18 }]))
    const bytes = torchFile(specs, { 0: half, 1: half })
    await hub.serve({ files: { 'config.json': '{}', 'pytorch_model.bin': bytes } })
    const model = await hub.resolve({ listPickles: true })
    expect([...model.pickles.values()].map(({ tensors }) => tensors.size)).toEqual([names.length])
    expect(hub.requested('cdn').length).toBeLessThan(9)
    expect(fetchedBytes()).toBeLessThan(bytes.length - half.length)
  })

  it('in several shards is listed shard by shard', async () => {
    const shard = (name: string) => torchFile({ [name]: { key: '0', shape: [512, 512] } }, { 0: half })
    const index = {
      metadata: {},
      weight_map: { a: 'pytorch_model-00001-of-00002.bin', b: 'pytorch_model-00002-of-00002.bin' },
    }
    await hub.serve({
      files: {
        'config.json': '{}',
        'pytorch_model.bin.index.json': JSON.stringify(index),
        'pytorch_model-00001-of-00002.bin': shard('a'),
        'pytorch_model-00002-of-00002.bin': shard('b'),
      },
    })
    const model = await hub.resolve({ listPickles: true })
    expect([...model.pickles.values()].map(({ tensors }) => [...tensors.keys()])).toEqual([['a'], ['b']])
  })

  it('of the time before zips has no directory, and comes whole, which is said before', async () => {
    const bytes = oldFile(stateDict({ a: { shape: [2] } }), { 0: { elements: 2, bytes: new Uint8Array(8) } })
    await hub.serve({ files: { 'config.json': '{}', 'pytorch_model.bin': bytes } })
    const told: string[] = []
    const model = await hub.resolve({
      listPickles: true,
      onActivity: (activity) => {
        if (activity.kind === 'whole-files') told.push(`${activity.what} ${activity.byteCount}`)
      },
    })
    expect(told).toEqual([`pytorch_model.bin ${bytes.length}`])
    expect([model.pickles.size, model.downloadBytes]).toEqual([0, 0])
    expect(existsSync(join(model.folder, 'pytorch_model.bin'))).toBe(true)
  })

  it('that is no torch file is an error that names it, before anything large comes', async () => {
    const cases: readonly (readonly [Uint8Array, string])[] = [
      [large.subarray(0, large.length - 200), 'zip-directory'],
      [zip([{ name: 'archive/other', bytes: half }]), 'zip-missing'],
      [zip(torchZip(concat('junk'), { 0: half })), 'pickle-truncated'],
    ]
    for (const [bytes, code] of cases) {
      await hub.serve({ files: { 'config.json': '{}', 'pytorch_model.bin': bytes } })
      const error = await failure(hub.resolve({ listPickles: true }))
      expect(error.issue.code).toBe(code)
      expect(error.message).toContain('pytorch_model.bin')
      expect(fetchedBytes()).toBeLessThan(2 ** 18)
    }
  })
})
